"""Horovod in Python on two instances, by the SDK's `distribution`: Keras on TensorFlow, and PyTorch, with the `horovod` that the
platform brings where there is no other. Run by one of the SDKs' environments; the jobs' Python is that of tests/requirements."""
import os
import pathlib
import re
import shutil
import tarfile
import time

import boto3
import pytest

from platform_fixtures import ROOT

sagemaker = pytest.importorskip("sagemaker")
pytestmark = pytest.mark.skipif(shutil.which("mpirun") is None, reason="Open MPI (openmpi-bin) is not installed")
ENVIRONMENTS = pathlib.Path(os.environ.get("HEADRACE_ENVIRONMENTS", ROOT / "build/venv"))

KERAS = """
import os
import keras
import numpy as np
import horovod.keras as hvd

hvd.init()
print("horovod", hvd.rank(), "of", hvd.size(), "local", hvd.local_size(), "cross", hvd.cross_size(), flush=True)
keras.utils.set_random_seed(hvd.rank())
random = np.random.default_rng(0)
x = random.normal(size=(64, 8)).astype("float32")[hvd.rank()::hvd.size()]
y = x.sum(axis=1) > 0
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(hvd.DistributedOptimizer(keras.optimizers.Adam(0.01 * hvd.size())), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=8, epochs=3, verbose=2 if hvd.rank() == 0 else 0, callbacks=[
    hvd.callbacks.BroadcastGlobalVariablesCallback(0), hvd.callbacks.MetricAverageCallback(),
    hvd.callbacks.LearningRateWarmupCallback(0.02, warmup_epochs=2, verbose=1)])
sums = hvd.allgather_object([float(abs(w).sum()) for w in model.get_weights()])
assert sums[0] == sums[1], sums
print("final loss: %.4f" % history.history["loss"][-1], flush=True)
if hvd.rank() == 0:
    model.save(os.path.join(os.environ["SM_MODEL_DIR"], "model.keras"))
"""

TORCH = """
import os
import torch
import horovod.torch as hvd

hvd.init()
print("horovod", hvd.rank(), "of", hvd.size(), "local", hvd.local_size(), "cross", hvd.cross_size(), flush=True)
torch.manual_seed(hvd.rank())
model = torch.nn.Linear(4, 1)
optimizer = hvd.DistributedOptimizer(torch.optim.SGD(model.parameters(), 0.1), model.named_parameters())
hvd.broadcast_parameters(model.state_dict(), root_rank=0)
for _ in range(10):
    optimizer.zero_grad()
    x = torch.randn(8, 4)
    torch.nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
    optimizer.step()
weights = hvd.allgather_object([p.tolist() for p in model.parameters()])
assert weights[0] == weights[1], weights
if hvd.rank() == 0:
    torch.save(model.state_dict(), os.path.join(os.environ["SM_MODEL_DIR"], "model.keras"))
"""

RAISES = """
import numpy
import horovod.torch as hvd
import torch

hvd.init()
if hvd.rank() == 1:
    raise ValueError("record 7 is corrupt")
hvd.allreduce(torch.zeros(3), name="loss")
"""


def python_of(framework):
    python = ENVIRONMENTS / framework / "bin/python"
    if not python.exists():
        pytest.skip(f"there is no {python} (scripts/setup --python --torch)")
    return str(python)


@pytest.fixture(scope="module")
def estimate(make_server, tmp_path_factory):
    """estimate(framework, program): the job, its log, and the names in its model."""
    servers = {}

    def run(framework, program):
        from sagemaker.tensorflow import TensorFlow

        if framework not in servers:
            servers[framework] = make_server("--python", python_of(framework))
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(servers[framework].client_environment())
        source = tmp_path_factory.mktemp("source")
        (source / "train.py").write_text(program)
        keys = {name.lower(): os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}  # boto3 keeps the first it saw
        session = sagemaker.Session(boto_session=boto3.Session(region_name=os.environ["AWS_DEFAULT_REGION"], **keys))
        version_1 = sagemaker.__version__.startswith("1.")
        instances, distribution = (("train_instance_count", "train_instance_type"), "distributions") if version_1 else (
            ("instance_count", "instance_type"), "distribution")
        estimator = TensorFlow(
            entry_point="train.py", source_dir=str(source), role="arn:aws:iam::000000000000:role/headrace", framework_version="2.1.0",
            py_version="py3", sagemaker_session=session, metric_definitions=[{"Name": "loss", "Regex": r"final loss: ([0-9.]+)"}],
            **dict(zip(instances, (2, "ml.m5.large"))), **{distribution: {"mpi": {"enabled": True, "processes_per_host": 1}}})
        estimator.fit(wait=False)
        name, client, deadline = estimator.latest_training_job.name, session.sagemaker_client, time.monotonic() + 240
        while (job := client.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] == "InProgress":
            assert time.monotonic() < deadline
            time.sleep(0.3)
        events = session.boto_session.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/algo-1")["events"]
        model = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
        names = []
        if job["TrainingJobStatus"] == "Completed":
            bucket, key = re.fullmatch(r"s3://([^/]+)/(.+)", model).groups()
            archive = tmp_path_factory.mktemp("model") / "model.tar.gz"
            session.boto_session.client("s3").download_file(bucket, key, str(archive))
            names = tarfile.open(archive).getnames()
        return job, [event["message"] for event in events], names

    return run


@pytest.mark.parametrize("framework, program", [("tensorflow", KERAS), ("torch", TORCH)])
def test_two_instances_train_one_model(estimate, framework, program):
    job, log, names = estimate(framework, program)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    for rank, host in enumerate(["algo-1", "algo-2"]):
        assert f"[1,mpirank:{rank},{host}]<stdout>:horovod {rank} of 2 local 1 cross 2" in log, log
    assert "model.keras" in names
    if framework == "tensorflow":
        assert any("finished gradual learning rate warmup to 0.02" in line for line in log), log
        assert [metric["MetricName"] for metric in job["FinalMetricDataList"]] == ["loss"]


def test_an_exception_of_one_rank_is_the_jobs_reason(estimate):
    job, log, _ = estimate("torch", RAISES)
    assert job["TrainingJobStatus"] == "Failed" and "ValueError: record 7 is corrupt" in job["FailureReason"], (job.get("FailureReason"), log)
