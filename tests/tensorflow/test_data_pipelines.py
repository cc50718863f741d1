"""Pipelines of data.h element by element against tf.data: the same values in the same order, and cardinalities that do not
contradict it.

HEADRACE_BIN names the folder of data_pipelines (tests/tensorflow/data_pipelines.cc; default build/release/bin).
"""
import json
import os
import pathlib
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "data_pipelines"
Dataset = tf.data.Dataset
LENGTHS = [3, 1, 7, 4, 2, 9, 5, 5, 1, 8, 3, 6]


def lengths():
    signature = (tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int64))
    return Dataset.from_generator(lambda: ((range(n), n) for n in LENGTHS), output_signature=signature)


def batch(window):
    return window.batch(10)


def buckets(boundaries, sizes, **options):
    return lengths().bucket_by_sequence_length(lambda x, n: tf.cast(tf.shape(x)[0], tf.int32), boundaries, sizes, **options)


def pipelines():
    yield "range", Dataset.range(2, 20, 5).concatenate(Dataset.range(3, -4, -3))
    yield "zip", Dataset.zip((Dataset.range(5), Dataset.range(10, 13).enumerate(7)))
    yield "filter", Dataset.range(11).filter(lambda x: x % 2 == 1).enumerate().batch(2)
    yield "take_while", Dataset.range(9).take_while(lambda x: x != 4)
    yield "flat_map", Dataset.range(5).flat_map(Dataset.range)
    for cycle in [1, 2, 3]:
        for block in [1, 2, 4]:
            yield f"interleave_{cycle}_{block}", Dataset.range(8).interleave(Dataset.range, cycle_length=cycle, block_length=block)
    yield "unbatch", Dataset.range(7).batch(3).unbatch()
    yield "rebatch", Dataset.range(7).batch(3).rebatch(2)
    for shift in [1, 2, 5]:
        for stride in [1, 3]:
            for drop in [False, True]:
                windows = Dataset.range(11).window(3, shift=shift, stride=stride, drop_remainder=drop)
                yield f"window_{shift}_{stride}" + ("_drop" if drop else ""), windows.flat_map(batch)
    yield "window", Dataset.range(8).window(3).flat_map(batch)
    yield "scan", Dataset.range(6).scan(tf.constant(10, tf.int64), lambda state, x: (state + x, (x, state + x)))
    yield "unique", Dataset.range(9).map(lambda x: x * 5 % 3).unique()
    yield "padded_batch", lengths().padded_batch(5)
    padding = (tf.constant(-1, tf.int64), tf.constant(0, tf.int64))
    yield "padded_batch_shape", lengths().padded_batch(5, padded_shapes=([10], []), padding_values=padding, drop_remainder=True)
    yield "buckets", buckets([3, 6], [3, 2, 2])
    yield "buckets_boundary", buckets([3, 6, 10], [3, 2, 2, 1], pad_to_bucket_boundary=True)
    yield "buckets_drop", buckets([4], [5, 4], drop_remainder=True)
    yield "groups", Dataset.range(20).group_by_window(lambda x: 2 - x % 3, lambda key, group: group.batch(4), window_size=4)
    three = [Dataset.range(3), Dataset.range(10, 12), Dataset.range(20, 29)]
    choices = Dataset.range(3).repeat(6)
    yield "choose", Dataset.choose_from_datasets(three, choices)
    yield "choose_all", Dataset.choose_from_datasets(three, choices, stop_on_empty_dataset=False)
    yield "cache", Dataset.range(4).cache().repeat(2).skip(3)
    yield "shard", Dataset.range(10).shard(3, 1).repeat(2).take(5)


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


def as_lists(element):
    return [[list(tensor.shape), tensor.numpy().flatten().tolist()] for tensor in tf.nest.flatten(element)]


@pytest.mark.parametrize("name, dataset", list(pipelines()), ids=[name for name, _ in pipelines()])
def test_elements_are_those_of_tf_data(name, dataset):
    assert [json.loads(line) for line in run(name)] == [as_lists(element) for element in dataset]


def test_cardinalities():
    theirs = dict(pipelines())
    ours = {name: int(count) for name, count in (line.split() for line in run())}
    assert ours.keys() == theirs.keys()
    for name, dataset in theirs.items():
        found = sum(1 for _ in dataset)
        assert ours[name] in (found, -2), name
