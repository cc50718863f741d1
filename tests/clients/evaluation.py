"""The notebook's last cells: the test set through a predictor in batches of 128, accuracy and confusion matrix; and the
same by `headrace evaluate`."""
import io
import json
import struct
import subprocess
import tarfile

import numpy as np

from platform_fixtures import HEADRACE

CLASSES = 10
BATCH = 128


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
    """Images (n, 32, 32, 3) as float32 and labels of a file of TFRecords."""
    data, at, images, labels = path.read_bytes(), 0, [], []
    while at < len(data):
        size, = struct.unpack("<Q", data[at:at + 8])
        (_, features), = fields(data[at + 12:at + 12 + size])
        example = {}
        for _, entry in fields(features):
            parts = dict(fields(entry))
            example[parts[1].decode()] = feature(parts[2])
        images.append(np.frombuffer(example["image"], np.uint8).reshape(3, 32, 32).transpose(1, 2, 0))
        labels.append(example["label"])
        at += 12 + size + 4
    return np.stack(images).astype(np.float32), np.array(labels)


def evaluate(predictor, images, labels):
    """Accuracy and confusion matrix as the notebook makes them."""
    predicted = []
    for begin in range(0, len(images), BATCH):
        predicted += predictor.predict(images[begin:begin + BATCH])["predictions"]
    predicted = np.argmax(np.array(predicted), axis=1)
    matrix = np.zeros((CLASSES, CLASSES), int)
    np.add.at(matrix, (labels, predicted), 1)
    return float(np.mean(predicted == labels)), matrix


def headrace_evaluate(boto, artifacts, data, directory):
    """What `headrace evaluate` says of the same model and data."""
    bucket, key = artifacts[len("s3://"):].split("/", 1)
    packed = boto("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(directory)  # what our own training packed
    shown = subprocess.run([HEADRACE, "evaluate", "--model", directory, "--data", data, "-o", "json"],
                           check=True, capture_output=True, text=True)
    return json.loads(shown.stdout)
