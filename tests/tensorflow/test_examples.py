"""SavedModels whose signatures take strings (serialized tf.Examples, raw bytes), served by Headrace's own engine, with TensorFlow's answers.

usage: pytest tests/tensorflow/test_examples.py    HEADRACE_BIN: where the programs are (build/release/bin)
"""

import base64
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import pytest
import requests
import tensorflow as tf

from model_server import ModelServer

COMMON = ["--file_system_poll_wait_seconds", "0.05", "--tensorflow_library", "none"]
RANDOM = np.random.default_rng(5)
v1 = tf.compat.v1


def weights(*shape):
    return RANDOM.normal(0, 0.5, shape).astype(np.float32)


def example(**features):
    """A serialized Example; a feature's list is of the kind of its first value."""
    made = tf.train.Example()
    for name, values in features.items():
        values = np.atleast_1d(values).tolist() if not isinstance(values, (bytes, list)) else values
        values = [values] if isinstance(values, bytes) else values
        feature = made.features.feature[name]
        kind = {bytes: feature.bytes_list, float: feature.float_list, int: feature.int64_list}[type(values[0])]
        kind.value.extend(values)
    return made.SerializeToString()


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def close(found, wanted):
    assert np.shape(found) == wanted.shape
    assert wanted.std() > 1e-4, "the answers should differ"
    assert np.abs(np.asarray(found) - wanted).max() < 1e-5


def answers(version, strings, signature="serving_default"):
    """{output: array} of TensorFlow."""
    run = tf.saved_model.load(str(version)).signatures[signature]
    name = list(run.structured_input_signature[1])[0] if run.structured_input_signature[1] else "inputs"
    return {key: value.numpy() for key, value in run(**{name: tf.constant(strings)}).items()}


class Parsed(tf.Module):
    """Every kind of dense feature, with and without defaults."""

    def __init__(self):
        super().__init__()
        self.image_kernel = tf.Variable(weights(3, 3, 3, 4))
        self.table = tf.Variable(weights(7, 4))
        self.dense = tf.Variable(weights(4 + 4 + 2 + 6, 5))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        parsed = tf.io.parse_example(examples, {
            "image": tf.io.FixedLenFeature([], tf.string),
            "word": tf.io.FixedLenFeature([], tf.int64, default_value=2),
            "pair": tf.io.FixedLenFeature([2], tf.float32, default_value=[0.25, -1.5]),
            "grid": tf.io.FixedLenFeature([2, 3], tf.float32),
            "note": tf.io.FixedLenFeature([], tf.string, default_value="none"),
        })
        image = tf.reshape(tf.io.decode_raw(parsed["image"], tf.uint8), [-1, 6, 5, 3])
        image = tf.nn.relu(tf.nn.conv2d(tf.cast(image, tf.float32) / 255.0, self.image_kernel, 1, "VALID"))
        word = tf.gather(self.table, parsed["word"])
        everything = tf.concat([tf.reduce_mean(image, [1, 2]), word, parsed["pair"], tf.reshape(parsed["grid"], [-1, 6])], 1)
        logits = tf.matmul(everything, self.dense)
        return {"logits": logits, "scores": tf.nn.softmax(logits)}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    base = tmp_path_factory.mktemp("parsed")
    module = Parsed()
    tf.saved_model.save(module, str(base / "1"), signatures=module.serve)
    with ModelServer(base, "m", *COMMON) as server:
        yield base / "1", server


def parsed_examples(count):
    random = np.random.default_rng(11)
    strings = []
    for i in range(count):
        features = {"image": random.integers(0, 256, 90, np.uint8).tobytes(), "grid": random.normal(size=6).astype(np.float32).tolist()}
        if i % 2 == 0:
            features["word"] = [int(random.integers(0, 7))]
        if i % 3 == 0:
            features["pair"] = random.normal(size=2).tolist()
        if i % 4 == 0:
            features["other"] = [1, 2, 3]
        strings.append(example(**features))
    return strings


