#!/usr/bin/env python3
"""What the platform adds to a training program: its start, phase by phase, and its speed beside the bare program.

usage: scripts/bench platform [--data DIR] [--jobs N] [--against BIN] [--script] [--rounds N] [--epochs N]
DIR holds train/, validation/ and eval/ TFRecords; without it, the sample's. BIN: the programs of another build (its
build/release/bin), whose jobs take turns with this one's; may be given again for another build. --script: those jobs are a shell script, not a compiled program.
Needs a release build and scripts/setup --python.
"""
import argparse
import os
import pathlib
import platform
import re
import shutil
import signal
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
# Of two ranks, after both have begun and have heard each other.
FIRST_LINE_OF_RANKS = """
#include <mpi.h>
#include <cstdio>
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, sum = 0, one = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) std::puts("first line");
  MPI_Finalize();
}
"""
TWO_HOSTS = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
             "hyperparameters": {"sagemaker_mpi_enabled": True, "sagemaker_mpi_num_of_processes_per_host": 1}}


def cpu_name():
    match = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match.group(1) if match else platform.processor()


class Side:
    """One build's server, and a program that it has compiled."""

    def __init__(self, name, server, program, text, members):
        self.name, self.program, self.members, self.rows = name, program, members, []
        shown = server.environment
        self.sagemaker, self.logs, s3 = (boto3.client(
            service, endpoint_url=server.url, region_name=shown["AWS_DEFAULT_REGION"], aws_access_key_id=shown["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=shown["AWS_SECRET_ACCESS_KEY"]) for service in ("sagemaker", "logs", "s3"))
        if "bench" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        self.source = jobs.upload_source(s3, "bench", {program: text})
        self.job(f"first-{time.time_ns()}")  # fills the compiler's cache

    def job(self, name):
        jobs.create(self.sagemaker, "bench", self.source, self.program, name=name, **self.members)
        answered = time.time()
        job = jobs.wait(self.sagemaker, name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        return answered, job

    def run(self):
        """Seconds from CreateTrainingJob's request to each phase and to the first line."""
        name = f"phases-{time.time_ns()}"
        asked = time.time()
        answered, job = self.job(name)
        row = {"CreateTrainingJob answered": answered - asked}
        for transition in job["SecondaryStatusTransitions"]:
            row[transition["Status"]] = transition["StartTime"].timestamp() - asked
        group = "/aws/sagemaker/TrainingJobs"
        stream = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"][0]["logStreamName"]
        events = self.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        row["first line of the program"] = next(e["timestamp"] for e in events if e["message"].endswith("first line")) / 1000 - asked
        row["all over"] = job["TrainingEndTime"].timestamp() - asked
        self.rows.append(row)


def phases(what, servers, program, text, count, **members):
    """Jobs of the sides in turns: whatever else the machine does, it does to all."""
    sides = [Side(name, server, program, text, members) for name, server in servers.items()]
    for i in range(count):
        for side in sides if i % 2 else reversed(sides):
            side.run()
    print(f"\n{what}, from the request of CreateTrainingJob, median of {count} jobs (ms):")
    print(f"  {'':32}" + "".join(f"{side.name:>8}" for side in sides))
    for name in sides[0].rows[0]:
        of_sides = [[row[name] for row in side.rows if name in row] for side in sides]
        print(f"  {name:32}" + "".join(f"{1000 * statistics.median(values):8.0f}" if values else f"{'':8}" for values in of_sides))


def last_epochs_seconds(lines):
    """From the line "Epoch 2/N" to the end of the last epoch, of [(seconds, text)]: the first epoch measures algorithms."""
    begin = next(at for at, text in lines if re.match(r"Epoch 2/", text))
    return [at for at, text in lines if "val_accuracy" in text][-1] - begin


def bare(data, arguments):
    """(seconds without the first epoch, seconds of the whole program)"""
    with tempfile.TemporaryDirectory() as folder:
        command = [BIN / "keras_cifar10", "--train", data / "train", "--validation", data / "validation", "--eval", data / "eval",
                   "--model_dir", folder, "--output-dir", folder]
        for name, value in arguments.items():
            command += [f"--{name}", str(value)]
        start, lines = time.perf_counter(), []
        # As in a job, the convolutions' algorithms are measured anew.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "XDG_CACHE_HOME": folder + "/cache"})
        for line in process.stdout:
            lines.append((time.perf_counter(), line))
        assert process.wait() == 0
        return last_epochs_seconds(lines), time.perf_counter() - start


def as_job(source, channels, arguments):
    sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
    name = jobs.create(sagemaker, "bench", source, "keras_cifar10.cpp", channels=channels, hyperparameters=arguments)
    try:
        job = jobs.wait(sagemaker, name, 600)
    except BaseException:
        sagemaker.stop_training_job(TrainingJobName=name)
        raise
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    training = next(t for t in job["SecondaryStatusTransitions"] if t["Status"] == "Training")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/")
    lines = [(event["timestamp"] / 1000, event["message"]) for page in pages for event in page["events"]]
    return last_epochs_seconds(lines), (training["EndTime"] - training["StartTime"]).total_seconds()


def throughput(data, rounds, epochs):
    """The example by itself and as a File mode job, interleaved."""
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    for channel in ("train", "validation", "eval"):
        s3.upload_file(str(data / channel / f"{channel}.tfrecords"), "bench", f"data/{channel}/{channel}.tfrecords")
    source = jobs.upload_source(s3, "bench", {"keras_cifar10.cpp": (ROOT / "examples/cifar10/keras_cifar10.cpp").read_text()})
    jobs.wait(sagemaker, jobs.create(sagemaker, "bench", source, "keras_cifar10.cpp"))  # compiles; without data it ends at once
    channels = [(channel, f"s3://bench/data/{channel}") for channel in ("train", "validation", "eval")]
    arguments = {"epochs": epochs, "batch-size": 256, "seed": 1}
    sides = [lambda: bare(data, arguments), lambda: as_job(source, channels, arguments)]
    pairs = []
    for number in range(rounds):  # who begins changes, too
        first = number % 2
        one, other = sides[first](), sides[1 - first]()
        pairs.append((one, other) if first == 0 else (other, one))
        print("  round {}: {:.2f} s bare, {:.2f} s as a job".format(number + 1, pairs[-1][0][0], pairs[-1][1][0]), flush=True)
    print(f"\nkeras_cifar10, {epochs} epochs, batch 256, median of {rounds} interleaved rounds:")
    print(f"{'':34}{'bare':>10}{'as a job':>10}{'ratio':>8}")
    for i, name in enumerate(("seconds after the first epoch", "seconds, whole program")):
        ratio = statistics.median(pair[1][i] / pair[0][i] for pair in pairs)
        print("{:34}{:10.2f}{:10.2f}{:8.3f}".format(name, *(statistics.median(pair[side][i] for pair in pairs) for side in range(2)), ratio))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=pathlib.Path)
    arguments.add_argument("--jobs", type=int, default=11)
    arguments.add_argument("--against", type=pathlib.Path, action="append", default=[])
    arguments.add_argument("--script", action="store_true")
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--epochs", type=int, default=2)
    a = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))  # so that server and job are stopped, too
    root = pathlib.Path(tempfile.mkdtemp(prefix="headrace_bench_"))
    data = a.data
    if data is None:
        data = root / "cifar10"
        subprocess.run([HEADRACE, "dataset", "cifar10", "--sample", "--data-dir", data], check=True, stdout=subprocess.DEVNULL)
    server = Server(root / "data")
    servers = {"now": server}
    try:
        for number, other in enumerate(a.against, 1):
            name = "before" if number == 1 else f"before{number}"
            servers[name] = Server(root / name, program=other / "headrace")
        os.environ.update(server.client_environment())
        print(f"machine: {platform.node()}, {cpu_name()}, {os.cpu_count()} cores", flush=True)
        phases("one host", servers, *(("run.sh", "echo first line") if a.script else ("main.cpp", FIRST_LINE)), a.jobs)
        if shutil.which("mpirun"):
            phases("two hosts, a rank each", {"now": server}, "main.cpp", FIRST_LINE_OF_RANKS, a.jobs, **TWO_HOSTS)
        if a.rounds > 0:
            throughput(data, a.rounds, a.epochs)
    finally:
        for one in servers.values():
            one.stop()
        shutil.rmtree(root, ignore_errors=True)


main()
