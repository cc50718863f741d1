"""image::Resize against tf.image.resize: every method, larger and smaller, with and without antialiasing."""

import os
import pathlib
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "image_tool"
SIZES = [(7, 5), (21, 13), (32, 32), (1, 1), (3, 40), (64, 6), (10, 11)]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"])
def test_pixels_are_those_of_tf_image_resize(tmp_path, method, antialias):
    path = tmp_path / "pixels"
    for seed, (height, width, channels) in enumerate([(16, 17, 3), (1, 9, 1), (33, 20, 4)]):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
        path.write_bytes(pixels.tobytes())
        for wanted_height, wanted_width in SIZES:
            for keep in [0, 1]:
                scale = min(wanted_height / height, wanted_width / width)
                if keep and min(round(scale * height), round(scale * width)) < 1:
                    continue  # TensorFlow makes no image of it
                wanted = tf.image.resize(pixels, (wanted_height, wanted_width), method, preserve_aspect_ratio=bool(keep), antialias=antialias)
                arguments = [height, width, channels, wanted_height, wanted_width, method, int(antialias), keep]
                done = subprocess.run([PROGRAM, "resize", path, *map(str, arguments)], check=True, stdout=subprocess.PIPE)
                dtype = np.uint8 if method == "nearest" else np.float32
                ours = np.frombuffer(done.stdout, dtype)
                assert ours.size == np.size(wanted), arguments
                np.testing.assert_allclose(ours.reshape(wanted.shape), wanted, rtol=1e-5, atol=2e-4, err_msg=str(arguments))
