"""The model server's gRPC services, driven by TensorFlow Serving's own client stubs; and warm-up files written by them.

usage: pytest tests/tensorflow/test_grpc.py    HEADRACE_BIN: where the programs are (build/release/bin)
"""

import os
import pathlib
import shutil
import subprocess
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import (classification_pb2, get_model_metadata_pb2, get_model_status_pb2, inference_pb2, model_management_pb2,
                                     model_service_pb2_grpc, predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc,
                                     regression_pb2)

from model_server import BIN, ModelServer


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return directory / "cnn"


@pytest.fixture(scope="module")
def images(exported):
    return np.load(exported / "inputs.npy"), np.load(exported / "scores.npy")


class Client:
    def __init__(self, server):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    base = tmp_path_factory.mktemp("m")
    shutil.copytree(exported / "1", base / "1")
    with ModelServer(base, "m", "--file_system_poll_wait_seconds", "0.05", grpc=True) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    return Client(server)


def predict_request(x, name="m", **spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    for key, value in spec.items():
        if key == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, key, value)
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(x))
    return request


def check(found, wanted):
    assert np.shape(found) == wanted.shape
    assert np.abs(np.asarray(found) - wanted).max() < 1e-5


def refused(call, request, code, text):
    with pytest.raises(grpc.RpcError) as error:
        call(request)
    assert error.value.code() == code, error.value.details()
    assert text in error.value.details()


def test_predict(client, images):
    x, wanted = images
    answer = client.prediction.Predict(predict_request(x[:5]))
    check(tf.make_ndarray(answer.outputs["scores"]), wanted[:5])
    assert (answer.model_spec.name, answer.model_spec.version.value, answer.model_spec.signature_name) == ("m", 1, "serving_default")
    typed = predict_request(x[:1])
    typed.inputs["image"].ClearField("tensor_content")
    typed.inputs["image"].float_val.extend(x[:1].ravel().tolist())
    check(tf.make_ndarray(client.prediction.Predict(typed).outputs["scores"]), wanted[:1])
    filtered = predict_request(x[:1], version=1)
    filtered.output_filter.append("scores")
    assert list(client.prediction.Predict(filtered).outputs) == ["scores"]


def test_many_calls_at_once(client, images):
    x, wanted = images
    calls = [(i, client.prediction.Predict.future(predict_request(x[i:i + 1 + i % 3]))) for i in range(60)]
    for i, call in calls:
        check(tf.make_ndarray(call.result(30).outputs["scores"]), wanted[i:i + 1 + i % 3])


def test_wrong_predicts_get_the_right_code(client, images):
    x, _ = images
    predict, code = client.prediction.Predict, grpc.StatusCode
    refused(predict, predict_request(x[:1], name="nobody"), code.NOT_FOUND, "Servable not found for request: Latest(nobody)")
    refused(predict, predict_request(x[:1], version=9), code.NOT_FOUND, "Servable not found for request: Specific(m, 9)")
    refused(predict, predict_request(x[:1], version_label="stable"), code.INVALID_ARGUMENT, "Unrecognized servable version label: stable")
    refused(predict, predict_request(x[:1], signature_name="no"), code.FAILED_PRECONDITION, 'Serving signature key "no" not found.')
    refused(predict, predict_request(x[:1, :5]), code.INVALID_ARGUMENT, "found shape (1, 5, 32, 3), wanted (None, 32, 32, 3)")
    refused(predict, predict_request(x[:1].astype(np.float64)), code.INVALID_ARGUMENT, "found DT_DOUBLE, wanted DT_FLOAT")
    refused(predict, predict_request(["a"]), code.INVALID_ARGUMENT, "found DT_STRING, wanted DT_FLOAT")
    refused(predict, predict_pb2.PredictRequest(), code.INVALID_ARGUMENT, "Missing ModelSpec")
    other = predict_request(x[:1])
    other.inputs["picture"].CopyFrom(other.inputs["image"])
    refused(predict, other, code.INVALID_ARGUMENT, "Sent extra: {picture}. Missing but required: {}.")
    other = predict_request(x[:1])
    other.output_filter.append("no")
    refused(predict, other, code.INVALID_ARGUMENT, "output tensor alias not found in signature: no")
    short = predict_request(x[:2])
    short.inputs["image"].tensor_content = short.inputs["image"].tensor_content[:-1]
    refused(predict, short, code.INVALID_ARGUMENT, "bytes of content")


