"""Trains the example's CNN with PyTorch (channels_last) and prints one JSON line: images a second (median step).

usage: torch_training.py --data DIR --policy float32|mixed_bfloat16 --batch N --steps N --threads N
DIR holds train/train.tfrecords, read before the clock starts; augmentation (pad to 40, random crop, random flip) runs
on whole batches inside the timed step, which favours PyTorch over a loader of single images.
"""
import argparse
import json
import os
import resource
import statistics
import struct
import time

import torch
from torch import nn


def fields(data):
    """(number, value) of every field of a protobuf message: an int, or the bytes of a nested field."""
    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 2:
            size, at = varint(at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {key & 7}")
        yield key >> 3, value


def features(example):
    """{name: value} of a tf.Example whose features are one byte string or one integer each."""
    found = {}
    for _, entry in fields(dict(fields(example))[1]):
        parts = dict(fields(entry))
        kind, values = next(iter(fields(parts[2])))
        value = dict(fields(values))[1]
        found[bytes(parts[1]).decode()] = value[0] if kind == 3 and isinstance(value, (bytes, memoryview)) else value
    return found


def records(path):
    """Images [n, 3, 32, 32] uint8 and labels [n] of a CIFAR-10 TFRecord file."""
    with open(path, "rb") as file:
        data = memoryview(file.read())
    images, labels, at = [], [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        example = features(data[at + 12:at + 12 + size])
        at += size + 16
        images.append(torch.frombuffer(bytearray(example["image"]), dtype=torch.uint8))
        labels.append(example["label"])
    return torch.stack(images).reshape(-1, 3, 32, 32), torch.tensor(labels, dtype=torch.long)


def model():
    stack, c = [], 3
    for filters, rate in ((32, 0.2), (64, 0.3), (128, 0.4)):
        for padding in (1, 0):
            stack += [nn.Conv2d(c, filters, 3, padding=padding), nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01), nn.ReLU()]
            c = filters
        stack += [nn.MaxPool2d(2), nn.Dropout(rate)]
    stack += [nn.Flatten(), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10)]
    return nn.Sequential(*stack)


def augment(images):
    n = images.shape[0]
    padded = nn.functional.pad(images, (4, 4, 4, 4))
    rows = torch.randint(0, 9, (n, 1)) + torch.arange(32)
    columns = torch.randint(0, 9, (n, 1)) + torch.arange(32)
    flip = torch.rand(n) < 0.5
    columns = torch.where(flip[:, None], columns.flip(1), columns)
    batch = torch.arange(n)
    return padded[batch[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def options(warmup, threads):
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--policy", default="float32")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--warmup", type=int, default=warmup)
    arguments.add_argument("--threads", type=int, default=threads)
    return arguments


def median_step(cnn, images, labels, a, distribute=None):
    """Seconds of a whole step: batch, forward, backward, update, with `distribute`(optimizer) where one is given."""
    optimizer = torch.optim.Adam(cnn.parameters(), 1e-3)
    if distribute is not None:
        optimizer = distribute(optimizer)
    loss_of = nn.CrossEntropyLoss()
    times = []
    for _ in range(a.steps + a.warmup):
        start = time.perf_counter()
        rows = torch.randint(0, len(images), (a.batch,))
        x = augment(images[rows]).float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=a.policy == "mixed_bfloat16"):
            loss = loss_of(cnn(x), labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[a.warmup:])


def main():
    a = options(warmup=5, threads=2).parse_args()
    torch.set_num_threads(a.threads)
    images, labels = records(os.path.join(a.data, "train/train.tfrecords"))
    cnn = model().to(memory_format=torch.channels_last)
    step = median_step(cnn, images, labels, a)
    print(json.dumps({"peer": f"torch {torch.__version__}", "images_per_second": a.batch / step,
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