def test_examples_in_every_form(parsed):
    version, server = parsed
    strings = parsed_examples(7)
    wanted = answers(version, strings)
    url = server.url + "/v1/models/m:predict"
    bodies = [b64(s) for s in strings]
    for instances in [bodies, [{"examples": b} for b in bodies]]:
        rows = requests.post(url, json={"instances": instances}).json()["predictions"]
        for key in wanted:
            close([row[key] for row in rows], wanted[key])
    for inputs in [bodies, {"examples": bodies}]:
        columns = requests.post(url, json={"inputs": inputs}).json()["outputs"]
        for key in wanted:
            close(columns[key], wanted[key])
    for inputs in [bodies[0], {"examples": bodies[0]}]:
        close(requests.post(url, json={"inputs": inputs}).json()["outputs"]["logits"], wanted["logits"][:1])
    invocation = requests.post(server.url + "/invocations", json={"instances": bodies})
    close([row["scores"] for row in invocation.json()["predictions"]], wanted["scores"])
    lines = "\n".join(json.dumps(b) for b in bodies)
    answer = requests.post(server.url + "/invocations", data=lines, headers={"Content-Type": "application/jsonlines"})
    close([row["scores"] for row in answer.json()["predictions"]], wanted["scores"])


def test_metadata_says_string(parsed):
    _, server = parsed
    definition = requests.get(server.url + "/v1/models/m/metadata").json()["metadata"]["signature_def"]["signature_def"]["serving_default"]
    examples = definition["inputs"]["examples"]
    assert examples["dtype"] == "DT_STRING" and [d["size"] for d in examples["tensor_shape"]["dim"]] == ["-1"]


WRONG = [
    ("no example", b"\x0a\xff\xff", "row 1: malformed tf.Example"),
    ("half an example", example(image=b"x" * 90, grid=[0.0] * 6)[:-3], "row 1: malformed tf.Example"),
    ("empty", b"", "row 1: feature 'image' (data type: string) is required but could not be found"),
    ("a feature is missing", example(image=b"x" * 90), "row 1: feature 'grid' (data type: float) is required"),
    ("too few values", example(image=b"x" * 90, grid=[0.0] * 5), "feature 'grid': found 5 values, wanted 6"),
    ("too many values", example(image=b"x" * 90, grid=[0.0] * 7), "feature 'grid': found 7 values, wanted 6"),
    ("another type", example(image=b"x" * 90, grid=[1] * 6), "feature 'grid': found int64, wanted float"),
    ("bytes for a number", example(image=b"x" * 90, grid=[0.0] * 6, word=b"7"), "feature 'word': found bytes, wanted int64"),
    ("too few pixels", example(image=b"x" * 89, grid=[0.0] * 6), "feature 'image': 89 bytes, wanted 90 (uint8 of shape (None, 6, 5, 3))"),
    ("two images", example(image=[b"x" * 90, b"x" * 90], grid=[0.0] * 6), "feature 'image': found 2 values, wanted 1"),
]


@pytest.mark.parametrize("what,string,message", WRONG, ids=[w[0] for w in WRONG])
def test_wrong_strings_are_refused_as_tensorflow_does(parsed, what, string, message):
    version, server = parsed
    good = parsed_examples(1)[0]
    with pytest.raises((tf.errors.OpError, UnicodeDecodeError)):  # its message holds the bytes, which Python cannot show
        answers(version, [good, string])
    for body in [{"instances": [b64(good), b64(string)]}, {"inputs": {"examples": [b64(good), b64(string)]}}]:
        answer = requests.post(server.url + "/v1/models/m:predict", json=body)
        assert answer.status_code == 400
        assert "input 'examples', " in answer.json()["error"] and message in answer.json()["error"]


