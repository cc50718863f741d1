#!/usr/bin/env python3
"""How fast the console shows itself, curves, long lists and logs. usage: scripts/bench console [--rounds N] [--points N] [--jobs N]

In Debian's Chromium on this machine: from an address to the first paint; from a comparison's address to its first chart, of 20 jobs
with `points` samples each, and a zoom into it; one page of `jobs` training jobs; how far a page's log is behind the program.
Needs scripts/setup --browser and a release build."""
import argparse
import os
import pathlib
import statistics
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PYTHON = ROOT / "build/venv/browser/bin/python"
if pathlib.Path(sys.executable).resolve() != PYTHON.resolve() or sys.prefix != str(ROOT / "build/venv/browser"):
    if not PYTHON.exists():
        sys.exit("bench: there is no build/venv/browser; run scripts/setup --browser")
    os.execv(PYTHON, [PYTHON, *sys.argv])

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests/browser"))
import boto3  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from platform_fixtures import Server  # noqa: E402

CURVES = 20
NAMESPACE = "/aws/sagemaker/TrainingJobs"


def make_jobs(server, client, count):
    """One job by the API, the others as rows like it: nothing of them has to run."""
    s3 = client("s3")
    s3.create_bucket(Bucket="bench-console", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    client("sagemaker").create_training_job(
        TrainingJobName="job-00000", RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": "s3://bench-console/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/true"]},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, StoppingCondition={"MaxRuntimeInSeconds": 600})
    while client("sagemaker").describe_training_job(TrainingJobName="job-00000")["TrainingJobStatus"] != "Completed":
        time.sleep(0.05)
    server.stop()
    with sqlite3.connect(server.directory / "meta.db") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(training_jobs)")]
        key = [row[1] for row in db.execute("PRAGMA table_info(training_jobs)") if row[5] and row[1] in ("id", "sequence")]
        kept = [column for column in columns if column not in key]
        first = dict(zip(kept, db.execute(f"SELECT {', '.join(kept)} FROM training_jobs").fetchone()))
        for number in range(1, count):
            row = {**first, "name": f"job-{number:05}", "arn": first["arn"].replace("job-00000", f"job-{number:05}")}
            db.execute(f"INSERT INTO training_jobs ({', '.join(kept)}) VALUES ({', '.join('?' * len(kept))})", [row[column] for column in kept])
    server.start()


def put_curves(server, points):
    """`points` samples of train:loss for each of 20 jobs, a second apart, as rows."""
    server.stop()
    with sqlite3.connect(server.directory / "meta.db") as db:
        account, = db.execute("SELECT account_id FROM training_jobs LIMIT 1").fetchone()
        start = int(time.time() * 1000) - points * 1000
        for number in range(CURVES):
            series = db.execute("INSERT INTO metric_series (account_id, namespace, name, dimensions, first_ms, last_ms) VALUES (?, ?, 'train:loss', ?, ?, ?)",
                                (account, NAMESPACE, f'{{"TrainingJobName":"job-{number:05}"}}', start, start + (points - 1) * 1000)).lastrowid
            db.execute("INSERT INTO metric_dimensions VALUES (?, ?, 'TrainingJobName', ?)", (account, series, f"job-{number:05}"))
            db.executemany("INSERT INTO metric_samples VALUES (?, ?, ?, 1, ?, ?, ?, 'None')",
                           ((series, start + i * 1000, i, value, value, value) for i in range(points) for value in [2 / (1 + i / 500) + (i * 2654435761 % 1000) / 5000]))
    server.start()
