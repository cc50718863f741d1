"""Reads the TFRecords of CIFAR-10 with numpy alone: what the notebooks need, which run where no TensorFlow is installed."""
import struct

import numpy as np

CLASS_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def records(path):
    """The bytes of each record of a file: before them stand their length and its checksum, behind them their own."""
    with open(path, "rb") as file:
        while header := file.read(12):
            yield file.read(struct.unpack("<Q", header[:8])[0])
            file.read(4)


def count_records(path):
    return sum(1 for _ in records(path))


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """(number, value) of a protobuf message: bytes of what has a length, else the number."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            yield key >> 3, data[at:at + size]
            at += size
        else:
            value, at = varint(data, at)
            yield key >> 3, value


def feature(data):
    """A tf.Feature that is one bytes value, or int64 values."""
    (kind, values), = fields(data)
    (_, value), *_ = fields(values)
    return value if kind == 1 else value if isinstance(value, int) else varint(value, 0)[0]


def read_examples(path):
    """Images (n, 32, 32, 3) as float32 from 0 to 255, and their labels."""
    images, labels = [], []
    for record in records(path):
        (_, features), = fields(record)
        example = {}
        for _, entry in fields(features):
            parts = dict(fields(entry))
            example[parts[1].decode()] = feature(parts[2])
        images.append(np.frombuffer(example["image"], np.uint8).reshape(3, 32, 32).transpose(1, 2, 0))
        labels.append(example["label"])
    return np.stack(images).astype(np.float32), np.array(labels)