def test_classify_and_regress(client, images):
    x, wanted = images
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "m"
    for image in x[:2]:
        request.input.example_list.examples.add().features.feature["image"].float_list.value.extend(image.ravel().tolist())
    answer = client.prediction.Classify(request)
    check([[c.score for c in row.classes] for row in answer.result.classifications], wanted[:2])
    regress = regression_pb2.RegressionRequest(model_spec=request.model_spec, input=request.input)
    refused(client.prediction.Regress, regress, grpc.StatusCode.INVALID_ARGUMENT, "Expected output Tensor shape")
    refused(client.prediction.Classify, classification_pb2.ClassificationRequest(model_spec=request.model_spec),
            grpc.StatusCode.INVALID_ARGUMENT, "Input is empty.")


def test_multi_inference(client, images):
    x, wanted = images
    request = inference_pb2.MultiInferenceRequest()
    task = request.tasks.add(method_name="tensorflow/serving/classify")
    task.model_spec.name = "m"
    for image in x[:2]:
        request.input.example_list.examples.add().features.feature["image"].float_list.value.extend(image.ravel().tolist())
    results = client.prediction.MultiInference(request).results
    assert [r.model_spec.signature_name for r in results] == ["serving_default"]
    check([[c.score for c in row.classes] for row in results[0].classification_result.classifications], wanted[:2])
    request.tasks.add().CopyFrom(task)
    refused(client.prediction.MultiInference, request, grpc.StatusCode.INVALID_ARGUMENT, "Duplicate evaluation of signature")
    del request.tasks[:]
    refused(client.prediction.MultiInference, request, grpc.StatusCode.INVALID_ARGUMENT, "at least one task")


def test_metadata_and_status(client):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "m"
    answer = client.prediction.GetModelMetadata(request)
    assert answer.model_spec.version.value == 1
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert [d.size for d in signature.inputs["image"].tensor_shape.dim] == [-1, 32, 32, 3]
    assert signature.outputs["scores"].dtype == tf.float32.as_datatype_enum
    request.metadata_field[:] = ["other"]
    refused(client.prediction.GetModelMetadata, request, grpc.StatusCode.INVALID_ARGUMENT, "Metadata field other is not supported")
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "m"
    versions = client.model.GetModelStatus(status).model_version_status
    assert [(v.version, v.state, v.status.error_code) for v in versions] == [(1, get_model_status_pb2.ModelVersionStatus.AVAILABLE, 0)]
    status.model_spec.name = "nobody"
    refused(client.model.GetModelStatus, status, grpc.StatusCode.NOT_FOUND, "Could not find any versions of model nobody")


def test_requests_are_counted_by_entry_point(server, client, images):
    client.prediction.Predict(predict_request(images[0][:1]))
    text = requests.get(server.url + "/metrics").text
    assert 'request_latency_count{model_name="m",API="predict",entrypoint="GRPC"}' in text


def reload_request(*models):
    request = model_management_pb2.ReloadConfigRequest()
    for name, path in models:
        request.config.model_config_list.config.add(name=name, base_path=str(path), model_platform="tensorflow")
    return request


