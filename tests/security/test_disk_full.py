"""The disk is full, whoever filled it: writes are refused with 503, nothing that was acknowledged is lost, deletes go through, a
start works and says what is wrong, and all is well once there is room. On a file system of its own, which only root can mount."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from platform_fixtures import Server

SIZE_MIB = 128


@pytest.fixture
def disk():
    if os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace_disk_"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", folder], capture_output=True).returncode != 0:
        folder.rmdir()
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(disk):
    server = Server(disk / "data", "--access-log", "off")
    server.log = disk.with_suffix(".log")
    yield server
    if server.process.poll() is None:
        server.stop()


def client(server, service):
    keys = server.environment
    return boto3.client(service, endpoint_url=server.url, region_name="us-west-2", aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"], config=Config(retries={"total_max_attempts": 1}))


def status_of(call):
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def fill(path):
    """Takes every byte that is left, as a job or another program does."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    if file.write(b"\0" * size) < size:
                        break
            except OSError:
                pass


def job(sagemaker, name):
    return sagemaker.create_training_job(
        TrainingJobName=name, RoleArn="arn:aws:iam::000000000000:role/r",
        AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sleep", "100"]},
        OutputDataConfig={"S3OutputPath": "s3://bucket/o"}, StoppingCondition={"MaxRuntimeInSeconds": 60},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1})


def test_a_full_disk(server, disk):
    s3, sagemaker, logs = client(server, "s3"), client(server, "sagemaker"), client(server, "logs")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    kept = {}

    def put(key, size):
        body = os.urandom(size)
        status = status_of(lambda: s3.put_object(Bucket="bucket", Key=key, Body=body))
        if status == 200:
            kept[key] = hashlib.md5(body).hexdigest()
        return status

    logs.create_log_group(logGroupName="to-delete")
    for i in range(100):
        if (status := put(f"large{i}", 4 << 20)) != 200:
            break
    assert status == 503
    for i in range(1000):  # little by little, down to what is kept for deletes
        if (status := put(f"small{i}", 50_000)) != 200:
            break
    assert status == 503
    assert shutil.disk_usage(disk).free > 0

    fill(disk / "ballast")  # others know of no reserve
    assert shutil.disk_usage(disk).free == 0
    assert put("none", 10) == 503
    assert status_of(lambda: job(sagemaker, "none")) == 503
    assert status_of(lambda: logs.create_log_group(logGroupName="none")) == 503
    assert status_of(lambda: s3.put_object_tagging(Bucket="bucket", Key="large0", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})) == 503
    assert s3.get_object(Bucket="bucket", Key="large0")["Body"].read(1)
    for i in range(100):  # deletes go through where nothing at all is free: the room that they make is taken again at once
        if f"small{i}" in kept:
            s3.delete_object(Bucket="bucket", Key=f"small{i}")
            del kept[f"small{i}"]
            fill(disk / "ballast2")
    logs.delete_log_group(logGroupName="to-delete")

    for end in (server.kill, server.stop):
        end()
        fill(disk / f"ballast-{end.__name__}")
        server.start()
        assert "the server's disk is full" in server.log.read_text()
        s3 = client(server, "s3")
        assert put("none", 10) == 503
        s3.delete_object(Bucket="bucket", Key=(key := next(iter(kept))))
        del kept[key]

    for ballast in disk.glob("ballast*"):
        ballast.unlink()
    for key, digest in kept.items():
        assert hashlib.md5(s3.get_object(Bucket="bucket", Key=key)["Body"].read()).hexdigest() == digest
    assert put("again", 100_000) == 200
    assert {entry["Key"] for entry in s3.list_objects_v2(Bucket="bucket")["Contents"]} == set(kept)
