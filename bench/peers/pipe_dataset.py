"""Reads one channel with PipeModeDataset, in batches and record by record, and a local file with TensorFlow's own reader, for bench/pipe.py.

usage: pipe_dataset.py DIRECTORY CHANNEL FILE    prints one JSON object of seconds, the best of three
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
sys.path.insert(0, str(ROOT / "python/sagemaker_tensorflow"))

import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset, records

directory, channel, file = sys.argv[1:]


def pipe():
    return PipeModeDataset(channel, "TFRecord", state_dir=f"{directory}/state", pipe_dir=directory, config_dir=f"{directory}/config-{channel}")


def memory():
    """What handing out so many strings costs in tf.data: nothing is read and nothing verified."""
    size, record = os.path.getsize(file), next(iter(tf.data.TFRecordDataset(file)))
    return tf.data.Dataset.from_tensors(record).repeat(size // (len(record.numpy()) + 16))


def through_python():
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


def alone(dataset):
    """Every record is made and dropped, inside TensorFlow."""
    return dataset.ignore_errors().skip(10 ** 9)


print(json.dumps({
    "batches": seconds(lambda: pipe().batch(256)), "records": seconds(lambda: alone(pipe())),
    "through_python": seconds(lambda: through_python().batch(256)),
    "file_batches": seconds(lambda: tf.data.TFRecordDataset(file).batch(256)), "file_records": seconds(lambda: alone(tf.data.TFRecordDataset(file))),
    "memory_batches": seconds(lambda: memory().batch(256)), "memory_records": seconds(lambda: alone(memory())),
}))
