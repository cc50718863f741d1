"""CSV, folders of texts and images, and time series against TensorFlow's and Keras's readers.

HEADRACE_BIN names the folder of data_sources (tests/tensorflow/data_sources.cc; default build/release/bin).
"""
import gzip
import itertools
import json
import os
import pathlib
import subprocess
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "data_sources"


def run(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def value(component):
    """A component as numpy has it; bytes as a string."""
    if component["type"] == "uint8":
        return bytes.fromhex(component["values"])
    return np.array(component["values"], component["type"]).reshape(component["shape"])


def check(component, wanted):
    """The same type, shape and values; a string's type is uint8."""
    if isinstance(wanted, bytes):
        assert component["type"] == "uint8" and value(component) == wanted
        return
    wanted = np.asarray(wanted)
    assert component["type"] == wanted.dtype.name
    assert component["shape"] == list(wanted.shape)
    np.testing.assert_array_equal(value(component), wanted)


def check_csv(path, defaults, header=False, delimiter=",", na="", selected=None):
    """Record by record the same values, up to the same place with an error."""
    wanted = []
    theirs = tf.data.experimental.CsvDataset(
        str(path), [TYPES[d] if len(d) == 1 else tf.constant(parse(d), TYPES[d[0]]) for d in defaults],
        header=header, field_delim=delimiter, na_value=na, select_cols=selected)
    failed = False
    try:
        for record in theirs:
            wanted.append([tensor.numpy() for tensor in record])
    except tf.errors.InvalidArgumentError:
        failed = True
    ours = run("csv", int(header), delimiter, na, ",".join(map(str, selected or [])), path, *defaults)
    assert (ours != [] and "error" in ours[-1]) == failed, ours[-1:]
    ours = ours[:-1] if failed else ours
    assert len(ours) == len(wanted)
    for record, values in zip(ours, wanted):
        assert len(record) == len(values)
        for component, theirs_value in zip(record, values):
            check(component, theirs_value)
    return len(wanted), failed


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_lines(tmp_path, compression):
    paths = [str(tmp_path / "one"), str(tmp_path / "two")]
    for path, text in zip(paths, [b"first\nsecond\r\n\n \xff x\n", b"\nno line end"]):
        pathlib.Path(path).write_bytes({"": bytes, "GZIP": gzip.compress, "ZLIB": zlib.compress}[compression](text))
    theirs = [line.numpy() for line in tf.data.TextLineDataset(paths, compression_type=compression)]
    assert [value(line[0]) for line in run("lines", *paths)] == theirs


TYPES = {"i": tf.int32, "l": tf.int64, "f": tf.float32, "s": tf.string}


def parse(default):
    return default[2:] if default[0] == "s" else float(default[2:]) if default[0] == "f" else int(default[2:])


@pytest.mark.parametrize("text, records, failed", [
    ("1,2.5,abc\n-4,1e3,\n", 2, False),
    ("1,2.5,abc\r\n-4,1e3,\"x\"", 2, False),
    ("1,2.5,abc\r-4,1e3,d\r", 2, False),
    ("7,,\"a,\"\"b\"\"\nc\"\n", 1, False),
    (" 5 , 2.5,  spaces \n+5,+2.5,x\n", 2, False),
    ("1,nan,x\n2,inf,y\n3,-1e99,z\n", 3, False),
    ("1,2,3\n4,5\n", 1, True),
    ("1,2,3\n4,5,6,7\n", 1, True),
    ("1,2,3\n\n4,5,6\n", 1, True),
    ("x,2,3\n", 0, True),
    ("2147483648,2,3\n", 0, True),
    ("1.0,2,3\n", 0, True),
    ("1,2.5x,3\n", 0, True),
    ("1,2,a\"b\n", 0, True),
    ("1,2,\"a\"b\n", 0, True),
    ("1,2,\"a\n", 0, True),
])
def test_csv_records(tmp_path, text, records, failed):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    assert check_csv(path, ["i", "f:0.25", "s:none"]) == (records, failed)


def test_csv_options(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a;b;c;d\n1;NA;3;x\n;5;;\n")
    assert check_csv(path, ["l:9", "i:-1", "f:0.5", "s:"], header=True, delimiter=";", na="NA") == (2, False)
    assert check_csv(path, ["i:7", "s"], header=True, delimiter=";", na="NA", selected=[1, 3])[1]
    assert check_csv(path, ["l"], header=True, delimiter=";", selected=[0])[1]


def test_make_csv_dataset(tmp_path):
    path = tmp_path / "table.csv"
    rows = ["age,fare,big,city,label"] + [f"{i},{i / 4 if i % 3 else ''},{i * 10**9},town {i},{i % 2}" for i in range(10)]
    path.write_text("\n".join(rows) + "\n")
    for label, columns in [("label", []), ("", []), ("label", ["fare", "label", "big"])]:
        theirs = tf.data.experimental.make_csv_dataset(str(path), 4, label_name=label or None, select_columns=columns or None, num_epochs=1, shuffle=False)
        ours = run("make_csv", path, 4, label, ",".join(columns))
        theirs = list(theirs)
        assert len(ours) == len(theirs) == 3
        for batch, wanted in zip(ours, theirs):
            features, target = wanted if label else (wanted, None)
            assert [c["name"] for c in batch] == list(features) + ([""] if label else [])
            for component in batch:
                expected = (features[component["name"]] if component["name"] else target).numpy()
                if component["type"] == "uint8":
                    length = component["shape"][1]
                    assert value(component) == b"".join(text.ljust(length, b"\0") for text in expected)
                else:
                    check(component, expected)


def folders(root):
    for name, count in [("pos", 7), ("neg", 6), ("pos/deeper", 3)]:
        (root / name).mkdir(parents=True)
        for i in range(count):
            (root / name / f"{i * 37 % 11}.txt").write_text(f"{name} {i}\n")
    (root / "pos" / "other.csv").write_text("no")


@pytest.mark.parametrize("mode", ["int", "binary", "categorical", ""])
def test_texts_and_labels(tmp_path, mode):
    folders(tmp_path)
    ours = run("texts", tmp_path, mode, "", 0, "")
    theirs = list(tf.keras.utils.text_dataset_from_directory(str(tmp_path), label_mode=mode or None, batch_size=None, shuffle=False, verbose=False))
    elements = [line for line in ours if isinstance(line, list)]
    assert len(elements) == len(theirs) == 16
    for element, wanted in zip(elements, theirs):
        wanted = wanted if mode else (wanted,)
        assert len(element) == len(wanted)
        check(element[0], wanted[0].numpy())
        if mode:
            check(element[1], wanted[1])


@pytest.mark.parametrize("seed", [0, 1, 1337, 2**32 - 1])
def test_the_same_seed_makes_the_subsets_of_keras(tmp_path, seed):
    folders(tmp_path)
    for subset in ["training", "validation"]:
        ours = [line["file"] for line in run("texts", tmp_path, "int", seed, 0.3, subset) if "file" in line]
        theirs = tf.keras.utils.text_dataset_from_directory(
            str(tmp_path), batch_size=None, seed=seed, validation_split=0.3, subset=subset, verbose=False)
        texts = sorted(text.numpy().decode() for text, _ in theirs)
        assert sorted(pathlib.Path(file).read_text() for file in ours) == texts


@pytest.mark.parametrize("mode, color, crop, method", [("int", "rgb", 0, "bilinear"), ("categorical", "grayscale", 1, "bilinear"), ("binary", "rgb", 1, "nearest")])
def test_images(tmp_path, mode, color, crop, method):
    for number, (name, kind) in enumerate(itertools.product(["a", "b"], ["JPEG", "PNG"])):
        (tmp_path / name).mkdir(exist_ok=True)
        for i in range(2):
            pixels = np.random.default_rng(10 * number + i).integers(0, 256, (20 + 13 * i, 31 - 5 * number, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.{kind.lower()}", kind)
    for height, width in [(24, 24), (11, 40)]:
        ours = run("images", tmp_path, mode, color, height, width, crop, method)
        theirs = list(tf.keras.utils.image_dataset_from_directory(
            str(tmp_path), label_mode=mode, color_mode=color, batch_size=3, image_size=(height, width), shuffle=False,
            interpolation=method, crop_to_aspect_ratio=bool(crop), verbose=False))
        assert len(ours) == len(theirs) == 3
        for batch, (images, labels) in zip(ours, theirs):
            assert len(batch) == 2
            # Always float32, as Keras's documentation says; Keras itself makes uint8 with "nearest".
            assert images.dtype.name == ("uint8" if method == "nearest" else "float32")
            assert batch[0]["type"] == "float32" and batch[0]["shape"] == list(images.shape)
            np.testing.assert_allclose(value(batch[0]), images, rtol=1e-5, atol=1e-4)
            check(batch[1], labels)


@pytest.mark.parametrize("length, stride, rate, start, end", [(3, 1, 1, 0, 0), (4, 2, 1, 0, 0), (3, 3, 2, 5, 20), (1, 1, 1, 2, 9), (5, 1, 4, 0, 0)])
def test_time_series(length, stride, rate, start, end):
    rows = np.arange(46, dtype=np.float32).reshape(23, 2) / 4
    theirs = list(tf.keras.utils.timeseries_dataset_from_array(
        rows, 100 + np.arange(23), length, sequence_stride=stride, sampling_rate=rate, batch_size=4, start_index=start or None, end_index=end or None))
    ours = run("series", 23, length, stride, rate, start, end)
    assert len(ours) == len(theirs)
    for batch, (windows, targets) in zip(ours, theirs):
        assert len(batch) == 2
        check(batch[0], windows)
        check(batch[1], targets)
