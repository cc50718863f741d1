"""Training scripts as people have them (scripts/), on tiny data, each through the SDK that its like is run with. Every
environment runs those of its own SDK; what a script needs that this machine lacks is said."""
import csv
import importlib.metadata
import io
import json
import os
import pathlib
import random
import shutil
import tarfile
import time
import zipfile

import pytest

from platform_fixtures import ROOT

SDK = int(importlib.metadata.version("sagemaker").split(".")[0])
SCRIPTS = pathlib.Path(__file__).parent / "scripts"
ENVIRONMENTS = ROOT / "build/venv"
# An interpreter with TensorFlow 1.15, which ends at Python 3.7: where a machine has one, this names it.
TENSORFLOW_1 = os.environ.get("HEADRACE_TENSORFLOW_1_PYTHON", str(ENVIRONMENTS / "tensorflow1/bin/python"))
REGISTRY = "763104351884.dkr.ecr.us-west-2.amazonaws.com"


@pytest.fixture(autouse=True)
def _only_with_its_sdk(request):
    sdks = request.node.get_closest_marker("parity").kwargs["sdk"]
    if SDK not in sdks:
        pytest.skip(f"run by SDK v{sdks[0]}")


@pytest.fixture(scope="module")
def frameworks(server):
    """frameworks("sklearn", PYTHON): registers an interpreter with the platform, or skips."""
    known = set()

    def register(requirement, python, *, remedy):
        if not pathlib.Path(python).exists():
            pytest.skip(f"{requirement} is not on this machine: {remedy}")
        if requirement not in known:
            server.add_python(requirement, python)
            known.add(requirement)
    return register


@pytest.fixture(scope="module")
def points(server):
    """The S3 address of 200 points of a square, labelled by the diagonal that parts them."""
    import boto3
    table, draw = io.StringIO(), random.Random(1)
    writer = csv.writer(table)
    writer.writerow(["a", "b", "label"])
    for _ in range(200):
        a, b = draw.random(), draw.random()
        writer.writerow([f"{a:.4f}", f"{b:.4f}", int(a > b)])
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="points", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_object(Bucket="points", Key="data/points.csv", Body=table.getvalue())
    return "s3://points/data"


