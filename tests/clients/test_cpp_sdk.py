"""The SDK in C++: the notebook's story by examples/cifar10/workflow.cpp, with the sample of the data set."""
import re
import shutil
import subprocess

import pytest

import seed
from platform_fixtures import BIN

EVAL_RECORDS = 400
HOSTS = 2 if shutil.which("mpirun") else 1  # of the third job, which one host does without
JOBS = 3 if HOSTS > 1 else 2


@pytest.fixture(scope="module")
def story(server, cifar10):
    """What the workflow printed. Its jobs are small: an epoch of the sample."""
    done = subprocess.run(
        [BIN / "workflow", "--data", cifar10, "--source", seed.SOURCE_DIR, "--epochs", "1", "--batch-size", "32", "--hosts", str(HOSTS),
         "--records", f"1600,400,{EVAL_RECORDS}"],
        capture_output=True, text=True, env=server.client_environment(), timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


def test_it_trains_and_prints_as_the_sdk_does(story, boto):
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Completed - ", story, re.M)
    assert len(re.findall(r"^Training seconds: \d+$", story, re.M)) == JOBS
    assert len(re.findall(r"^Billable seconds: \d+$", story, re.M)) == JOBS
    assert "val_accuracy" in story and "Model successfully saved" in story
    jobs = boto("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert sorted(re.sub(r"-\d[\d-]*$", "", job["TrainingJobName"]) for job in jobs) == [
        "cifar10-tf", *(["cifar10-tf-dist"] if HOSTS > 1 else []), "pipe-cifar10-tf"]
    for summary in jobs:
        job = boto("sagemaker").describe_training_job(TrainingJobName=summary["TrainingJobName"])
        assert job["TrainingJobStatus"] == "Completed"
        assert {"train:loss", "validation:accuracy"} <= {metric["MetricName"] for metric in job["FinalMetricDataList"]}
        tags = boto("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
        assert tags == seed.TAGS
        assert job["HyperParameters"]["batch-size"] == "32"
        assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/tensorflow-training:1.15.2-cpu-py3")


def test_it_compares_the_jobs_and_shows_their_metrics(story, boto):
    assert re.search(r"^ +-?\d+\.\d s  validation:accuracy +0\.\d+", story, re.M)
    assert len(re.findall(r"^(?:pipe-)?cifar10-tf-[\d-]+ +\d+ +1 +0\.\d+ +0\.\d+$", story, re.M)) == 2
    if HOSTS > 1:
        assert len(re.findall(r"^cifar10-tf-dist-[\d-]+ +\d+ +2 +0\.\d+ +0\.\d+$", story, re.M)) == 1


def test_it_evaluates_the_endpoint_and_cleans_up(story, boto):
    accuracy, right, total = re.search(r"^Test accuracy: ([\d.]+) \((\d+) of (\d+)\)$", story, re.M).groups()
    assert int(total) == EVAL_RECORDS and float(accuracy) == pytest.approx(int(right) / EVAL_RECORDS, abs=1e-4)
    rows = [list(map(int, row.split()[1:])) for row in re.findall(r"^ +[a-z]+(?: +\d+){10}$", story, re.M)]
    assert len(rows) == 10 and sum(map(sum, rows)) == EVAL_RECORDS
    assert sum(rows[i][i] for i in range(10)) == int(right)
    sagemaker = boto("sagemaker")
    assert not sagemaker.list_endpoints()["Endpoints"] and not sagemaker.list_models()["Models"]
    assert not sagemaker.list_endpoint_configs()["EndpointConfigs"]
