"""Reads three epochs of each record format with the PipeModeDataset that is found first, and prints what it has read as JSON.

For the oldest Python and TensorFlow that jobs have (3.6, 1.15). usage: pipe_epochs.py DIRECTORY
"""
import hashlib
import json
import os
import sys

import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset

from pipe_channels import ENCODE, RECORDS, Channels

EPOCHS = 3


def elements(dataset):
    if not tf.__version__.startswith("1."):
        for element in dataset:
            yield element.numpy()
        return
    element = dataset.make_one_shot_iterator().get_next()
    with tf.compat.v1.Session() as session:
        while True:
            try:
                yield session.run(element)
            except tf.errors.OutOfRangeError:
                return


def main(directory):
    found = {}
    for record_format in sorted(ENCODE):
        channels = Channels(os.path.join(directory, record_format))
        data = ENCODE[record_format](RECORDS)
        channels.feed("train", [data] * (EPOCHS + 1))  # SageMaker's opens one more when it has read the last
        dataset = PipeModeDataset("train", record_format=record_format, **channels.options()).repeat(EPOCHS).batch(7)
        digest, count = hashlib.sha256(), 0
        for batch in elements(dataset):
            for record in batch:
                count += 1
                digest.update(record + b"|")
        found[record_format] = [count, digest.hexdigest()]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
