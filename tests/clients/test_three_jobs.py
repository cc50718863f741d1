"""The workflow's three jobs (baseline, Pipe mode, two instances under Horovod) through whichever SDK the environment has: v1, v2 or v3.

On the whole data set, where the distributed job reaches the baseline's training accuracy (some minutes an SDK on two cores):
  headrace dataset cifar10 --data-dir DIR && HEADRACE_BIN=$PWD/build/release/bin CIFAR10_DATA=DIR \
    build/venv/sdk2/bin/python -m pytest -s tests/clients/test_three_jobs.py
"""
import importlib.metadata
import os
import pathlib
import re
import shutil
import sys

import pytest

import seed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from distributed import needs_mpi  # noqa: E402

WHOLE = os.environ.get("CIFAR10_DATA")
MAJOR = int(importlib.metadata.version("sagemaker").split(".")[0])
SECONDS = 7200 if WHOLE else 600
SETTINGS = {"epochs": 10, "batch-size": 256, "seed": 1} if WHOLE else {"epochs": 2, "batch-size": 32, "seed": 1}
# In Pipe mode nobody can count the records beforehand.
RECORDS = dict(zip(("train-records", "validation-records", "eval-records"), (40000, 10000, 10000) if WHOLE else (1600, 400, 400)))
EPOCH = re.compile(r" - accuracy: (\S+) - val_loss: \S+ - val_accuracy: ")
CHANNELS = ("train", "validation", "eval")
IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:2.19.0-cpu-py312"


def start_with_estimator(source, data, name, hyperparameters, pipe=False, hosts=1):
    """SDK v1.72 and v2, which differ in the spelling of four parameters."""
    from sagemaker import get_execution_role
    from sagemaker.tensorflow import TensorFlow
    train = "train_" if MAJOR == 1 else ""
    distribution = {"distributions" if MAJOR == 1 else "distribution": {"mpi": {"enabled": True, "processes_per_host": 1}}}
    estimator = TensorFlow(
        base_job_name=name, entry_point="keras_cifar10.cpp", source_dir=str(source), role=get_execution_role(), framework_version="1.15.2",
        py_version="py3", hyperparameters=hyperparameters, metric_definitions=seed.METRIC_DEFINITIONS,
        input_mode="Pipe" if pipe else "File", **{f"{train}instance_count": hosts, f"{train}instance_type": "ml.m5.xlarge"},
        **(distribution if hosts > 1 else {}))
    estimator.fit({channel: f"{data}/{channel}" for channel in CHANNELS}, wait=False)
    return estimator.latest_training_job.name


def start_with_trainer(source, data, name, hyperparameters, pipe=False, hosts=1):
    """SDK v3, whose trainers have metrics by a method; beside a command it does not pass hyperparameters on."""
    from sagemaker.core.helper.session_helper import get_execution_role
    from sagemaker.core.shapes import MetricDefinition
    from sagemaker.core.training.configs import Compute, InputData, SourceCode
    from sagemaker.train import ModelTrainer
    from sagemaker.train.distributed import MPI
    command = "headrace run keras_cifar10.cpp " + " ".join(f"--{option} {value}" for option, value in hyperparameters.items())
    trainer = ModelTrainer(
        role=get_execution_role(), base_job_name=name, training_image=IMAGE, hyperparameters=hyperparameters,
        training_input_mode="Pipe" if pipe else "File",
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=hosts, volume_size_in_gb=30),
        **({"source_code": SourceCode(source_dir=str(source), entry_script="keras_cifar10.cpp"), "distributed": MPI(process_count_per_node=1)}
           if hosts > 1 else {"source_code": SourceCode(source_dir=str(source), command=command)}))
    trainer.with_metric_definitions([MetricDefinition(name=one["Name"], regex=one["Regex"]) for one in seed.METRIC_DEFINITIONS])
    trainer.train(input_data_config=[InputData(channel_name=channel, data_source=f"{data}/{channel}") for channel in CHANNELS],
                  wait=False, logs=False)
    return trainer._latest_training_job.training_job_name


def learnt(boto, name):
    """Training accuracy of every epoch, from the log: the metrics' last values are those of the evaluation at the end."""
    sagemaker = boto("sagemaker")
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS})
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} >= {"train:accuracy", "validation:accuracy"}
    events = boto("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/algo-1")["events"]
    accuracies = [float(found[1]) for found in (EPOCH.search(event["message"]) for event in events) if found]
    assert len(accuracies) == SETTINGS["epochs"], events[-20:]
    print(f"SDK v{MAJOR} {name:44} {job['TrainingTimeInSeconds']:5} s  accuracy {' '.join(f'{accuracy:.3f}' for accuracy in accuracies)}")
    return accuracies


@pytest.fixture
def data(server, cifar10, boto):
    directory, s3, bucket = pathlib.Path(WHOLE) if WHOLE else cifar10, boto("s3"), f"three-jobs-v{MAJOR}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for channel in CHANNELS:
        s3.upload_file(str(directory / channel / f"{channel}.tfrecords"), bucket, f"{channel}/{channel}.tfrecords")
    return f"s3://{bucket}"


@needs_mpi
@pytest.mark.parity("the three jobs, side by side", sdk=(1, 2, 3))
def test_three_jobs_learn_alike(data, boto, tmp_path):
    shutil.copy(seed.SOURCE_DIR / "keras_cifar10.cpp", tmp_path)
    start = start_with_trainer if MAJOR >= 3 else start_with_estimator
    jobs = {"baseline": {}, "pipe": {"pipe": True}, "distributed": {"hosts": 2}}
    trained = {}
    for kind, options in jobs.items():  # one after the other: each has all the cores
        name = start(tmp_path, data, f"cifar10-{kind}", {**SETTINGS, **RECORDS}, **options)
        trained[kind] = learnt(boto, name)
    last = {kind: accuracies[-1] for kind, accuracies in trained.items()}
    if WHOLE:
        assert max(last.values()) - min(last.values()) < 0.01
    else:  # two instances make half the steps, which on 1,600 images is half the learning
        assert trained["pipe"] == pytest.approx(trained["baseline"], abs=0.03)
        assert all(accuracies[-1] > accuracies[0] for accuracies in trained.values())
