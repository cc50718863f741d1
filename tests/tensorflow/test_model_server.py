"""The model server as a process: TensorFlow Serving's REST interface, SageMaker's container, reload, hostile requests.

usage: pytest tests/tensorflow/test_model_server.py    HEADRACE_BIN: where the programs are (build/release/bin)
"""

import base64
import gzip
import http.client
import io
import json
import os
import shutil
import subprocess
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import pytest
import requests
import tensorflow as tf

import hostile_requests
from model_server import BIN, ModelServer

COMMON = ["--max_body_bytes", str(32 << 20), "--file_system_poll_wait_seconds", "0.05"]


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return directory / "cnn"


@pytest.fixture(scope="module")
def base(exported, tmp_path_factory):
    base = tmp_path_factory.mktemp("m")
    shutil.copytree(exported / "1", base / "1")
    return base


@pytest.fixture(scope="module")
def server(base):
    with ModelServer(base, "m", *COMMON) as running:
        yield running


@pytest.fixture(scope="module")
def images(exported):
    return np.load(exported / "inputs.npy"), np.load(exported / "scores.npy")


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def check(found, wanted):
    assert np.shape(found) == wanted.shape
    assert np.abs(np.asarray(found) - wanted).max() < 1e-5


def test_predict_in_every_form(server, images):
    x, wanted = images
    url = server.url + "/v1/models/m:predict"
    rows = requests.post(url, json={"instances": x[:3].tolist()})
    assert rows.headers["Content-Type"] == "application/json"
    check(rows.json()["predictions"], wanted[:3])
    check(requests.post(url, json={"instances": [{"image": i} for i in x[:3].tolist()]}).json()["predictions"], wanted[:3])
    check(requests.post(url, json={"signature_name": "serving_default", "inputs": x[:3].tolist()}).json()["outputs"], wanted[:3])
    check(requests.post(url, json={"inputs": {"image": x[:3].tolist()}}).json()["outputs"], wanted[:3])
    check(requests.post(url + "", data=gzip.compress(json.dumps({"instances": x[:3].tolist()}).encode()), headers={"Content-Encoding": "gzip"}).json()["predictions"], wanted[:3])
    raw = [{"b64": base64.b64encode(i.tobytes()).decode()} for i in x[:3]]
    check(requests.post(url, json={"instances": raw}).json()["predictions"], wanted[:3])
    for path in ["/v1/models/m/versions/1:predict", "/V1/Models/m:Predict"]:
        check(requests.post(server.url + path, json={"instances": x[:1].tolist()}).json()["predictions"], wanted[:1])


def test_every_number_comes_back_as_the_same_float(server, images):
    x, _ = images
    url = server.url + "/v1/models/m:predict"
    answer = requests.post(url, data=npy(x), headers={"Content-Type": "application/x-npy", "Accept": "application/x-npy"})
    assert answer.headers["Content-Type"] == "application/x-npy"
    exact = np.load(io.BytesIO(answer.content))
    text = requests.post(url, data=npy(x), headers={"Content-Type": "application/x-npy"})
    assert np.array_equal(np.array(text.json()["predictions"], np.float32), exact)
    raw = requests.post(url, data=x.tobytes(), headers={"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"})
    assert raw.headers["X-Tensor-Shape"] == "70,10"
    assert np.array_equal(np.frombuffer(raw.content, np.float32).reshape(70, 10), exact)


def test_classify_and_regress(server, images):
    x, wanted = images
    answer = requests.post(server.url + "/v1/models/m:classify", json={"examples": [{"image": i} for i in x[:2].tolist()]}).json()
    check([[score for _, score in row] for row in answer["results"]], wanted[:2])
    flat = {"examples": [{}, {"image": x[1].ravel().tolist()}], "context": {"image": x[0].ravel().tolist()}}
    answer = requests.post(server.url + "/v1/models/m:classify", json=flat).json()
    check([[score for _, score in row] for row in answer["results"]], wanted[:2])
    refused = requests.post(server.url + "/v1/models/m:regress", json={"examples": [{"image": x[0].tolist()}]})
    assert refused.status_code == 400 and "[batch_size, 1] but got (None, 10)" in refused.json()["error"]


