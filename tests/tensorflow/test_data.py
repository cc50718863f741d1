"""Record files, tf.Example and image functions against TensorFlow, in both directions.

HEADRACE_BIN names the folder of data_exchange (tests/tensorflow/data_exchange.cc; default build/release/bin).
"""
import os
import pathlib
import subprocess
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "data_exchange"
COMPRESSIONS = {"none": "", "gzip": "GZIP", "zlib": "ZLIB"}


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout


def example(index):
    """The record that data_exchange writes and expects as number `index`."""
    image = bytes((index * 7 + i) % 256 for i in range(index * 11 % 5000))
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[index - 3])),
        "numbers": tf.train.Feature(int64_list=tf.train.Int64List(value=[(-1) ** i * (i << i % 40) for i in range(index % 60)])),
        "scores": tf.train.Feature(float_list=tf.train.FloatList(value=[i / 4 for i in range(index % 9)])),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature))


def test_tensorflow_reads_what_we_write(tmp_path):
    for ours, theirs in COMPRESSIONS.items():
        path = tmp_path / f"ours.{ours}"
        run("write", path, ours, 100)
        records = [r.numpy() for r in tf.data.TFRecordDataset(str(path), compression_type=theirs)]
        assert len(records) == 100, (ours, len(records))
        for index, record in enumerate(records):
            assert tf.train.Example.FromString(record) == example(index), (ours, index)


def test_we_read_what_tensorflow_writes(tmp_path):
    for ours, theirs in COMPRESSIONS.items():
        path = tmp_path / f"theirs.{ours}"
        with tf.io.TFRecordWriter(str(path), options=tf.io.TFRecordOptions(compression_type=theirs)) as writer:
            for index in range(100):
                writer.write(example(index).SerializeToString())
        for reading in (ours, "auto"):
            assert run("check", path, reading, 100) == b"ok\n", (ours, reading)


def test_images():
    """CHW to HWC, padding, every crop and flip, pixel by pixel."""
    rng = np.random.default_rng(1)
    chw = rng.integers(0, 256, (3, 32, 32), dtype=np.uint8)
    padded = tf.image.resize_with_crop_or_pad(tf.transpose(chw, [1, 2, 0]), 40, 40)
    with tempfile.NamedTemporaryFile() as file:
        file.write(chw.tobytes())
        file.flush()
        ours = np.frombuffer(run("augment", file.name), np.uint8).reshape(9, 9, 2, 32, 32, 3)
    for top in range(9):
        for left in range(9):
            wanted = tf.image.crop_to_bounding_box(padded, top, left, 32, 32)
            np.testing.assert_array_equal(ours[top, left, 0], wanted)
            np.testing.assert_array_equal(ours[top, left, 1], tf.image.flip_left_right(wanted))


def test_resizing():
    image = np.arange(7 * 6 * 3, dtype=np.uint8).reshape(7, 6, 3)
    with tempfile.NamedTemporaryFile() as file:
        file.write(image.tobytes())
        file.flush()
        for height, width in [(7, 6), (8, 9), (4, 3), (12, 5), (1, 11), (2, 2)]:
            ours = np.frombuffer(run("resize", file.name, 7, 6, height, width), np.uint8).reshape(height, width, 3)
            np.testing.assert_array_equal(ours, tf.image.resize_with_crop_or_pad(image, height, width))