class Job:
    """A job that has ended: its description, its log, the files of its model and output archives."""

    def __init__(self, name):
        import boto3
        client, deadline = boto3.client("sagemaker"), time.monotonic() + 300
        while (described := client.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] in ("InProgress", "Stopping"):
            assert time.monotonic() < deadline, name
            time.sleep(0.1)  # the SDKs look every thirty seconds
        self.described, self.status, self.reason = described, described["TrainingJobStatus"], described.get("FailureReason", "")
        pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/")
        self.log = "\n".join(event["message"] for page in pages for event in page["events"])

    def files(self, archive="model.tar.gz"):
        import boto3
        bucket, key = self.described["ModelArtifacts"]["S3ModelArtifacts"][len("s3://"):].split("/", 1)
        body = boto3.client("s3").get_object(Bucket=bucket, Key=key.replace("model.tar.gz", archive))["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as packed:
            return {member.name.lstrip("./"): packed.extractfile(member).read() for member in packed if member.isfile()}

    def completed(self):
        assert self.status == "Completed", f"{self.reason}\n{self.log}"
        return self


@pytest.fixture
def estimate(server):
    """estimate(sagemaker.sklearn.SKLearn, "sklearn", inputs, …): the job of an estimator of v1 or v2, ended."""
    def run(kind, source, inputs=None, entry_point="train.py", **more):
        from sagemaker import get_execution_role
        names = ("train_instance_count", "train_instance_type") if SDK == 1 else ("instance_count", "instance_type")
        estimator = kind(entry_point=entry_point, source_dir=str(SCRIPTS / source if isinstance(source, str) else source), role=get_execution_role(),
                         **dict(zip(names, (1, "ml.m5.xlarge"))), **more)
        estimator.fit(inputs, wait=False)
        return Job(estimator.latest_training_job.name)
    return run


@pytest.fixture
def train(server):
    """train("keras3", image, inputs, …): the job of v3's ModelTrainer, ended."""
    def run(source, image, inputs=None, *, checkpoints=None, **more):
        from sagemaker.core.helper.session_helper import Session, get_execution_role
        from sagemaker.core.training.configs import CheckpointConfig, Compute, InputData, SourceCode
        from sagemaker.train import ModelTrainer
        trainer = ModelTrainer(
            sagemaker_session=Session(), role=get_execution_role(), training_image=f"{REGISTRY}/{image}",
            source_code=SourceCode(source_dir=str(SCRIPTS / source), entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30), **more)
        if checkpoints:
            trainer.with_checkpoint_config(CheckpointConfig(s3_uri=checkpoints))
        trainer.train(input_data_config=[InputData(channel_name=name, data_source=uri) for name, uri in (inputs or {}).items()], wait=False)
        return Job(trainer._latest_training_job.training_job_name)
    return run


@pytest.mark.parity("an Estimator of TensorFlow 1.15", sdk=(1,))
def test_an_estimator_of_tensorflow_1(frameworks, estimate, points):
    frameworks("tensorflow==1.15", TENSORFLOW_1, remedy="it wants Python 3.7; name one that has it in HEADRACE_TENSORFLOW_1_PYTHON")
    from sagemaker.tensorflow import TensorFlow
    job = estimate(TensorFlow, "estimator", {"train": points}, framework_version="1.15.2", py_version="py3", hyperparameters={"steps": 150},
                   metric_definitions=[{"Name": "accuracy", "Regex": r"accuracy = ([0-9.]+)"}, {"Name": "loss", "Regex": r"loss = ([0-9.]+)"}]).completed()
    final = {metric["MetricName"]: metric["Value"] for metric in job.described["FinalMetricDataList"]}
    assert final["accuracy"] > 0.9 and "loss" in final
    assert any(name.startswith("export/Servo/") and name.endswith("/saved_model.pb") for name in job.files())
    assert any(name.startswith("estimator/model.ckpt-150") for name in job.files("output.tar.gz"))


@pytest.mark.parity("tf.keras of TensorFlow 2, with a GradientTape", sdk=(2,))
def test_tf_keras_with_a_step_of_its_own(frameworks, estimate, points):
    frameworks("tensorflow==2.21", ENVIRONMENTS / "tensorflow/bin/python", remedy="scripts/setup --python")
    from sagemaker.tensorflow import TensorFlow
    job = estimate(TensorFlow, "tfkeras", {"training": points}, framework_version="2.14.1", py_version="py310", model_dir=False,
                   hyperparameters={"epochs": 12, "units": 8, "learning-rate": 0.05},
                   metric_definitions=[{"Name": "accuracy", "Regex": "Accuracy: ([0-9.]+)"}]).completed()
    assert "Epoch 12, Loss:" in job.log and job.described["FinalMetricDataList"][0]["Value"] > 0.9
    assert "00000001/saved_model.pb" in job.files()


@pytest.mark.parity("Keras 3", sdk=(3,))
def test_keras_3(frameworks, train, points):
    frameworks("tensorflow==2.21", ENVIRONMENTS / "tensorflow/bin/python", remedy="scripts/setup --python")
    job = train("keras3", "tensorflow-training:2.19.0-cpu-py312", {"train": points}, hyperparameters={"epochs": 12}).completed()
    assert "final accuracy:" in job.log
    assert {"model.keras", "1/saved_model.pb"} <= set(job.files()) and b"val_accuracy" in job.files("output.tar.gz")["log.csv"]


@pytest.mark.parity("`PyTorch(…)`", sdk=(2,))
def test_pytorch(frameworks, estimate, points):
    frameworks("torch", ENVIRONMENTS / "torch/bin/python", remedy="scripts/setup --torch")
    from sagemaker.pytorch import PyTorch
    job = estimate(PyTorch, "pytorch", {"training": points}, framework_version="2.3", py_version="py311", hyperparameters={"epochs": 5, "lr": 0.5},
                   metric_definitions=[{"Name": "loss", "Regex": "Average loss: ([0-9.]+)"}]).completed()
    assert job.described["FinalMetricDataList"][0]["Value"] < 0.6 and "model.pth" in job.files()


@pytest.mark.parity("`SKLearn(…)`", sdk=(1,))
def test_scikit_learn(frameworks, estimate, points):
    frameworks("scikit-learn", ENVIRONMENTS / "sklearn/bin/python", remedy="scripts/setup --sdks")
    from sagemaker.sklearn import SKLearn
    job = estimate(SKLearn, "sklearn", {"train": points}, framework_version="0.23-1", hyperparameters={"max_leaf_nodes": 30},
                   metric_definitions=[{"Name": "train:accuracy", "Regex": "train_accuracy=([0-9.]+);"}]).completed()
    assert job.described["FinalMetricDataList"][0]["Value"] > 0.9 and "model.joblib" in job.files()


@pytest.mark.parity("`XGBoost(…)` with a script", sdk=(2,))
def test_xgboost(frameworks, estimate, points):
    frameworks("xgboost", ENVIRONMENTS / "sklearn/bin/python", remedy="scripts/setup --sdks")
    from sagemaker.xgboost import XGBoost
    job = estimate(XGBoost, "xgboost", {"train": points}, framework_version="1.7-1",
                   hyperparameters={"max_depth": 3, "eta": 0.5, "objective": "binary:logistic", "num_round": 5}).completed()
    assert "train-logloss" in job.log and b"binary:logistic" in job.files()["xgboost-model.json"]


@pytest.mark.parity("a shell script as entry point", sdk=(1,))
def test_a_shell_script(estimate, points):
    from sagemaker.tensorflow import TensorFlow
    job = estimate(TensorFlow, "shell", {"train": points}, entry_point="train.sh", framework_version="1.15.2", py_version="py3",
                   hyperparameters={"rate": 0.5, "name": "a b"}).completed()
    assert "rows=200" in job.log and "--name a b" in job.log and "--rate 0.5" in job.log
    model = json.loads(job.files()["model.json"])
    assert 0.4 < model["mean"] < 0.6 and model["hosts"] == ["algo-1"]


@pytest.mark.parity("`requirements.txt`", sdk=(2,))
def test_requirements_are_installed(estimate, tmp_path):
    from sagemaker.tensorflow import TensorFlow
    source = shutil.copytree(SCRIPTS / "requirements", tmp_path / "source")
    (source / "wheels").mkdir()
    with zipfile.ZipFile(source / "wheels/greetings-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greetings.py", "__version__ = '1.2'\n\n\ndef hello(name):\n    return 'hello ' + name\n")
        wheel.writestr("greetings-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: greetings\nVersion: 1.2\n")
        wheel.writestr("greetings-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("greetings-1.2.dist-info/RECORD", "")
    job = estimate(TensorFlow, source, framework_version="2.14.1", py_version="py310").completed()
    assert "hello requirements" in job.log and json.loads(job.files()["model.json"]) == {"version": "1.2"}


@pytest.mark.parity("`source_dir` with packages and a setup.py", sdk=(2,))
def test_packages_and_a_setup_py(estimate):
    from sagemaker.tensorflow import TensorFlow
    job = estimate(TensorFlow, "packages", framework_version="2.14.1", py_version="py310", hyperparameters={"values": [0.25, 0.75], "unused": 1}).completed()
    assert json.loads(job.files()["model.json"]) == [False, True] and "'--unused', '1'" in job.log


@pytest.mark.parity("checkpoints, resumed by the next job", sdk=(3,))
def test_a_checkpoint_is_resumed_by_the_next_job(train, server):
    import boto3
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    image = "tensorflow-training:2.19.0-cpu-py312"
    lost = train("checkpoint", image, hyperparameters={"stop-after": 2}, checkpoints="s3://kept/run")
    assert lost.status == "Failed" and "the machine is taken away" in lost.log, lost.reason
    job = train("checkpoint", image, checkpoints="s3://kept/run").completed()
    assert "resumed from epoch 2" in job.log and "epoch 2 weight" not in job.log
    assert json.loads(job.files()["model.json"]) == {"epoch": 4, "weight": 0.0625}
    assert {entry["Key"] for entry in s3.list_objects_v2(Bucket="kept")["Contents"]} == {f"run/epoch-{epoch}.json" for epoch in range(1, 5)}