class OfNumbers(tf.Module):
    """Whole numbers beside scores, as classifiers export them."""

    @tf.function(input_signature=[tf.TensorSpec([None, 3, 4], tf.float32, name="x")])
    def serve(self, x):
        largest = tf.argmax(x, -1)
        return {"scores": tf.nn.softmax(x), "largest": largest, "of_columns": tf.argmax(x, 1, output_type=tf.int32),
                "apart": tf.expand_dims(largest, -1), "cut": tf.cast(x * 100.0, tf.int32), "wide": tf.cast(x * 1e6, tf.int64)}

    @tf.function(input_signature=[tf.TensorSpec([None, 3, 4], tf.float32, name="x")])
    def only(self, x):
        return {"largest": tf.argmax(x, 2)}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    base = tmp_path_factory.mktemp("numbers")
    module = OfNumbers()
    tf.saved_model.save(module, str(base / "1"), signatures={"serving_default": module.serve, "only": module.only})
    x = np.random.default_rng(2).normal(size=(5, 3, 4)).astype(np.float32)
    x[0, 0] = 1.5  # the first of equals
    x[1, 1] = np.nan
    with ModelServer(base, "m", "--tensorflow_library", "none") as running:
        yield running, x, {name: value.numpy() for name, value in module.serve(x).items()}


def test_outputs_of_whole_numbers(numbers):
    server, x, wanted = numbers
    body = json.dumps({"instances": x.tolist()})
    rows = requests.post(server.url + "/v1/models/m:predict", data=body).json()["predictions"]
    for name, value in wanted.items():
        found = np.array([row[name] for row in rows])
        assert found.shape == value.shape
        if name == "scores":
            assert np.nanmax(np.abs(found - value)) < 1e-5
            continue
        assert found.dtype == np.int64, "JSON has integers"
        known = ~np.isnan(x) if name in ("cut", "wide") else np.ones(value.shape, bool)  # a NaN is no number
        assert np.array_equal(found[known], value[known]), name
    headers = {"X-Signature-Name": "only", "Content-Type": "application/x-npy", "Accept": "application/x-npy"}
    answer = requests.post(server.url + "/v1/models/m:predict", data=npy(x), headers=headers)
    largest = np.load(io.BytesIO(answer.content))
    assert largest.dtype == np.int64 and np.array_equal(largest, wanted["largest"])


