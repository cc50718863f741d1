"""A SageMaker endpoint of the example's CNN: from CreateEndpoint to InService, and what the way through the platform
(signature, routing, metrics) adds to the model server behind it.

usage: scripts/bench endpoint [--seconds S] [--rounds N]    needs a release build and build/venv/boto
"""
import argparse
import http.client
import io
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build/venv/boto/bin/python"
if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [PYTHON, *sys.argv])
sys.path.insert(0, str(ROOT / "tests"))

import array
import random

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from platform_fixtures import BIN, Server

IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu"
ROLE = "arn:aws:iam::123456789012:role/service-role/MyRole"


def npy(count):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 32, 32, 3), }" % count
    header = header.ljust((10 + len(header) + 1 + 63) // 64 * 64 - 11) + "\n"
    values = array.array("f", (random.random() * 255 for _ in range(count * 3072)))
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values.tobytes()


def text(count):
    return json.dumps([[[[round(random.random() * 255, 2) for _ in range(3)] for _ in range(32)] for _ in range(32)]
                       for _ in range(count)]).encode()


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket; its path may be longer than an address holds, so it is reached through its directory."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        directory = os.open(self.path.parent, os.O_PATH | os.O_DIRECTORY)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(f"/proc/self/fd/{directory}/{self.path.name}")
        os.close(directory)


def run_clients(server, path, body, headers, clients, seconds):
    """Latencies in milliseconds, and requests a second."""
    latencies, failures = [[] for _ in range(clients)], []
    end = time.perf_counter() + seconds

    def client(own):
        connection = LocalConnection(server) if isinstance(server, pathlib.Path) else http.client.HTTPConnection("127.0.0.1", server)
        while time.perf_counter() < end:
            start = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failures.append(answer.status)
                return
            own.append((time.perf_counter() - start) * 1e3)

    threads = [threading.Thread(target=client, args=(own,)) for own in latencies]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"{path}: answered {failures[0]}")
    merged = sorted(sum(latencies, []))
    return merged, len(merged) / (time.perf_counter() - start)


def await_in_service(sagemaker, endpoint):
    while True:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
        if described["EndpointStatus"] == "InService":
            return (described["LastModifiedTime"] - described["CreationTime"]).total_seconds() * 1e3
        if described["EndpointStatus"] == "Failed":
            sys.exit(described["FailureReason"])
        time.sleep(0.005)


def await_gone(sagemaker, endpoint):
    sagemaker.delete_endpoint(EndpointName=endpoint)
    while sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]:
        time.sleep(0.005)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory(prefix="headrace_bench_") as scratch:
        directory = pathlib.Path(scratch)
        subprocess.run([BIN / "export_models", directory / "models"], check=True)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(directory / "models/cnn/1", "1")
        server = Server(directory / "data")
        try:
            run(server, packed.getvalue(), options)
        finally:
            server.stop()


def run(server, archive, options):
    environment = server.environment
    keys = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    session = boto3.Session(keys.access_key, keys.secret_key, region_name="us-west-2")
    s3, sagemaker = (session.client(name, endpoint_url=server.url) for name in ("s3", "sagemaker"))
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=archive)
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE,
                           PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"})
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[
        {"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m4.xlarge"}])

    times = []
    for i in range(options.rounds):
        sagemaker.create_endpoint(EndpointName=f"e{i}", EndpointConfigName="c")
        times.append(await_in_service(sagemaker, f"e{i}"))
        await_gone(sagemaker, f"e{i}")
    print(f"CreateEndpoint to InService: median {statistics.median(times):.0f} ms, most {max(times):.0f} ms, of {len(times)}\n")

    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    await_in_service(sagemaker, "e")
    model_server, = server.directory.glob("endpoints/*/e/*/AllTraffic/i-*/http.sock")
    path = "/endpoints/e/invocations"

    print("| images | body | clients | model server p50 | endpoint p50 | added | endpoint p99 | endpoint req/s | of the model server's |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count in (1, 128):
        for kind, body in (("application/x-npy", npy(count)), ("application/json", text(count))):
            headers = {"Content-Type": kind, "Accept": kind}
            request = AWSRequest("POST", server.url + path, data=body, headers=headers)
            SigV4Auth(keys, "sagemaker", "us-west-2").add_auth(request)
            signed = dict(request.headers)
            for clients in (1, 8):
                run_clients(model_server, "/invocations", body, headers, clients, 0.3)
                direct, direct_rate = run_clients(model_server, "/invocations", body, headers, clients, options.seconds)
                run_clients(server.port, path, body, signed, clients, 0.3)
                through, rate = run_clients(server.port, path, body, signed, clients, options.seconds)
                middle, other = statistics.median(direct), statistics.median(through)
                print(f"| {count} | {kind.split('/')[1]} | {clients} | {middle:.2f} ms | {other:.2f} ms | {other - middle:.2f} ms | "
                      f"{through[int(len(through) * 0.99)]:.2f} ms | {rate:.0f} | {rate / direct_rate:.2f} |", flush=True)


main()