def test_a_new_configuration_replaces_the_old_one(exported, images, tmp_path):
    x, wanted = images
    for name in ["a", "b"]:
        shutil.copytree(exported / "1", tmp_path / name / "1")
    with ModelServer(tmp_path / "a", "a", "--file_system_poll_wait_seconds", "0.05", grpc=True) as server:
        client = Client(server)
        failures, stop = [], threading.Event()

        def load():  # model a is served all the time
            while not stop.is_set():
                try:
                    check(tf.make_ndarray(client.prediction.Predict(predict_request(x[:2], name="a")).outputs["scores"]), wanted[:2])
                except Exception as error:
                    failures.append(error)
                    return
        thread = threading.Thread(target=load)
        thread.start()
        answer = client.model.HandleReloadConfigRequest(reload_request(("a", tmp_path / "a"), ("b", tmp_path / "b")))
        assert answer.status.error_code == 0, answer.status.error_message
        check(tf.make_ndarray(client.prediction.Predict(predict_request(x[:2], name="b")).outputs["scores"]), wanted[:2])
        answer = client.model.HandleReloadConfigRequest(reload_request(("a", tmp_path / "a")))
        assert answer.status.error_code == 0
        refused(client.prediction.Predict, predict_request(x[:1], name="b"), grpc.StatusCode.NOT_FOUND, "Latest(b)")
        stop.set()
        thread.join()
        assert not failures, failures[0]
        for request, text in [(reload_request(("c", "relative")), "not absolute"), (reload_request(("a", tmp_path / "a"), ("a", tmp_path / "b")), "two models"),
                              (model_management_pb2.ReloadConfigRequest(), "model_config_list"),
                              (reload_request(("a", tmp_path / "a"), ("c", tmp_path / "none")), "no version in")]:
            answer = client.model.HandleReloadConfigRequest(request)
            assert answer.status.error_code != 0 and text in answer.status.error_message


def write_warm_up(version, requests_):
    (version / "assets.extra").mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(version / "assets.extra/tf_serving_warmup_requests")) as writer:
        for request in requests_:
            writer.write(prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request)).SerializeToString())


def test_warm_up_requests_run_before_a_version_serves(exported, images, tmp_path):
    shutil.copytree(exported / "1", tmp_path / "1")
    write_warm_up(tmp_path / "1", [predict_request(images[0][:n], name="") for n in [1, 8]])
    with ModelServer(tmp_path, "m") as server:
        assert "2 recorded requests" in server.text()
    write_warm_up(tmp_path / "1", [predict_request(images[0][:1, :5])])
    with ModelServer(tmp_path, "m", "--no-strict") as server:
        status = requests.get(server.url + "/v1/models/m").json()["model_version_status"][0]
        assert status["state"] == "END" and "record 1: input 'image': found shape" in status["status"]["error_message"]
    with ModelServer(tmp_path, "m", "--enable_model_warmup", "false") as server:
        assert requests.get(server.url + "/ping").status_code == 200


# ------------------------------------------------------------------------------------------------------------- strings