def test_other_bodies_are_refused(parsed):
    _, server = parsed
    url = server.url + "/v1/models/m:predict"
    for body, message in [({"instances": [5]}, "not of expected type: string"), ({"instances": [["a"]]}, "not of expected type: string"),
                          ({"instances": [{"b64": "*"}]}, "no base64"), ({"instances": [{"b64": 3}]}, ""), ({"inputs": 7}, "not of expected type: string"),
                          ({"instances": [{"examples": {"b64": "AA", "x": 1}}]}, "found an object"), ({"instances": []}, "empty list")]:
        answer = requests.post(url, json=body)
        assert answer.status_code == 400 and message in answer.json()["error"], answer.text
    for media, data in [("text/csv", "1,2"), ("application/x-npy", "x"), ("application/octet-stream", "x")]:
        answer = requests.post(server.url + "/invocations", data=data, headers={"Content-Type": media})
        assert answer.status_code == 400 and "is strings; send JSON" in answer.json()["error"]
    assert requests.get(server.url + "/ping").status_code == 200


# ---------------------------------------------------------------------------------------------- TensorFlow 1's graphs


def servo(base, with_image):
    """As an Estimator of TensorFlow 1 exports: a placeholder, parsed, and signatures by build_tensor_info."""
    with v1.Graph().as_default(), v1.Session() as session:
        serialized = v1.placeholder(tf.string, [None], "input_example_tensor")
        features = {"x": tf.io.FixedLenFeature([4], tf.float32), "n": tf.io.FixedLenFeature([1], tf.int64, default_value=[3])}
        if with_image:
            features["image"] = tf.io.FixedLenFeature([], tf.string)
        parsed = v1.parse_example(serialized, features)
        x = tf.concat([parsed["x"], tf.cast(parsed["n"], tf.float32) / 50.0], 1)
        if with_image:
            pixels = tf.reshape(tf.cast(v1.decode_raw(parsed["image"], tf.uint8), tf.float32), [-1, 12])
            x = tf.concat([x, pixels / 255.0], 1)
        kernel = v1.get_variable("kernel", initializer=weights(x.shape[1], 3), use_resource=False)
        logits = tf.matmul(x, kernel)
        scores, value = tf.nn.softmax(logits), tf.reduce_sum(logits, 1, keepdims=True)
        batch = tf.shape(scores)[0]
        names = ["cat", "caf\u00e9 \"\u20ac\"", ""] if with_image else tf.as_string(tf.range(3))
        classes = tf.tile(tf.expand_dims(names, 0), [batch, 1])
        best = tf.expand_dims(tf.argmax(logits, -1), -1)
        session.run(v1.global_variables_initializer())
        info = v1.saved_model.utils.build_tensor_info
        builder = v1.saved_model.Builder(str(base))
        signature = v1.saved_model.signature_def_utils.build_signature_def
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map={
            "serving_default": signature({"inputs": info(serialized)}, {"classes": info(classes), "scores": info(scores)}, "tensorflow/serving/classify"),
            "predict": signature({"examples": info(serialized)}, {
                "scores": info(scores), "logits": info(logits), "class_ids": info(best), "classes": info(tf.as_string(best)), "all_classes": info(classes),
                "all_class_ids": info(tf.tile(tf.expand_dims(tf.range(3), 0), [batch, 1]))}, "tensorflow/serving/predict"),
            "regression": signature({"inputs": info(serialized)}, {"outputs": info(value)}, "tensorflow/serving/regress"),
        })
        builder.save()


@pytest.fixture(scope="module", params=[False, True], ids=["numbers", "image"])
def estimator(request, tmp_path_factory):
    base = tmp_path_factory.mktemp("job") / "export" / "Servo"
    base.mkdir(parents=True)
    servo(base / "1583246123", request.param)
    with ModelServer(base, "m", *COMMON) as server:
        yield base / "1583246123", server, request.param


def features_of(count, with_image):
    random = np.random.default_rng(3)
    rows = []
    for i in range(count):
        row = {"x": random.normal(size=4).round(3).tolist()}
        if i % 2:
            row["n"] = [int(random.integers(0, 5))]
        if with_image:
            row["image"] = random.integers(0, 256, 12, np.uint8).tobytes()
        rows.append(row)
    return rows


def as_json(row):
    return {key: b64(value) if isinstance(value, bytes) else value for key, value in row.items()}


