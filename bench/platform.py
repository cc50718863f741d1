#!/usr/bin/env python3
"""What the platform adds to a training program: its start, phase by phase, and its speed beside the bare program.

usage: scripts/bench platform [--data DIR] [--jobs N] [--rounds N]
DIR holds train/, validation/ and eval/ TFRecords; without it, the sample's. Needs a release build and scripts/setup --python.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build/venv/boto/bin/python"
if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/scenario")]

import boto3  # noqa: E402
from platform_fixtures import BIN, HEADRACE, Server  # noqa: E402
import jobs  # noqa: E402

FIRST_LINE = """
#include <cstdio>
int main() { std::puts("first line"); }
"""
STEP = re.compile(r" (\d+)ms/step - loss")


def cpu_name():
    match = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match.group(1) if match else platform.processor()


def phases(server, count):
    """Milliseconds from CreateTrainingJob's request to each phase and to the first line, of a compiled program."""
    sagemaker, logs, s3 = (boto3.client(name) for name in ("sagemaker", "logs", "s3"))
    source = jobs.upload_source(s3, "bench", {"main.cpp": FIRST_LINE})
    jobs.wait(sagemaker, jobs.create(sagemaker, "bench", source, "main.cpp"))  # fills the compiler's cache
    rows = []
    for _ in range(count):
        name = f"phases-{time.time_ns()}"
        asked = time.time()
        jobs.create(sagemaker, "bench", source, "main.cpp", name=name)
        answered = time.time()
        job = jobs.wait(sagemaker, name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        row = {"CreateTrainingJob answered": answered - asked}
        for transition in job["SecondaryStatusTransitions"]:
            row[transition["Status"]] = transition["StartTime"].timestamp() - asked
        stream = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name)["logStreams"][0]
        events = logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"],
                                     startFromHead=True)["events"]
        row["first line of the program"] = next(e["timestamp"] for e in events if e["message"] == "first line") / 1000 - asked
        rows.append(row)
    print(f"\nfrom the request of CreateTrainingJob, median of {count} jobs (ms):")
    for name in rows[0]:
        print(f"  {name:32}{1000 * statistics.median(row[name] for row in rows):8.0f}")


def step_ms(text):
    """Median over the epochs of the milliseconds a step that the progress line prints, without the first epoch."""
    found = [int(match) for match in STEP.findall(text)]
    return statistics.median(found[1:] or found)


def bare(data, arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = [BIN / "keras_cifar10", "--train", data / "train", "--validation", data / "validation", "--eval", data / "eval",
                   "--model_dir", folder, "--output-dir", folder]
        for name, value in arguments.items():
            command += [f"--{name}", str(value)]
        start = time.perf_counter()
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return time.perf_counter() - start, step_ms(text)


def as_job(source, channels, arguments):
    sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
    name = jobs.create(sagemaker, "bench", source, "keras_cifar10.cpp", channels=channels, hyperparameters=arguments)
    job = jobs.wait(sagemaker, name, 600)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    training = next(t for t in job["SecondaryStatusTransitions"] if t["Status"] == "Training")
    seconds = (training["EndTime"] - training["StartTime"]).total_seconds()
    return seconds, step_ms("\n".join(jobs.log_lines(logs, name)))


def throughput(data, rounds, epochs):
    """The example by itself and as a File mode job, interleaved."""
    s3 = boto3.client("s3")
    for channel in ("train", "validation", "eval"):
        s3.upload_file(str(data / channel / f"{channel}.tfrecords"), "bench", f"data/{channel}/{channel}.tfrecords")
    source = jobs.upload_source(s3, "bench", {"keras_cifar10.cpp": (ROOT / "examples/cifar10/keras_cifar10.cpp").read_text()})
    channels = [(channel, f"s3://bench/data/{channel}") for channel in ("train", "validation", "eval")]
    arguments = {"epochs": epochs, "batch-size": 256, "seed": 1}
    as_job(source, channels, {**arguments, "epochs": 1})  # compiles
    pairs = [(bare(data, arguments), as_job(source, channels, arguments)) for _ in range(rounds)]
    (bare_s, bare_step), (job_s, job_step) = ([statistics.median(pair[side][i] for pair in pairs) for i in range(2)]
                                              for side in range(2))
    print(f"\nkeras_cifar10, {epochs} epochs, batch 256, median of {rounds} interleaved rounds:")
    print(f"{'':34}{'bare':>10}{'as a job':>10}{'ratio':>8}")
    print(f"{'ms a step':34}{bare_step:10.1f}{job_step:10.1f}{job_step / bare_step:8.3f}")
    print(f"{'seconds, whole program':34}{bare_s:10.2f}{job_s:10.2f}{job_s / bare_s:8.3f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=pathlib.Path)
    arguments.add_argument("--jobs", type=int, default=11)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--epochs", type=int, default=4)
    a = arguments.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="headrace_bench_"))
    data = a.data
    if data is None:
        data = root / "cifar10"
        subprocess.run([HEADRACE, "dataset", "cifar10", "--sample", "--data-dir", data], check=True, stdout=subprocess.DEVNULL)
    server = Server(root / "data")
    try:
        os.environ.update(server.client_environment())
        boto3.client("s3").create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]})
        print(f"machine: {platform.node()}, {cpu_name()}, {os.cpu_count()} cores")
        phases(server, a.jobs)
        throughput(data, a.rounds, a.epochs)
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)


main()
