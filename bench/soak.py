#!/usr/bin/env python3
"""Honest clients beside hostile ones: what do the honest ones notice?

Sixteen honest clients put and get small objects, list, invoke an endpoint and run jobs. In turns they are alone, and beside
connections that send half a request, floods of unsigned requests, gzip bombs, bodies that never end, and jobs of another
account that fork without end, flood their log and fill their disk. Prints the honest requests that failed, the p99 of a small
GET in either turns, and the server's memory over time: the median of each minute, and the slope of the second half.

usage: scripts/bench soak [--seconds N] [--turn S] [--clients N] [--model DIR]
The full form is 600 seconds. DIR holds SavedModel versions (N/saved_model.pb) that take images of 32x32x3; without it a model
is exported from the tests' tool. Needs a release build and build/venv/boto.
"""
import argparse
import collections
import contextlib
import gzip
import io
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build/venv/boto/bin/python"
if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
sys.path.insert(0, str(ROOT / "tests"))

import boto3  # noqa: E402
from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from platform_fixtures import BIN, Server  # noqa: E402

REGION = "us-west-2"
ROLE = "arn:aws:iam::000000000000:role/r"
IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:2.0-cpu"
IMAGES = json.dumps({"instances": [[[[0.5] * 3] * 32] * 32]}).encode()
HOSTILE_PROGRAMS = {
    "fork": "f() { f | f & }; f; sleep 5",
    "log": "yes 0123456789012345678901234567890123456789",
    "disk": "cat /dev/zero > /opt/ml/model/zeros",
}


def client(url, keys, service):
    return boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id=keys[0], aws_secret_access_key=keys[1],
                        config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60))