def test_an_estimators_signatures(estimator):
    version, server, with_image = estimator
    rows = features_of(5, with_image)
    strings = [example(**row) for row in rows]
    wanted = answers(version, strings, "predict")
    url = server.url + "/v1/models/m"
    predicted = requests.post(url + ":predict", json={"signature_name": "predict", "instances": [b64(s) for s in strings]}).json()
    close([p["logits"] for p in predicted["predictions"]], wanted["logits"])
    assert len(set(wanted["class_ids"].ravel())) > 1
    for name in ["class_ids", "classes", "all_classes", "all_class_ids"]:
        value = wanted[name] if wanted[name].dtype != object else np.vectorize(bytes.decode)(wanted[name])
        assert [p[name] for p in predicted["predictions"]] == value.tolist(), name
    columns = requests.post(url + ":predict", json={"inputs": [b64(s) for s in strings]}).json()["outputs"]
    labels = np.vectorize(bytes.decode)(wanted["all_classes"]).tolist()
    assert columns["classes"] == labels
    answer = requests.post(url + ":classify", json={"examples": [as_json(row) for row in rows]}).json()
    close([[score for _, score in row] for row in answer["results"]], wanted["scores"])
    assert [[label for label, _ in row] for row in answer["results"]] == labels
    answer = requests.post(url + ":regress", json={"signature_name": "regression", "examples": [as_json(row) for row in rows]}).json()
    close(np.array(answer["results"])[:, None], answers(version, strings, "regression")["outputs"])


def test_a_context_fills_in_what_examples_lack(estimator):
    version, server, with_image = estimator
    rows = features_of(4, with_image)
    context = {"n": [4], "x": [9.5, 9.5, 9.5, 9.5]}
    wanted = answers(version, [example(**{**context, **row}) for row in rows], "predict")["scores"]
    body = {"examples": [as_json(row) for row in rows], "context": as_json(context)}
    answer = requests.post(server.url + "/v1/models/m:classify", json=body).json()
    close([[score for _, score in row] for row in answer["results"]], wanted)


def test_wrong_examples_of_classify(estimator):
    _, server, with_image = estimator
    row = features_of(1, with_image)[0]
    for change, message in [({"x": [1, 2, 3, 4]}, "feature 'x': found int64, wanted float"), ({"x": [1.0, 2]}, "of several kinds"),
                            ({"x": []}, "feature 'x' (data type: float) is required"), ({"x": None}, "is no number"),
                            ({"n": [1, 2]}, "found 2 values, wanted 1"), ({"n": 18446744073709551615}, "no int64"), ({"x": [[1.0]]}, "is no number"),
                            ({"x": {"b64": "*"}}, "no base64")]:
        answer = requests.post(server.url + "/v1/models/m:classify", json={"examples": [{**as_json(row), **change}]})
        assert answer.status_code == 400 and message in answer.json()["error"], answer.text
    assert requests.post(server.url + "/v1/models/m:classify", json={"examples": [5]}).status_code == 400


# ------------------------------------------------------------------------------------------------- strings of raw bytes


class Raw(tf.Module):
    def __init__(self, dtype, first):
        super().__init__()
        self.kernel = tf.Variable(weights(24, 3))
        self.dtype, self.first = dtype, first

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="bytes")])
    def serve(self, bytes):
        raw = tf.io.decode_raw(bytes, self.dtype)
        if self.first == "cast":
            x = tf.reshape(tf.cast(raw, tf.float32), [-1, 2, 12])
        else:
            x = tf.cast(tf.reshape(raw, tf.stack([tf.shape(raw)[0], 2, 12])), tf.float32)
        return {"y": tf.matmul(tf.reshape(x, [-1, 24]) / 100.0, self.kernel)}


@pytest.mark.parametrize("first", ["cast", "reshape"])
@pytest.mark.parametrize("dtype", [tf.uint8, tf.int32, tf.int64, tf.float32])
def test_raw_bytes(dtype, first, tmp_path):
    module = Raw(dtype, first)
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.serve)
    rows = [np.random.default_rng(i).integers(0, 256, 24).astype(dtype.as_numpy_dtype).tobytes() for i in range(5)]
    wanted = answers(tmp_path / "1", rows)["y"]
    with ModelServer(tmp_path, "m", *COMMON) as server:
        url = server.url + "/v1/models/m:predict"
        close(requests.post(url, json={"instances": [b64(r) for r in rows]}).json()["predictions"], wanted)
        close(requests.post(url, json={"instances": [{"bytes": b64(r)} for r in rows]}).json()["predictions"], wanted)
        answer = requests.post(url, json={"instances": [b64(rows[0]), b64(rows[1][:-1])]})
        size = 24 * dtype.size
        assert answer.status_code == 400 and f"row 1: {size - 1} bytes, wanted {size}" in answer.json()["error"]


