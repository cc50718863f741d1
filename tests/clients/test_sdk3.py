"""The story with SageMaker Python SDK v3: ModelTrainer instead of estimators."""
import shutil

import pytest

import seed

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
