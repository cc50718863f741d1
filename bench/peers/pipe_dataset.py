"""Reads one channel with PipeModeDataset, in batches of 256 and record by record, and a local file with TensorFlow's own reader, for
bench/pipe.py.

usage: pipe_dataset.py DIRECTORY CHANNEL FILE [original]    prints one JSON object of seconds, the best of three
"original": with the sagemaker_tensorflow that this Python has, which is SageMaker's.
"""
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("HEADRACE_LIBRARY_DIR", str(ROOT / "build/release/lib"))
directory, channel, file = sys.argv[1:4]
ORIGINAL = "original" in sys.argv[4:]
if not ORIGINAL: sys.path.insert(0, str(ROOT / "python/sagemaker_tensorflow"))

import sagemaker_tensorflow
import tensorflow as tf


def pipe():
    return sagemaker_tensorflow.PipeModeDataset(channel, "TFRecord", state_dir=f"{directory}/state", pipe_dir=directory,
                                                config_dir=f"{directory}/config-{channel}")


def memory():
    """What handing out so many strings costs in tf.data: nothing is read and nothing verified."""
    size, record = os.path.getsize(file), next(iter(tf.data.TFRecordDataset(file)))
    return tf.data.Dataset.from_tensors(record).repeat(size // (len(record.numpy()) + 16))


def through_python():
    records = sagemaker_tensorflow.records
    records.READS_ITSELF = False
    dataset = pipe()
    records.READS_ITSELF = True
    return dataset


def seconds(make):
    def once():
        dataset = make()
        start = time.perf_counter()
        for _ in dataset: pass
        return time.perf_counter() - start
    return min(once() for _ in range(3))


def batches(dataset):
    return dataset.batch(256)


def elements(dataset):
    """Batches as TensorFlow makes them behind a step that has taken the records one by one: map(), shuffle() …; this one does nothing."""
    return dataset.take(-1).batch(256)


def alone(dataset):
    """Every record is made and dropped, inside TensorFlow."""
    return dataset.ignore_errors().skip(10 ** 9) if hasattr(dataset, "ignore_errors") else dataset.skip(10 ** 9)


ways = {"batches": lambda: batches(pipe()), "records": lambda: alone(pipe()), "memory": lambda: batches(memory())}
if not ORIGINAL:
    ways.update({
        "elements": lambda: elements(pipe()), "through_python": lambda: elements(through_python()),
        "file": lambda: batches(tf.data.TFRecordDataset(file)), "file_records": lambda: alone(tf.data.TFRecordDataset(file)),
        "memory_records": lambda: alone(memory())})
print(json.dumps({way: seconds(make) for way, make in ways.items()}))
