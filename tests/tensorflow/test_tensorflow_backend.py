"""Models beyond Headrace's operations, run by TensorFlow's own library behind the model server, with TensorFlow's answers.

usage: pytest tests/tensorflow/test_tensorflow_backend.py    HEADRACE_BIN: where the programs are (build/release/bin)
"""

import io
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import requests
import tensorflow as tf

from model_server import ModelServer

LIBRARY = pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"
WITH_TENSORFLOW = ["--tensorflow_library", LIBRARY]


def post(server, body, method="predict"):
    return requests.post(f"{server.url}/v1/models/m:{method}", json=body)


class Sorted(tf.Module):
    """A float input and a whole-number one; answers of both kinds."""

    @tf.function(input_signature=[tf.TensorSpec((None, 5), name="x"), tf.TensorSpec((None,), tf.int64, name="k")])
    def __call__(self, x, k):
        order = tf.argsort(x)
        return {"sorted": tf.sort(x) * 2.0, "order": order, "id": k + 1, "wide": tf.cast(tf.sort(x), tf.float64)}


def test_operations_that_headrace_does_not_have(tmp_path):
    module = Sorted()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.__call__)
    x = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
    k = np.array([1, 2**53 + 1, 3, -4])
    with ModelServer(tmp_path, "m", *WITH_TENSORFLOW) as server:
        assert "run by TensorFlow" in server.text()
        answer = post(server, {"inputs": {"x": x.tolist(), "k": k.tolist()}}).json()["outputs"]
        assert np.array_equal(np.array(answer["sorted"], np.float32), np.sort(x) * 2)
        assert answer["order"] == np.argsort(x).tolist()
        assert answer["id"] == (k + 1).tolist()
        assert np.array_equal(np.array(answer["wide"], np.float32), np.sort(x))
        rows = post(server, {"instances": [{"x": r, "k": int(i)} for r, i in zip(x.tolist(), k)]}).json()["predictions"]
        assert rows[1]["order"] == np.argsort(x[1]).tolist() and rows[1]["id"] == 2**53 + 2
        metadata = requests.get(server.url + "/v1/models/m/metadata").json()["metadata"]["signature_def"]["signature_def"]["serving_default"]
        assert metadata["inputs"]["k"]["dtype"] == "DT_INT64" and metadata["outputs"]["order"]["dtype"] == "DT_INT32"
        for wrong in [{"inputs": {"x": x.tolist()}}, {"inputs": {"x": [[1.0]], "k": [1]}}, {"inputs": {"x": x.tolist(), "k": [1.5] * 4}}]:
            assert post(server, wrong).status_code == 400


def test_a_recurrent_model(tmp_path):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,), dtype="int64", name="tokens"), keras.layers.Embedding(50, 8),
                              keras.layers.LSTM(12), keras.layers.Dense(3, activation="softmax")])
    model.export(str(tmp_path / "1"), verbose=False)
    x = np.random.default_rng(1).integers(0, 50, (7, 6))
    file = io.BytesIO()
    np.save(file, x)
    with ModelServer(tmp_path, "m", *WITH_TENSORFLOW, "--num_batch_threads", "2") as server:
        answer = post(server, {"instances": x.tolist()}).json()["predictions"]
        assert np.abs(np.array(answer) - model.predict(x, verbose=0)).max() < 1e-5
        answer = requests.post(server.url + "/v1/models/m:predict", data=file.getvalue(), headers={"Content-Type": "application/x-npy"}).json()
        assert np.abs(np.array(answer["predictions"]) - model.predict(x, verbose=0)).max() < 1e-5


def test_what_headrace_can_run_stays_with_headrace(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.export(str(tmp_path / "1"), verbose=False)
    with ModelServer(tmp_path, "m", *WITH_TENSORFLOW) as server:
        assert post(server, {"instances": [[1.0, 2.0, 3.0, 4.0]]}).status_code == 200
        assert "TensorFlow" not in server.text()


def test_without_the_library_the_operation_is_named(tmp_path):
    module = Sorted()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.__call__)
    for library, why in [("none", "switched off"), ("/nonexistent/libtensorflow.so", "cannot be opened")]:
        with ModelServer(tmp_path, "m", "--no-strict", "--tensorflow_library", library) as server:
            status = requests.get(server.url + "/v1/models/m").json()["model_version_status"][0]
            assert status["state"] == "END" and why in status["status"]["error_message"]


def test_models_that_reach_for_files_are_refused(tmp_path):
    class Reader(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 1), name="x")])
        def __call__(self, x):
            length = tf.strings.length(tf.io.read_file("/etc/hostname"))
            return {"y": tf.sort(x) + tf.cast(length, tf.float32)}

    module = Reader()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.__call__)
    with ModelServer(tmp_path, "m", "--no-strict", *WITH_TENSORFLOW) as server:
        status = requests.get(server.url + "/v1/models/m").json()["model_version_status"][0]
        assert status["state"] == "END" and "(ReadFile): files, sockets and Python are not for models" in status["status"]["error_message"]
