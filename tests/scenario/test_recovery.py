"""kill -9 of the server while jobs run: nothing acknowledged is lost, jobs go on, nothing is left behind."""
import os
import pathlib
import random
import time

import boto3
import pytest
from botocore.config import Config

import jobs

ROUNDS = 20
LINES = 40

# Prints numbered lines for about a second, so that a kill falls into every phase of some round.
PROGRAM = f"""
import os, time
with open(os.path.join(os.environ['SM_CHANNEL_TRAIN'], 'part-0')) as part:
    assert part.read() == 'data'
for i in range({LINES}):
    print(f'line {{i}} value: {{i}}.5', flush=True)
    time.sleep(0.02)
with open(os.path.join(os.environ['SM_MODEL_DIR'], 'weights'), 'w') as weights:
    weights.write('w' * 100000)
"""


def clients(server):
    environment = server.environment
    session = boto3.Session(aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                            region_name=environment["AWS_DEFAULT_REGION"])
    config = Config(retries={"max_attempts": 10, "mode": "standard"}, connect_timeout=5, read_timeout=20)
    return [session.client(name, endpoint_url=server.url, config=config) for name in ("s3", "sagemaker", "logs", "cloudwatch")]


def processes_below(directory):
    """Processes that name the data directory in their command line or work below it, the server's own apart."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            here = os.readlink(entry / "cwd")
        except OSError:
            continue
        if str(directory) in command or here.startswith(str(directory)):
            found.append((int(entry.name), command))
    return found


def test_a_killed_server_loses_nothing(make_server):
    server = make_server()
    port = server.port
    s3, sagemaker, logs, cloudwatch = clients(server)
    s3.create_bucket(Bucket="recovery", CreateBucketConfiguration={"LocationConstraint": server.environment["AWS_DEFAULT_REGION"]})
    s3.put_object(Bucket="recovery", Key="train/part-0", Body=b"data")
    source = jobs.upload_source(s3, "recovery", {"train.py": PROGRAM})
    random.seed(7)
    names = []
    for i in range(ROUNDS):
        s3.put_object(Bucket="recovery", Key=f"acknowledged/{i}", Body=str(i).encode() * 1000)
        names.append(jobs.create(sagemaker, "recovery", source, "train.py", channels=[("train", "s3://recovery/train")],
                                 metrics=[{"Name": "value", "Regex": r"value: ([0-9\.]+)"}]))
        time.sleep(random.uniform(0, 1.6))
        server.kill()
        time.sleep(random.uniform(0, 0.4))
        server.start(port)
        s3, sagemaker, logs, cloudwatch = clients(server)

    for name in names:
        job = jobs.wait(sagemaker, name, 120)
        assert job["TrainingJobStatus"] == "Completed", (name, job.get("FailureReason"))
        lines = [line for line in jobs.log_lines(logs, name) if line.startswith("line ")]
        assert lines == [f"line {i} value: {i}.5" for i in range(LINES)], name  # each once, in order
        assert job["FinalMetricDataList"][0]["Value"] == pytest.approx(LINES - 0.5)
        assert s3.head_object(Bucket="recovery", Key=f"output/{name}/output/model.tar.gz")["ContentLength"] > 0
    for i in range(ROUNDS):
        assert s3.get_object(Bucket="recovery", Key=f"acknowledged/{i}")["Body"].read() == str(i).encode() * 1000

    server.stop()
    deadline = time.monotonic() + 5
    while (left := processes_below(server.directory)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left
    assert str(server.directory) not in pathlib.Path("/proc/self/mounts").read_text()
    fifos = [path for path in server.directory.rglob("*") if path.is_fifo()]
    assert not fifos


def test_fifty_jobs_at_once_finish(make_server):
    server = make_server()
    s3, sagemaker, logs, _ = clients(server)
    s3.create_bucket(Bucket="fifty", CreateBucketConfiguration={"LocationConstraint": server.environment["AWS_DEFAULT_REGION"]})
    source = jobs.upload_source(s3, "fifty", {"train.sh": "#!/bin/sh\necho hello from $TRAINING_JOB_NAME\n"})
    names = [jobs.create(sagemaker, "fifty", source, "train.sh") for _ in range(50)]
    for name in names:
        assert jobs.wait(sagemaker, name, 180)["TrainingJobStatus"] == "Completed"
    assert f"hello from {names[-1]}" in jobs.log_lines(logs, names[-1])
    started = [sagemaker.describe_training_job(TrainingJobName=name)["TrainingStartTime"] for name in names]
    assert started == sorted(started)  # in the order of their creation