class OfExamples(tf.Module):
    """Four numbers and an image of twelve bytes, out of serialized Examples."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(3).normal(size=(16, 3)).astype(np.float32))

    def scores(self, examples):
        parsed = tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([4], tf.float32), "image": tf.io.FixedLenFeature([], tf.string)})
        pixels = tf.cast(tf.reshape(tf.io.decode_raw(parsed["image"], tf.uint8), [-1, 12]), tf.float32) / 255.0
        return tf.matmul(tf.concat([parsed["x"], pixels], 1), self.kernel)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        scores = tf.nn.softmax(self.scores(inputs))
        return {"scores": scores, "classes": tf.tile([["a", "b", "\xe7"]], [tf.shape(scores)[0], 1])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs):
        return {"outputs": self.scores(inputs)[:, :1]}


def image_example(number):
    random = np.random.default_rng(number)
    made = tf.train.Example()
    made.features.feature["x"].float_list.value.extend(random.normal(size=4))
    made.features.feature["image"].bytes_list.value.append(random.integers(0, 256, 12, np.uint8).tobytes())
    return made


@pytest.fixture(scope="module")
def of_examples(tmp_path_factory):
    base = tmp_path_factory.mktemp("of_examples")
    module = OfExamples()
    tf.saved_model.save(module, str(base / "1"), signatures={"serving_default": module.classify, "regress": module.regress})
    examples = [image_example(i) for i in range(4)]
    strings = [e.SerializeToString() for e in examples]
    wanted = module.classify(tf.constant(strings))["scores"].numpy(), module.regress(tf.constant(strings))["outputs"].numpy()
    with ModelServer(base, "m", "--tensorflow_library", "none", grpc=True) as running:
        yield Client(running), examples, strings, wanted


def strings_request(strings, shape=None):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto(strings, tf.string, shape))
    return request


def test_predict_on_strings(of_examples):
    client, _, strings, (scores, _) = of_examples
    check(tf.make_ndarray(client.prediction.Predict(strings_request(strings)).outputs["scores"]), scores)
    classes = tf.make_ndarray(client.prediction.Predict(strings_request(strings[:2])).outputs["classes"])
    assert classes.tolist() == [[b"a", b"b", "\xe7".encode()]] * 2
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    refused(client.prediction.Predict, strings_request([strings[0], b"\x0a\xff\xff"]), invalid, "input 'inputs', row 1: malformed tf.Example")
    refused(client.prediction.Predict, strings_request([strings[0], b""]), invalid, "row 1: feature 'image' (data type: string) is required")
    refused(client.prediction.Predict, strings_request(strings, [2, 2]), invalid, "found shape (2, 2), wanted (None,)")
    fewer = strings_request(strings)
    fewer.inputs["inputs"].string_val.pop()
    refused(client.prediction.Predict, fewer, invalid, "3 strings in string_val for shape (4,), wanted 4")
    numbers = strings_request(strings)
    numbers.inputs["inputs"].CopyFrom(tf.make_tensor_proto([1.0]))
    refused(client.prediction.Predict, numbers, invalid, "found DT_FLOAT, wanted DT_STRING")


def test_classify_and_regress_on_strings(of_examples):
    client, examples, _, (scores, values) = of_examples
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "m"
    request.input.example_list.examples.extend(examples)
    answer = client.prediction.Classify(request)
    check([[c.score for c in row.classes] for row in answer.result.classifications], scores)
    assert [[c.label for c in row.classes] for row in answer.result.classifications] == [["a", "b", "\xe7"]] * 4
    regress = regression_pb2.RegressionRequest()
    regress.model_spec.name, regress.model_spec.signature_name = "m", "regress"
    regress.input.example_list.examples.extend(examples)
    check([[r.value] for r in client.prediction.Regress(regress).result.regressions], values)


def test_a_context_of_strings(of_examples):
    client, examples, _, (scores, _) = of_examples
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "m"
    listed = request.input.example_list_with_context
    listed.context.features.feature["x"].CopyFrom(examples[2].features.feature["x"])
    listed.examples.extend(examples)
    del listed.examples[2].features.feature["x"]
    check([[c.score for c in row.classes] for row in client.prediction.Classify(request).result.classifications], scores)
    listed.ClearField("context")
    refused(client.prediction.Classify, request, grpc.StatusCode.INVALID_ARGUMENT, "row 2: feature 'x' (data type: float) is required")


def test_both_tasks_on_the_same_examples(of_examples):
    client, examples, _, (scores, values) = of_examples
    request = inference_pb2.MultiInferenceRequest()
    for method, signature in [("classify", "serving_default"), ("regress", "regress")]:
        task = request.tasks.add(method_name="tensorflow/serving/" + method)
        task.model_spec.name, task.model_spec.signature_name = "m", signature
    request.input.example_list.examples.extend(examples)
    first, second = client.prediction.MultiInference(request).results
    check([[c.score for c in row.classes] for row in first.classification_result.classifications], scores)
    check([[r.value] for r in second.regression_result.regressions], values)


def test_outputs_of_whole_numbers(tmp_path):
    class Numbers(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
        def serve(self, x):
            return {"largest": tf.argmax(x, 1), "cut": tf.cast(x, tf.int32)}

    module = Numbers()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.serve)
    x = np.random.default_rng(1).normal(0, 9, (6, 4)).astype(np.float32)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(x))
    with ModelServer(tmp_path, "m", "--tensorflow_library", "none", grpc=True) as running:
        outputs = Client(running).prediction.Predict(request).outputs
    for name, value in module.serve(x).items():
        found = tf.make_ndarray(outputs[name])
        assert found.dtype == value.numpy().dtype and np.array_equal(found, value.numpy())
