"""Clients that cost without paying: connections of strangers, bodies that never end, bodies that grow. Honest ones notice nothing."""
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from platform_fixtures import HEADRACE, Server


def limited(soft, hard):
    """For Popen: a process that may have so many descriptors."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))}


@pytest.fixture
def serve(tmp_path):
    """serve(arguments…, run_as=…): a server of the test's own."""
    servers = []

    def start(*arguments, **more):
        servers.append(Server(tmp_path / f"data{len(servers)}", *arguments, **more))
        return servers[-1]
    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


def client(server, service):
    keys = server.environment
    return boto3.client(service, endpoint_url=server.url, region_name="us-west-2", aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
                        config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30))


def make_bucket(s3):
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="bucket", Key="k", Body=b"honest")


def open_strangers(server, count):
    """Half of them silent, half in the middle of a head."""
    strangers = []
    for i in range(count):
        stranger = socket.create_connection(("127.0.0.1", server.port), 10)
        if i % 2:
            stranger.sendall(b"GET /bucket/k HTTP/1.1\r\nHost: a\r\n")
        strangers.append(stranger)
    return strangers


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def signed(server, service, method, path, headers, body_hash_of, size):
    """The head of a signed request that announces `size` bytes."""
    request = AWSRequest(method, server.url + path, data=body_hash_of, headers=headers)
    keys = server.environment
    SigV4Auth(Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]), service, "us-west-2").add_auth(request)
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Content-Length: {size}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def hear(sock):
    """Status and text of an answer, its error's code included."""
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, answer.headers.get("x-amzn-ErrorType", "") + answer.read().decode()


def test_a_thousand_strangers_cost_nobody_an_answer(serve):
    """With the soft limit that most systems give; the server raises it as far as it may."""
    server = serve(run_as=limited(1024, 2048))
    s3 = client(server, "s3")
    make_bucket(s3)
    strangers = open_strangers(server, 1500)
    for i in range(20):
        fresh = client(server, "s3")
        assert fresh.get_object(Bucket="bucket", Key="k")["Body"].read() == b"honest"
        fresh.put_object(Bucket="bucket", Key=f"p{i}", Body=b"1")
        assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"honest"
    assert descriptors(server) < 2048
    limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if "open files" in line).split()[3:5] == ["2048", "2048"]
    for stranger in strangers:
        stranger.close()


def test_so_do_few_descriptors(serve):
    """Fewer connections are taken where the process may have few descriptors, and the log says so."""
    server = serve(run_as=limited(128, 128))
    s3 = client(server, "s3")
    make_bucket(s3)
    assert "at most 64 connections at a time" in server.log.read_text()
    strangers = open_strangers(server, 300)
    for i in range(20):
        assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"honest"
        client(server, "s3").put_object(Bucket="bucket", Key=f"p{i}", Body=b"1")
    assert descriptors(server) < 128
    for stranger in strangers:
        stranger.close()


def test_too_few_descriptors_are_told_at_the_start(tmp_path):
    done = subprocess.run([HEADRACE, "serve", "--data-dir", tmp_path / "d", "--listen", "127.0.0.1:0"], capture_output=True,
                          text=True, timeout=30, **limited(64, 64))
    assert done.returncode == 1
    assert "descriptors: this process may have 64, wanted at least 96" in done.stderr


def soft_limit_of(pid):
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return int(next(line for line in limits.splitlines() if "open files" in line).split()[3])


def test_what_the_server_starts_gets_the_limit_that_it_was_started_with(serve):
    """And a job's own variables break none of its clients."""
    server = serve(run_as=limited(777, 2048))
    sagemaker = client(server, "sagemaker")
    make_bucket(client(server, "s3"))
    sagemaker.create_training_job(
        TrainingJobName="limit", RoleArn="arn:aws:iam::000000000000:role/r",
        AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "File", "ContainerEntrypoint": [
            "/bin/sh", "-c", "test -r \"$SAGEMAKER_ADMIN_CONFIG_OVERRIDE\" && echo telemetry off; "
                             "echo bundle ${AWS_CA_BUNDLE-none}; sleep 1"]},
        OutputDataConfig={"S3OutputPath": "s3://bucket/o"}, StoppingCondition={"MaxRuntimeInSeconds": 60},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1})
    deadline, soft = time.monotonic() + 60, set()
    while (job := sagemaker.describe_training_job(TrainingJobName="limit"))["TrainingJobStatus"] == "InProgress":
        assert time.monotonic() < deadline
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_text().split("\0")
                if words[0].endswith("/headrace-supervise") and any(str(server.directory) in word for word in words):
                    soft.add(soft_limit_of(process.name))
        time.sleep(0.05)
    assert job["TrainingJobStatus"] == "Completed", job
    logs = client(server, "logs")
    stream = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"][0]["logStreamName"]
    lines = [event["message"] for event in logs.get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream, startFromHead=True)["events"]]
    assert soft == {777}
    assert "telemetry off" in lines and "bundle none" in lines


@pytest.mark.parametrize("service, path, headers, code", [
    ("s3", "/bucket/half", {}, "IncompleteBody"),
    ("sagemaker", "/", {"X-Amz-Target": "SageMaker.ListTrainingJobs", "Content-Type": "application/x-amz-json-1.1"}, "IncompleteBody"),
    ("sagemaker", "/endpoints/e/invocations", {"Content-Type": "text/csv"}, "IncompleteBody")])
def test_a_body_that_ends_early_is_the_clients_fault(serve, service, path, headers, code):
    server = serve()
    make_bucket(client(server, "s3"))
    if service == "s3":
        headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    method = "PUT" if service == "s3" else "POST"
    with socket.create_connection(("127.0.0.1", server.port), 20) as sock:
        sock.sendall(signed(server, service, method, path, headers, b"x" * 1000, 1000) + b"x" * 500)
        sock.shutdown(socket.SHUT_WR)
        status, text = hear(sock)
    assert status == 400 and code in text, (status, text)


def test_bodies_that_never_end_hold_neither_threads_nor_memory(serve):
    server = serve("--stall-seconds", "2", "--pool-threads", "2")
    s3 = client(server, "s3")
    make_bucket(s3)
    halves = []
    for i in range(60):
        half = socket.create_connection(("127.0.0.1", server.port), 20)
        half.sendall(signed(server, "s3", "PUT", f"/bucket/half{i}", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"",
                            2_000_000) + b"x" * 1_000_000)
        halves.append(half)
    for i in range(10):
        s3.put_object(Bucket="bucket", Key=f"p{i}", Body=b"1" * 400_000)
        assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"honest"
    for half in halves:
        half.settimeout(30)
        status, text = hear(half)
        assert status == 400 and "RequestTimeout" in text
        half.close()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="bucket", Prefix="half").get("Contents", [])] == []
    assert list((server.directory / "objects/incoming").iterdir()) == []


def resident_mib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def test_gzip_bombs_are_400_and_leave_nothing_behind(serve):
    server = serve()
    bomb = gzip.compress(b" " * (512 << 20), 9)
    headers = {"X-Amz-Target": "Logs_20140328.PutLogEvents", "Content-Type": "application/x-amz-json-1.1", "Content-Encoding": "gzip"}
    before = resident_mib(server)
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", server.port), 30) as sock:
            sock.sendall(signed(server, "logs", "POST", "/", headers, bomb, len(bomb)) + bomb)
            status, text = hear(sock)
        assert status == 400 and "holds more than" in text
    assert resident_mib(server) - before < 100
    assert client(server, "logs").describe_log_groups()["logGroups"] == []
