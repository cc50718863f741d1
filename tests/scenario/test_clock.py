"""The time of day is set under a running server, forward and back: no deadline and no job's keys go by it, and signatures by
the time that the server has now."""
import datetime
import pathlib
import time

import boto3
import botocore.auth
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import jobs

TICKS = 80
# What a job does with its own keys, after a step of 60 days.
PROGRAM = f"""
import subprocess, time
for i in range({TICKS}):
    print('tick', i, flush=True)
    time.sleep(0.1)
print('keys:', subprocess.run(['headrace', 'jobs', 'list'], capture_output=True, text=True).returncode)
"""
DAY = 86400


class Clock:
    """The server's time of day, in seconds from the true one."""

    def __init__(self, file, monkeypatch):
        self.file, self.monkeypatch = file, monkeypatch
        self.true_time = botocore.auth.get_current_datetime
        self.file.write_text("+0")

    def set(self, seconds):
        self.file.write_text(f"{seconds:+d}")

    def clients_have(self, seconds):
        ahead = datetime.timedelta(seconds=seconds)
        self.monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *some, **more: self.true_time(*some, **more) + ahead)


@pytest.fixture
def clock(tmp_path, monkeypatch):
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def server(make_server, clock):
    libraries = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        pytest.skip("libfaketime is not installed (scripts/setup)")
    return make_server("--job-stop-grace-seconds", "2", "--job-cpus", "8", variables={
        "LD_PRELOAD": str(libraries[0]), "FAKETIME_TIMESTAMP_FILE": str(clock.file), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1"})


@pytest.fixture
def client(server):
    keys = server.environment
    return lambda name: boto3.client(
        name, endpoint_url=server.url, region_name=keys["AWS_DEFAULT_REGION"], aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"], config=Config(retries={"total_max_attempts": 1}))


def test_steps_of_the_clock_end_nothing(client, clock):
    s3, sagemaker, logs = client("s3"), client("sagemaker"), client("logs")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    running = jobs.create(sagemaker, "bucket", jobs.upload_source(s3, "bucket", {"train.py": PROGRAM}), "train.py",
                          StoppingCondition={"MaxRuntimeInSeconds": 120})
    quick = jobs.upload_source(s3, "bucket", {"run.sh": "echo quick"})
    while sagemaker.describe_training_job(TrainingJobName=running)["SecondaryStatus"] != "Training":
        time.sleep(0.05)
    for step in (-3600, 7200, 60 * DAY, -460 * DAY):
        clock.set(step)
        clock.clients_have(0)
        with pytest.raises(ClientError) as refused:
            s3.list_buckets()
        assert refused.value.response["Error"]["Code"] == "RequestTimeTooSkewed"
        clock.clients_have(step)
        s3.put_object(Bucket="bucket", Key=f"at{step}", Body=b"body")
        assert s3.get_object(Bucket="bucket", Key=f"at{step}")["Body"].read() == b"body"
        assert abs((s3.head_object(Bucket="bucket", Key=f"at{step}")["LastModified"] - clock.true_time()
                    .replace(tzinfo=datetime.timezone.utc)).total_seconds() - step) < 60
        name = jobs.create(sagemaker, "bucket", quick, "run.sh")
        job = jobs.wait(sagemaker, name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert "quick" in jobs.log_lines(logs, name)
        assert sagemaker.describe_training_job(TrainingJobName=running)["TrainingJobStatus"] == "InProgress", step
    clock.set(0)
    clock.clients_have(0)
    job = jobs.wait(sagemaker, running)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    lines = jobs.log_lines(logs, running)
    assert [line for line in lines if line.startswith("tick")] == [f"tick {i}" for i in range(TICKS)]
    assert "keys: 0" in lines, lines


def test_a_deadline_comes_although_the_clock_was_set_back(client, clock):
    s3, sagemaker = client("s3"), client("sagemaker")
    s3.create_bucket(Bucket="deadline", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    name = jobs.create(sagemaker, "deadline", jobs.upload_source(s3, "deadline", {"run.sh": "sleep 60"}), "run.sh",
                       StoppingCondition={"MaxRuntimeInSeconds": 3})
    clock.set(-DAY)
    clock.clients_have(-DAY)
    begun = time.monotonic()
    job = jobs.wait(sagemaker, name, 30)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert time.monotonic() - begun < 20