def test_plain_text_is_its_bytes(tmp_path):
    module = Raw(tf.uint8, "cast")
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.serve)
    texts = ["abcdefghijklmnopqrstuvwx", "\"\\\n\t caf\u00e9, 20 \u20ac, \U0001f600"]
    assert [len(text.encode()) for text in texts] == [24, 24]
    wanted = answers(tmp_path / "1", [text.encode() for text in texts])["y"]
    with ModelServer(tmp_path, "m", *COMMON) as server:
        for body in [{"instances": texts}, {"inputs": texts}, {"inputs": {"bytes": texts}}]:
            answer = requests.post(server.url + "/v1/models/m:predict", json=body).json()
            close(answer.get("predictions") or answer.get("outputs"), wanted)
        one = requests.post(server.url + "/v1/models/m:predict", json={"inputs": texts[1]}).json()
        close(one["outputs"], wanted[1:])


# ------------------------------------------------------------------------------------------------------ what is refused


def refused(tmp_path, function, spec=tf.TensorSpec([None], tf.string, name="x")):
    module = tf.Module()
    module.serve = tf.function(function, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.serve)
    with pytest.raises(RuntimeError) as error:
        with ModelServer(tmp_path, "m", *COMMON, "--max_num_load_retries", "0"):
            pass
    return str(error.value)


def test_a_signature_of_other_strings_is_refused_and_the_others_served(tmp_path):
    """As classifiers with a vocabulary export them: a table makes labels of class numbers."""
    class Both(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="x")])
        def classes(self, x):
            return {"classes": tf.strings.lower(x)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="x")])
        def numbers(self, x):
            return {"y": tf.reshape(tf.io.decode_raw(x, tf.float32), [-1, 2])}

    module = Both()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.classes, "numbers": module.numbers})
    with ModelServer(tmp_path, "m", *COMMON) as server:
        assert "signature 'serving_default' is not served" in server.text() and "(StringLower)" in server.text()
        row = np.array([1.5, -2], np.float32)
        url = server.url + "/v1/models/m:predict"
        assert requests.post(url, json={"signature_name": "numbers", "instances": [b64(row.tobytes())]}).json()["predictions"] == [[1.5, -2.0]]
        answer = requests.post(url, json={"signature_name": "serving_default", "instances": [b64(b"x")]})
        assert answer.status_code == 400 and 'Serving signature name: "serving_default" not found' in answer.json()["error"]


def test_images_are_refused_by_name(tmp_path):
    def decode(x):
        return {"y": tf.cast(tf.reshape(tf.io.decode_jpeg(x[0], channels=3), [-1, 4, 4, 3]), tf.float32)}
    text = refused(tmp_path, decode)
    assert "node '" in text and "StridedSlice" in text or "DecodeJpeg" in text


def test_sparse_features_are_refused_by_name(tmp_path):
    def parse(x):
        parsed = tf.io.parse_example(x, {"s": tf.io.VarLenFeature(tf.float32), "d": tf.io.FixedLenFeature([2], tf.float32)})
        return {"y": parsed["d"] + tf.sparse.to_dense(parsed["s"])[:, :1]}
    assert "(ParseExampleV2): it parses 1 sparse and 0 ragged features" in refused(tmp_path, parse)


def test_bytes_of_no_fixed_size_are_refused_by_name(tmp_path):
    def decode(x):
        return {"y": tf.cast(tf.io.decode_raw(x, tf.uint8), tf.float32) * 2.0}
    assert "whose size only a Reshape of fixed shape tells" in refused(tmp_path, decode)
