#!/usr/bin/env python3
"""Reading CIFAR-10 records: Headrace against TensorFlow's tf.data, one core each, runs interleaved.

Usage: scripts/bench data [--data DIR] [--rounds 5]
DIR is what `headrace dataset cifar10 --data-dir DIR` writes; without it: the sample's images, repeated to the full set's
size.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/bin/bench_data"
PYTHON = ROOT / "build/venv/tensorflow/bin/python"

# Prints GB/s of: default buffer, 8 MiB buffer, with parse_example. The first pass warms everything up.
THEIRS = """
import sys, time, os
import tensorflow as tf
path, size = sys.argv[1], os.path.getsize(sys.argv[1])
wanted = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
def last(dataset):
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    start = time.perf_counter()
    dataset.with_options(options).reduce(tf.constant(0, tf.int64), lambda count, _: count + 1).numpy()
    return size / (time.perf_counter() - start) * 1e-9
def batch(dataset): return dataset.batch(256)
runs = {
    "read": lambda: batch(tf.data.TFRecordDataset(path)),
    "read_8mib": lambda: batch(tf.data.TFRecordDataset(path, buffer_size=8 << 20)),
    "parse": lambda: batch(tf.data.TFRecordDataset(path)).map(lambda r: tf.io.parse_example(r, wanted)),
}
for name, make in runs.items():
    last(make())
    print(name, max(last(make()) for _ in range(3)))
"""


def figures(command):
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    core = str(max(os.sched_getaffinity(0)))
    done = subprocess.run(["taskset", "-c", core, *map(str, command)], text=True, env=environment, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"data: {command[0]} failed:\n{done.stderr[-2000:]}")
    return {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}


def sample_file(folder):
    """The sample's training records, repeated: a concatenation of TFRecord files is one."""
    subprocess.run([ROOT / "build/release/bin/headrace", "dataset", "cifar10", "--sample", "--data-dir", folder],
                   check=True, stdout=subprocess.DEVNULL)
    records = (folder / "train/train.tfrecords").read_bytes()
    path = folder / "many.tfrecords"
    path.write_bytes(records * 25)
    return path


def cpu_name():
    match = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match.group(1) if match else os.uname().machine


def compare(path, count):
    rounds = [(figures([BINARY, "--pipeline", path]), figures([PYTHON, "-c", THEIRS, path])) for _ in range(count)]
    def median(side, name): return statistics.median(each[side][name] for each in rounds)
    print(f"machine: {os.uname().nodename}, {cpu_name()}; one core each; median of {count} interleaved rounds")
    print(f"{'':34}{'headrace':>10}{'TensorFlow':>12}{'ratio':>8}")
    for title, ours, theirs in [
        ("read with checksums, GB/s", "read_gb_per_s", "read"),
        ("  against an 8 MiB buffer, GB/s", "read_gb_per_s", "read_8mib"),
        ("read and parse Examples, GB/s", "parse_gb_per_s", "parse"),
    ]:
        a, b = median(0, ours), median(1, theirs)
        print(f"{title:34}{a:10.2f}{b:12.2f}{a / b:7.1f}x")
    print(f"whole training pipeline: {median(0, 'pipeline_us_per_image'):.2f} us of processor time an image; "
          f"first batch after {median(0, 'first_batch_ms'):.0f} ms, "
          f"after skipping 100 epochs {median(0, 'resume_after_100_epochs_ms'):.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    if a.data is not None:
        return compare(a.data / "train/train.tfrecords", a.rounds)
    with tempfile.TemporaryDirectory() as folder:
        compare(sample_file(pathlib.Path(folder)), a.rounds)


if __name__ == "__main__":
    main()