def create_job(sagemaker, name, bucket, script, seconds=60):
    sagemaker.create_training_job(
        TrainingJobName=name, RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/output"}, StoppingCondition={"MaxRuntimeInSeconds": seconds},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1})


def wait_for_job(sagemaker, name, seconds):
    deadline = time.monotonic() + seconds
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") or time.monotonic() > deadline:
            return job
        time.sleep(0.2)


# --- honest ---------------------------------------------------------------------------------------------------------------

def honest(number, url, keys, has_endpoint, hostile_now, stop, results):
    """One client: (seconds of each GET, beside hostile ones or not), failures by kind, and how many requests there were."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    s3, sagemaker, runtime = (client(url, keys, name) for name in ("s3", "sagemaker", "sagemaker-runtime"))
    gets, failures, requests = {False: [], True: []}, collections.Counter(), collections.Counter()

    def attempt(kind, call):
        requests[kind] += 1
        try:
            return call()
        except Exception as error:  # whatever it is, an honest request has failed
            failures[f"{kind}: {str(error)[:160]}"] += 1

    for step in range(1 << 40):
        if stop.is_set():
            break
        beside, begun = hostile_now.is_set(), time.perf_counter()
        attempt("GET", lambda: s3.get_object(Bucket="honest", Key=f"small{random.randrange(64)}")["Body"].read())
        if beside == hostile_now.is_set():
            gets[beside].append(time.perf_counter() - begun)
        if step % 4 == number % 4:
            attempt("PUT", lambda: s3.put_object(Bucket="honest", Key=f"put{number}-{step % 50}", Body=os.urandom(4000)))
        if step % 16 == number:
            attempt("list", lambda: s3.list_objects_v2(Bucket="honest", MaxKeys=20))
        if has_endpoint and step % 8 == number % 8:
            attempt("invoke", lambda: runtime.invoke_endpoint(EndpointName="honest", Body=IMAGES, ContentType="application/json")["Body"].read())
        if number < 2 and step % 500 == 250 * number:
            def job():
                name = f"honest-{number}-{step}"
                create_job(sagemaker, name, "honest", "echo done > /opt/ml/model/m")
                ended = wait_for_job(sagemaker, name, 120)
                if ended["TrainingJobStatus"] != "Completed":
                    raise RuntimeError(f"{ended['TrainingJobStatus']}: {ended.get('FailureReason', '')}")
            attempt("job", job)
        time.sleep(0.005)
    results.put((gets, failures, requests))


# --- hostile --------------------------------------------------------------------------------------------------------------

def signed(url, keys, service, method, path, headers, data, size):
    request = AWSRequest(method, url + path, data=data, headers=headers)
    SigV4Auth(Credentials(*keys), service, REGION).add_auth(request)
    lines = [f"{method} {path} HTTP/1.1", "Host: " + url.split("/")[2], f"Content-Length: {size}"]
    return "\r\n".join(lines + [f"{name}: {value}" for name, value in request.headers.items()]).encode() + b"\r\n\r\n"


def connect(url):
    host, port = url.split("/")[2].split(":")
    return socket.create_connection((host, int(port)), 5)


def half_open(url, keys):
    """Connections that say half a request and no more; those that the server ends are opened again."""
    held = collections.deque()
    while True:
        with contextlib.suppress(OSError):
            one = connect(url)
            one.sendall(random.choice([b"", b"GET /honest/small0 HTTP/1.1\r\nHost: a\r\n", b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1"]))
            held.append(one)
            if len(held) > 900:
                held.popleft().close()
        yield 0.002


def flood(url, keys):
    while True:
        with contextlib.suppress(OSError):
            with connect(url) as one:
                one.sendall(b"GET /honest/small0 HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
                one.recv(4096)
        yield 0.002


def gzip_bombs(url, keys):
    bomb = gzip.compress(b" " * (256 << 20), 9)
    headers = {"X-Amz-Target": "Logs_20140328.PutLogEvents", "Content-Type": "application/x-amz-json-1.1", "Content-Encoding": "gzip"}
    while True:
        with contextlib.suppress(OSError):
            with connect(url) as one:
                one.sendall(signed(url, keys, "logs", "POST", "/", headers, bomb, len(bomb)) + bomb)
                one.recv(4096)
        yield 0.2


def half_sent(url, keys):
    held = collections.deque()
    while True:
        with contextlib.suppress(OSError):
            one = connect(url)
            one.sendall(signed(url, keys, "s3", "PUT", "/hostile/half", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"", 1 << 20) + bytes(1 << 19))
            held.append(one)
            if len(held) > 50:
                held.popleft().close()
        yield 0.1


def hostile_jobs(url, keys):
    sagemaker, count = client(url, keys, "sagemaker"), 0
    while True:
        for kind, script in HOSTILE_PROGRAMS.items():
            count += 1
            with contextlib.suppress(Exception):
                create_job(sagemaker, f"{kind}-{os.getpid()}-{count}", "hostile", script, seconds=20)
        yield 5


def hostile(attack, url, keys, now, stop):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    steps = None
    while not stop.is_set():
        if not now.wait(0.5):
            steps = None  # its connections close
            continue
        steps = steps or attack(url, keys)
        time.sleep(next(steps))


# --- the whole ------------------------------------------------------------------------------------------------------------

def resident_mib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def make_endpoint(url, keys, model, folder):
    if model is None:
        exporter = BIN / "export_models"
        if not exporter.exists():
            print("no model (--model DIR, or build the target export_models): endpoints are left out", flush=True)
            return False
        subprocess.run([exporter, folder / "models"], check=True, stdout=subprocess.DEVNULL)
        model = folder / "models/cnn"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(model, arcname="model")
    client(url, keys, "s3").put_object(Bucket="honest", Key="model.tar.gz", Body=archive.getvalue())
    sagemaker = client(url, keys, "sagemaker")
    sagemaker.create_model(ModelName="honest", ExecutionRoleArn=ROLE,
                           PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://honest/model.tar.gz"})
    sagemaker.create_endpoint_config(EndpointConfigName="honest", ProductionVariants=[
        {"VariantName": "v", "ModelName": "honest", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}])
    sagemaker.create_endpoint(EndpointName="honest", EndpointConfigName="honest")
    while (endpoint := sagemaker.describe_endpoint(EndpointName="honest"))["EndpointStatus"] == "Creating":
        time.sleep(0.1)
    if endpoint["EndpointStatus"] != "InService":
        sys.exit(f"the endpoint does not start: {endpoint.get('FailureReason')}")
    runtime = client(url, keys, "sagemaker-runtime")
    runtime.invoke_endpoint(EndpointName="honest", Body=IMAGES, ContentType="application/json")
    return True


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] * 1e3 if values else float("nan")


def report_memory(begin, sampled):
    """Of [(seconds, MiB)]: whether memory has come to rest shows in the second half, when pools and caches are full."""
    minutes = collections.defaultdict(list)
    for seconds, mib in sampled:
        minutes[int(seconds // 60)].append(mib)
    print(f"memory of the server: {begin:.0f} MiB at the start, most {max(mib for _, mib in sampled):.0f} MiB; median of each minute: "
          + ", ".join(f"{statistics.median(mib):.0f}" for _, mib in sorted(minutes.items())))
    rest = sampled[len(sampled) // 2:]
    slope = statistics.linear_regression([seconds / 60 for seconds, _ in rest], [mib for _, mib in rest]).slope
    print(f"its slope over the second half: {slope:+.2f} MiB a minute")


def report(results, memory, sampled):
    gets, failures, requests = {False: [], True: []}, collections.Counter(), collections.Counter()
    for own_gets, own_failures, own_requests in results:
        for beside in gets:
            gets[beside] += own_gets[beside]
        failures += own_failures
        requests += own_requests
    print(f"honest requests: {sum(requests.values())} ({', '.join(f'{n} {kind}' for kind, n in requests.items())}); "
          f"failed: {sum(failures.values())}")
    for kind, count in failures.most_common(10):
        print(f"  {count} × {kind}")
    alone, beside = percentile(gets[False], 0.99), percentile(gets[True], 0.99)
    for name, values in (("alone", gets[False]), ("beside hostile ones", gets[True])):
        print(f"GET of a small object, {name}: p50 {percentile(values, 0.5):.1f} ms, p99 {percentile(values, 0.99):.1f} ms, of {len(values)}")
    print(f"p99 beside hostile ones: {beside / alone:.2f} times that alone")
    report_memory(memory, sampled)
    return not failures and beside <= 2 * alone


def end_jobs(url, keys):
    """Jobs outlive the server: none may stay behind."""
    sagemaker = client(url, keys, "sagemaker")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        alive = [job["TrainingJobName"] for status in ("InProgress", "Stopping")
                 for job in sagemaker.list_training_jobs(StatusEquals=status, MaxResults=100)["TrainingJobSummaries"]]
        if not alive:
            return
        for name in alive:
            with contextlib.suppress(Exception):
                sagemaker.stop_training_job(TrainingJobName=name)
        time.sleep(0.5)
    print(f"jobs that cannot be ended: {alive}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--turn", type=int, default=15)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--model", type=pathlib.Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace_bench_soak_"))
    context = multiprocessing.get_context("spawn")  # clients share nothing
    stop, hostile_now, results = context.Event(), context.Event(), context.Queue()
    server, processes, ours, theirs = Server(folder / "data", "--job-stop-grace-seconds", "2"), [], None, None
    url = server.url
    try:
        ours = server.environment["AWS_ACCESS_KEY_ID"], server.environment["AWS_SECRET_ACCESS_KEY"]
        made = json.loads(server.headrace("keys", "create", "hostile", "--data-dir", server.directory, "-o", "json").stdout)
        theirs = made["access_key_id"], made["secret_access_key"]
        for name, keys in (("honest", ours), ("hostile", theirs)):
            client(url, keys, "s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        for i in range(64):
            client(url, ours, "s3").put_object(Bucket="honest", Key=f"small{i}", Body=os.urandom(1000))
        has_endpoint = make_endpoint(url, ours, options.model, folder)
        for number in range(options.clients):
            processes.append(context.Process(target=honest, args=(number, url, ours, has_endpoint, hostile_now, stop, results)))
        for attack in (half_open, flood, gzip_bombs, half_sent, hostile_jobs):
            processes.append(context.Process(target=hostile, args=(attack, url, theirs, hostile_now, stop)))
        for process in processes:
            process.start()
        time.sleep(3)  # until all of them have imported boto3
        memory, sampled, begun = resident_mib(server), [], time.monotonic()
        print(f"{options.clients} honest clients, {options.seconds} s, {options.turn} s alone and beside hostile ones in turns", flush=True)
        while time.monotonic() - begun < options.seconds:
            turn_ends = time.monotonic() + options.turn
            while time.monotonic() < turn_ends:
                time.sleep(0.5)
                sampled.append((time.monotonic() - begun, resident_mib(server)))
            hostile_now.clear() if hostile_now.is_set() else hostile_now.set()
        hostile_now.clear()
        stop.set()
        heard = [results.get(timeout=180) for _ in range(options.clients)]
        good = report(heard, memory, sampled)
    finally:
        stop.set()
        for process in processes:
            process.join(20)
            if process.is_alive():
                process.kill()
        if server.process.poll() is None:
            for keys in filter(None, (ours, theirs)):
                with contextlib.suppress(Exception):
                    end_jobs(url, keys)
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
