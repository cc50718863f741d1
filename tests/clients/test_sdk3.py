"""The story with SageMaker Python SDK v3: ModelTrainer instead of estimators."""
import pathlib
import shutil
import struct
import sys

import pytest

import seed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from distributed import needs_mpi  # noqa: E402

pytest.importorskip("sagemaker.train")


@pytest.fixture(scope="module")
def trainer(server, cifar10, tmp_path_factory):
    from sagemaker.core.helper.session_helper import Session, get_execution_role
    from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
    from sagemaker.train import ModelTrainer
    import boto3

    session = Session()
    bucket = session.default_bucket()
    for channel in ("train", "validation", "eval"):
        boto3.client("s3").upload_file(str(cifar10 / channel / f"{channel}.tfrecords"), bucket,
                                       f"{seed.PREFIX}/data/{channel}/{channel}.tfrecords")
    source = tmp_path_factory.mktemp("source")
    shutil.copy(seed.SOURCE_DIR / "keras_cifar10.cpp", source)
    trainer = ModelTrainer(
        sagemaker_session=session, role=get_execution_role(), base_job_name="cifar10-v3",
        training_image="763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:2.19.0-cpu-py312",
        source_code=SourceCode(source_dir=str(source), command="headrace run keras_cifar10.cpp --epochs 2 --batch-size 32"),
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30))
    trainer.train(input_data_config=[
        InputData(channel_name=channel, data_source=f"s3://{bucket}/{seed.PREFIX}/data/{channel}")
        for channel in ("train", "validation", "eval")], wait=True, logs=True)
    return trainer


@pytest.mark.parity(
    "`Session`, `default_bucket()`, `get_execution_role()`",
    "`ModelTrainer(…).train()` with the log",
    "`InputData`, `SourceCode`, `Compute`")
def test_train_completes(trainer, boto):
    name = trainer._latest_training_job.training_job_name
    job = boto("sagemaker").describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    events = boto("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/")["events"]
    assert any("val_accuracy" in event["message"] for event in events)


def ended(client, name):
    """The job once it has ended, and its log."""
    sagemaker = client("sagemaker")
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 240})
    events = client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")["events"]
    return sagemaker.describe_training_job(TrainingJobName=name), "\n".join(event["message"] for event in events)


def halves(records):
    """Two files of TFRecords of one."""
    data, starts, at = records.read_bytes(), [], 0
    while at < len(data):
        starts.append(at)
        at += 16 + struct.unpack_from("<Q", data, at)[0]
    middle = starts[len(starts) // 2]
    return data[:middle], data[middle:], len(starts)


@needs_mpi
@pytest.mark.parity("`Compute(instance_count=2)` with `distributed=MPI(…)`")
def test_two_instances_with_the_sdks_own_mpi_driver(trainer, cifar10, boto):
    """`distributed=MPI(…)`: the SDK's scripts look for sshd and paramiko on every instance, and get doors."""
    from sagemaker.core.shapes import S3DataSource
    from sagemaker.core.training.configs import Compute, InputData, SourceCode
    from sagemaker.train import ModelTrainer
    from sagemaker.train.distributed import MPI

    bucket = trainer.sagemaker_session.default_bucket()
    first, second, count = halves(cifar10 / "train/train.tfrecords")
    for name, part in ("a", first), ("b", second):
        boto("s3").put_object(Bucket=bucket, Key=f"{seed.PREFIX}/shards/{name}.tfrecords", Body=part)
    two = ModelTrainer(
        sagemaker_session=trainer.sagemaker_session, role=trainer.role, base_job_name="cifar10-v3-mpi", training_image=trainer.training_image,
        source_code=SourceCode(source_dir=trainer.source_code.source_dir, entry_script="keras_cifar10.cpp"),
        hyperparameters={"epochs": 1, "batch-size": 32, "seed": 1},
        compute=Compute(instance_type="ml.m5.large", instance_count=2, volume_size_in_gb=1),
        distributed=MPI(process_count_per_node=1, mpi_additional_options=["-x", "HEADRACE_ISA=portable"]))
    shards = S3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{bucket}/{seed.PREFIX}/shards", s3_data_distribution_type="ShardedByS3Key")
    two.train(input_data_config=[InputData(channel_name="train", data_source=shards)] + [
        InputData(channel_name=channel, data_source=f"s3://{bucket}/{seed.PREFIX}/data/{channel}") for channel in ("validation", "eval")],
        wait=False, logs=False)
    job, log = ended(boto, two._latest_training_job.training_job_name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    assert "Running MPI Driver" in log and "mpi_utils.py: Headrace's own starts the ranks" in log
    ranks_steps = f"{count // 32 // 2}/{count // 32 // 2}"  # of both instances' records, half of them each
    assert f"[1,mpirank:0,algo-1]<stdout>:{ranks_steps}" in log, log
    boto("s3").head_object(Bucket=bucket, Key=job["ModelArtifacts"]["S3ModelArtifacts"].split(f"{bucket}/")[1])


@pytest.mark.parity("no telemetry to Amazon")
def test_it_reports_nothing_to_amazon(server, monkeypatch):
    """With the variables of `headrace env`: the SDK would send account, call and the reason of a failure."""
    import threading

    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.telemetry import telemetry_logging
    sent = []
    monkeypatch.setattr(telemetry_logging, "_requests_helper", lambda url, timeout: sent.append(url))

    class Any:
        sagemaker_session = Session()

        @telemetry_logging._telemetry_emitter(next(iter(telemetry_logging.Feature)), "call")
        def call(self):
            return 1
    assert Any().call() == 1
    for thread in threading.enumerate():  # it sends from threads of its own
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(5)
    assert sent == []
