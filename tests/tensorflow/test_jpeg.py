"""JPEG images of every kind: the pixels are those of tf.io.decode_jpeg with its defaults."""

import io
import itertools
import os
import pathlib
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "image_tool"


def picture(mode, width, height, seed):
    """Smooth colours with edges and noise in them: every kind of coefficient."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    channels = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
    planes = [127 + 100 * np.sin(x / (3 + c) + y / (5 + seed % 7)) + random.normal(0, 12, x.shape) for c in range(channels)]
    planes[0][height // 3 :, width // 2 :] = 255
    data = np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)
    return Image.fromarray(data[..., 0] if channels == 1 else data, mode)


def encoded(mode, width, height, seed, **options):
    file = io.BytesIO()
    picture(mode, width, height, seed).save(file, "JPEG", **options)
    return file.getvalue()


def kinds():
    sizes = [(1, 1), (8, 8), (17, 9), (33, 64), (100, 75), (255, 130)]
    for (width, height), quality, progressive in itertools.product(sizes, [30, 75, 95], [False, True]):
        for mode, subsampling in [("L", 0), ("RGB", 0), ("RGB", 1), ("RGB", 2), ("CMYK", 0)]:
            name = f"{mode}-{subsampling}-{width}x{height}-{quality}-{int(progressive)}"
            yield name, encoded(mode, width, height, len(name) + quality, quality=quality, subsampling=subsampling, progressive=progressive)
    yield "restarts", encoded("RGB", 90, 61, 5, quality=80, restart_marker_blocks=3)
    whole = encoded("RGB", 64, 48, 6, quality=80)
    yield "behind the end", whole + b"more"
    yield "no end marker", whole[:-2]
    yield "damaged in the middle", whole[: len(whole) // 2] + b"\0" * 20 + whole[len(whole) // 2 + 20 :]


def decode(channels, paths):
    done = subprocess.run([PROGRAM, "decode", str(channels), *paths], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("channels", [0, 1, 3])
def test_pixels_are_those_of_decode_jpeg(tmp_path, channels):
    images = dict(kinds())
    paths = []
    for number, data in enumerate(images.values()):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(data)
    lines = decode(channels, paths)
    assert len(lines) == len(images)
    read = 0
    for (name, data), line in zip(images.items(), lines):
        try:
            wanted = tf.io.decode_jpeg(data, channels=channels).numpy()
        except tf.errors.InvalidArgumentError:
            assert line.startswith("refused"), name
            continue
        assert not line.startswith("refused"), f"{name}: {line}"
        shape, pixels = line.rsplit(" ", 1)
        assert shape == str(wanted.shape), f"{name}: {line[:80]}"
        ours = np.frombuffer(bytes.fromhex(pixels), np.uint8).reshape(wanted.shape)
        difference = np.abs(ours.astype(int) - wanted)
        assert difference.max() == 0, f"{name}: {np.count_nonzero(difference)} of {wanted.size} differ, by {difference.max()} at most"
        read += 1
    assert read > 100


def test_cut_files_are_refused_as_decode_jpeg_does(tmp_path):
    for progressive in [False, True]:
        whole = encoded("RGB", 40, 30, 3, quality=80, progressive=progressive)
        sizes = range(0, len(whole) - 2, 37)
        paths = [tmp_path / f"{progressive}-{size}.jpg" for size in sizes]
        for size, path in zip(sizes, paths):
            path.write_bytes(whole[:size])
        for size, line in zip(sizes, decode(3, paths)):
            try:
                tf.io.decode_jpeg(whole[:size], channels=3)
            except tf.errors.InvalidArgumentError:
                assert line.startswith("refused"), size
            else:
                assert not line.startswith("refused"), size