def test_long_answers_are_compressed_for_who_asks(server, images):
    x, wanted = images
    answer = requests.post(server.url + "/v1/models/m:predict", json={"instances": x.tolist()}, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    check(answer.json()["predictions"], wanted)
    answer = requests.post(server.url + "/v1/models/m:predict", json={"instances": x.tolist()}, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    check(answer.json()["predictions"], wanted)


def test_status_metadata_and_lists(server):
    status = requests.get(server.url + "/v1/models/m").json()
    assert status == {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]}
    metadata = requests.get(server.url + "/v1/models/m/metadata").json()
    assert metadata["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    image = signature["inputs"]["image"]
    assert image["name"] == "image:0"
    assert image["dtype"] == "DT_FLOAT" and [d["size"] for d in image["tensor_shape"]["dim"]] == ["-1", "32", "32", "3"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert requests.get(server.url + "/v1/models").json() == {"models": ["m"]}
    assert requests.get(server.url + "/ping").status_code == 200


def test_metadata_is_the_savedmodels_own(tmp_path):
    """Signatures, with the names that tensors have in the graph, as TensorFlow Serving prints them."""
    import keras
    from google.protobuf import json_format
    from tensorflow.core.protobuf import saved_model_pb2
    keras.utils.set_random_seed(1)
    a, b = keras.Input((4,), name="a"), keras.Input((5, 5, 2), name="b")
    x = keras.layers.Concatenate()([a, keras.layers.GlobalAveragePooling2D()(b)])
    model = keras.Model([a, b], {"one": keras.layers.Dense(3)(x), "two": keras.layers.Dense(1, activation="tanh")(x)})
    model.export(str(tmp_path / "1"), verbose=False)
    saved = saved_model_pb2.SavedModel.FromString((tmp_path / "1" / "saved_model.pb").read_bytes())
    wanted = {}
    for name, definition in saved.meta_graphs[0].signature_def.items():
        wanted[name] = json_format.MessageToDict(definition, always_print_fields_with_no_presence=True, preserving_proto_field_name=True)
        wanted[name].pop("defaults", None)
    assert wanted["serving_default"]["outputs"]["one"]["name"].startswith("StatefulPartitionedCall")
    with ModelServer(tmp_path, "m", *COMMON) as server:
        answer = requests.get(server.url + "/v1/models/m/metadata").json()
    assert answer["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    assert answer["metadata"]["signature_def"]["signature_def"] == wanted


def test_sagemakers_container(server, images):
    x, wanted = images
    url = server.url + "/invocations"
    headers = {"Content-Type": "application/json"}
    post = lambda body, **extra: requests.post(url, data=body, headers={**headers, **extra})
    check(post(json.dumps({"instances": x[:2].tolist()})).json()["predictions"], wanted[:2])
    check(post(json.dumps(x[:2].tolist())).json()["predictions"], wanted[:2])
    check(post(json.dumps({"image": x[0].tolist()})).json()["predictions"], wanted[:1])
    lines = "\n".join(json.dumps({"image": i}) for i in x[:3].tolist())
    check(post(lines, **{"Content-Type": "application/jsonlines"}).json()["predictions"], wanted[:3])
    answer = post(json.dumps(x[:2].tolist()), Accept="application/jsonlines")
    assert answer.headers["Content-Type"] == "application/jsonlines" and "\n" not in answer.text
    csv = "\n".join(",".join(map(repr, map(float, i.ravel()))) for i in x[:2])
    check(post(csv, **{"Content-Type": "text/csv"}).json()["predictions"], wanted[:2])
    check(post(npy(x[:2]), **{"Content-Type": "application/x-npy"}).json()["predictions"], wanted[:2])
    attributes = {"X-Amzn-SageMaker-Custom-Attributes": "tfs-model-name=m,tfs-model-version=1,tfs-method=predict"}
    check(post(json.dumps(x[:1].tolist()), **attributes).json()["predictions"], wanted[:1])


def test_metrics_count_requests(server, images):
    url = server.url + "/v1/models/m:predict"
    def count(status):
        text = requests.get(server.url + "/monitoring/prometheus/metrics").text
        line = [l for l in text.splitlines() if l.startswith(f':tensorflow:serving:request_count{{model_name="m",status="{status}"}}')]
        return int(line[0].split()[-1]) if line else 0
    ok, bad = count("OK"), count("INVALID_ARGUMENT")
    requests.post(url, json={"instances": images[0][:1].tolist()})
    requests.post(url, json={})
    assert (count("OK"), count("INVALID_ARGUMENT")) == (ok + 1, bad + 1)
    text = requests.get(server.url + "/metrics").text
    assert 'request_latency_bucket{model_name="m",API="predict",entrypoint="REST",le="+Inf"}' in text


def test_hostile_requests_get_the_right_status(server, images):
    cases = list(hostile_requests.requests())
    assert len(cases) >= 200
    wrong = []
    for method, path, headers, body, status in cases:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            found = answer.status
            if found >= 400 and "error" not in json.loads(text):
                wrong.append((method, path, (body or b"")[:60], "no error member", text[:100]))
        except (BrokenPipeError, ConnectionResetError):
            found = 413  # the body was too large to be read to its end
        finally:
            connection.close()
        if found != status:
            wrong.append((method, path[:60], (body or b"")[:60], f"wanted {status}, found {found}", text[:200]))
    assert not wrong, "\n".join(map(str, wrong))
    x, wanted = images
    check(requests.post(server.url + "/v1/models/m:predict", json={"instances": x[:1].tolist()}).json()["predictions"], wanted[:1])


def test_reload_under_load_fails_no_request(exported, images, tmp_path):
    x, wanted = images
    shutil.copytree(exported / "1", tmp_path / "1")
    failures, served, stop = [], [], threading.Event()
    with ModelServer(tmp_path, "m", *COMMON) as server:
        def client():
            session = requests.Session()
            while not stop.is_set():
                answer = session.post(server.url + "/v1/models/m:predict", data=npy(x[:4]), headers={"Content-Type": "application/x-npy"})
                if answer.status_code != 200:
                    failures.append(answer.text)
                    return
                check(answer.json()["predictions"], wanted[:4])
                served.append(answer.headers["X-Model-Version"])
        threads = [threading.Thread(target=client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for version in ["2", "3"]:
            shutil.copytree(exported / "1", tmp_path / ("." + version))
            (tmp_path / ("." + version)).rename(tmp_path / version)
            deadline = 400
            while served[-1:] != [version] and deadline and not failures:
                deadline -= 1
                stop.wait(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        states = requests.get(server.url + "/v1/models/m").json()["model_version_status"]
    assert not failures, failures[0]
    assert served[-1] == "3" and {"1", "2"} <= set(served)
    assert [(s["version"], s["state"]) for s in states] == [("3", "AVAILABLE"), ("2", "END"), ("1", "END")]


def test_configuration_file_with_labels(exported, images, tmp_path):
    x, wanted = images
    for version in ["1", "2"]:
        shutil.copytree(exported / "1", tmp_path / "models" / version)
    config = tmp_path / "models.config"
    config.write_text(f"""model_config_list {{ config {{ name: "cifar" base_path: "{tmp_path}/models" model_platform: "tensorflow"
        model_version_policy {{ all {{}} }} version_labels {{ key: "stable" value: 1 }} }} }}""")
    batching = tmp_path / "batching"
    batching.write_text("max_batch_size { value: 8 } batch_timeout_micros { value: 1000 } num_batch_threads { value: 2 } max_enqueued_batches { value: 100 }")
    flags = ["--model_config_file", config, "--enable_batching", "--batching_parameters_file", batching]
    with ModelServer(None, "", *flags) as server:
        url = server.url + "/v1/models/cifar"
        answer = requests.post(url + "/labels/stable:predict", json={"instances": x[:1].tolist()})
        assert answer.headers["X-Model-Version"] == "1"
        check(answer.json()["predictions"], wanted[:1])
        assert requests.post(url + ":predict", json={"instances": x[:1].tolist()}).headers["X-Model-Version"] == "2"
        answer = requests.post(url + ":predict", json={"instances": x[:9].tolist()})
        assert answer.status_code == 400 and "larger than maximum" in answer.json()["error"]


def test_command_lines_of_tensorflow_serving(exported, tmp_path):
    shutil.copytree(exported / "1", tmp_path / "m" / "1")
    (tmp_path / "models.config").write_text(f'model_config_list {{ config {{ name: "m" base_path: "{tmp_path}/m" }} }}')
    (tmp_path / "monitoring.config").write_text('prometheus_config { enable: true path: "/my/metrics" }')
    flags = [f"--model_config_file={tmp_path}/models.config", "--max_num_load_retries=0", "--enable_batching=true", "--grpc_max_threads=4",
             "--rest_api_timeout_in_ms=30000", "--tensorflow_inter_op_parallelism=1", f"--monitoring_config_file={tmp_path}/monitoring.config"]
    with ModelServer(None, "", *flags) as server:
        assert requests.get(server.url + "/v1/models/m").status_code == 200
        assert "# TYPE :tensorflow:serving:request_count" in requests.get(server.url + "/my/metrics").text


# With the value that asks for nothing, every flag of tensorflow_model_server 2 that means nothing here.
SERVING_FLAGS = """--allow_version_labels_for_unavailable_models=true --saved_model_tags=serve --ssl_config_file= --platform_config_file= --grpc_channel_arguments=
    --enable_profiler=true --use_tflite_model=false --xla_cpu_compilation_enabled=false --thread_pool_factory_config_file= --mixed_precision= --num_tflite_pools=1
    --grpc_channel_arguments=grpc.max_connection_age_ms=2000 --flush_filesystem_caches=true --prefer_tflite_model=false --tensorflow_session_config_file=
    --remove_unused_fields_from_bundle_metagraph --per_process_gpu_memory_fraction=0.5 --num_load_threads=4 --num_unload_threads=4 --skip_initialize_tpu=False
    --use_alts_credentials=false --enable_per_model_batching_parameters=false --enable_grpc_healthcheck_service=0 --grpc_socket_path= --load_retry_interval_micros=1000""".split()
REFUSED_FLAGS = ["--ssl_config_file=/etc/tls", "--platform_config_file=/x", "--use_tflite_model=true", "--saved_model_tags=serve,gpu", "--use_alts_credentials",
                 "--thread_pool_factory_config_file=/x", "--tensorflow_session_config_file=/x", "--enable_grpc_healthcheck_service=true", "--enable_profiler=maybe"]


def test_flags_that_mean_nothing_here_are_named_once(base):
    with ModelServer(base, "m", *SERVING_FLAGS) as server:
        assert requests.get(server.url + "/v1/models/m").status_code == 200
        assert server.text().count("without effect: ") == 1
        assert "--enable_profiler" in server.text()


@pytest.mark.parametrize("flag", REFUSED_FLAGS)
def test_flags_that_ask_for_what_is_not_here_are_refused_by_it(base, flag):
    done = subprocess.run([BIN / "headrace", "model-server", "--model_base_path", base, flag], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and flag.split("=")[0] in done.stderr
    assert "it asks for" in done.stderr or "wanted true or false" in done.stderr


def test_the_version_is_printed():
    done = subprocess.run([BIN / "headrace", "model-server", "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("headrace ")


def test_labels_of_absent_versions(exported, tmp_path):
    shutil.copytree(exported / "1", tmp_path / "m" / "1")
    config = tmp_path / "models.config"
    config.write_text(f"""model_config_list {{ config {{ name: "m" base_path: "{tmp_path}/m" model_platform: "tensorflow" version_labels {{ key: "canary" value: 2 }} }} }}""")
    done = subprocess.run([BIN / "headrace", "model-server", "--model_config_file", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Request to assign label to version 2 of model m, which is not currently available for inference" in done.stderr
    with ModelServer(None, "", "--model_config_file", config, "--allow_version_labels_for_unavailable_models=true") as server:
        assert requests.get(server.url + "/v1/models/m").status_code == 200


def test_npy_in_every_order_and_type(server, images):
    x = np.round(images[0][:3]).astype(np.float32)  # whole numbers up to 255: exact in every type
    def ask(path, array):
        answer = requests.post(server.url + path, data=npy(array), headers={"Content-Type": "application/x-npy", "Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return np.array(answer.json()["predictions"])
    for path in ["/v1/models/m:predict", "/invocations"]:
        wanted = ask(path, x)
        for form in [np.asfortranarray(x), x.T.copy().T, *(x.astype(kind) for kind in ["<f2", ">f2", ">f4", "<f8", ">f8", "|u1", "<i2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8"]),
                     np.asfortranarray(x.astype(">i8")), np.asfortranarray(x.astype("<f2")), np.asfortranarray(x.astype("u1"))]:
            np.testing.assert_allclose(ask(path, form), wanted, rtol=1e-5, err_msg=str(form.dtype))


def test_an_absent_model_ends_the_server_with_a_reason(tmp_path):
    (tmp_path / "1").mkdir()
    done = subprocess.run([BIN / "headrace", "model-server", "--model_name", "m", "--model_base_path", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"model 'm': no version in {tmp_path}" in done.stderr
