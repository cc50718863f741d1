"""PNG images of every kind: the pixels that headrace predict sees are those of tf.io.decode_png."""

import itertools
import os
import pathlib
import random
import struct
import subprocess
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "image_tool"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: [1, 2, 4, 8, 16], RGB: [8, 16], PALETTE: [1, 2, 4, 8], GREY_ALPHA: [8, 16], RGBA: [8, 16]}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]  # x, y, and their steps
WIDTH, HEIGHT = 11, 9


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rows(samples, depth, pixel, filters):
    """One pass of an image: each row packed, as it is or with the filter Sub (differences to the pixel on the left)."""
    data = b""
    for row in samples:
        bits = "".join(f"{sample:0{depth}b}" for sample in row)
        bits += "0" * (-len(bits) % 8)
        packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        kind = filters.choice([0, 1])
        if kind == 1:
            packed = bytes((byte - (packed[i - pixel] if i >= pixel else 0)) % 256 for i, byte in enumerate(packed))
        data += bytes([kind]) + packed
    return data


def png(color, depth, interlaced, chunks=(), seed=0):
    source = random.Random(seed)
    count = SAMPLES[color]
    pixel = max(1, count * depth // 8)  # bytes
    image = [[source.randrange(2**depth) for _ in range(WIDTH * count)] for _ in range(HEIGHT)]
    if interlaced:
        data = b""
        for x, y, dx, dy in ADAM7:
            part = [[s for column in range(x, WIDTH, dx) for s in row[column * count : (column + 1) * count]] for row in image[y::dy]]
            if part and part[0]:
                data += rows(part, depth, pixel, source)
    else:
        data = rows(image, depth, pixel, source)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def kinds():
    """(name, bytes) of every colour type, depth, interlacing and transparency, with colour profiles that must not matter."""
    source = random.Random(1)
    for color, interlaced in itertools.product(DEPTHS, [False, True]):
        for depth in DEPTHS[color]:
            colors = bytes(source.randrange(256) for _ in range(3 * 2**depth)) if color == PALETTE else b""
            palette = [(b"PLTE", colors)] if colors else []
            transparency = {GREY: [struct.pack(">H", 1)], RGB: [struct.pack(">HHH", 1, 2, 3)], PALETTE: [bytes([0, 128][: 2**depth])]}.get(color, [])
            gamma = (b"gAMA", struct.pack(">I", 100000))
            for name, extra in [("", []), ("gamma", [gamma]), ("srgb", [(b"sRGB", b"\0")]), ("bkgd", [(b"bKGD", struct.pack(">H", 0))] if color == GREY else [])]:
                before = [c for c in extra if c[0] != b"bKGD"]
                after = [c for c in extra if c[0] == b"bKGD"]
                yield f"{color}-{depth}-{int(interlaced)}-{name}", png(color, depth, interlaced, before + palette + after, seed=depth)
            for values in transparency:
                yield f"{color}-{depth}-{int(interlaced)}-transparent", png(color, depth, interlaced, palette + [(b"tRNS", values)], seed=depth)


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
def test_pixels_are_those_of_decode_png(tmp_path, channels):
    images = dict(kinds())
    paths = []
    for name, data in images.items():
        paths.append(tmp_path / f"{name}.png")
        paths[-1].write_bytes(data)
    lines = subprocess.run([PROGRAM, "decode", str(channels), *paths], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    assert len(lines) == len(images)
    read = 0
    for (name, data), line in zip(images.items(), lines):
        try:
            # The operation itself: tf.io.decode_png refuses channels=2, the kernel reads it.
            wanted = tf.raw_ops.DecodePng(contents=data, channels=channels).numpy()
        except tf.errors.InvalidArgumentError:
            assert line.startswith("refused") or channels == 2, name
            continue
        shape, pixels = line.rsplit(" ", 1)
        assert shape == str(wanted.shape), f"{name}: {line[:80]}"
        assert pixels == wanted.astype(np.uint8).tobytes().hex(), name
        read += 1
    assert read > 50 or channels == 2


def test_damaged_files_are_refused_as_decode_png_does(tmp_path):
    whole = png(RGB, 8, False)
    path = tmp_path / "cut.png"
    for size in range(0, len(whole) - 12, 7):
        path.write_bytes(whole[:size])
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.decode_png(whole[:size])
        assert "refused" in subprocess.run([PROGRAM, "decode", "3", path], check=True, stdout=subprocess.PIPE, text=True).stdout
