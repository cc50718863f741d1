#!/usr/bin/env python3
"""How fast the console shows itself, curves, long lists and logs, and whether it stays small; MLflow's UI on the same curves.

usage: scripts/bench console [--rounds N] [--points N] [--jobs N] [--follow MINUTES] [--only WORDS] [--no-mlflow]

In Debian's Chromium on this machine: from an address to the first paint; from a comparison's address to its first chart, of 20 jobs
with `points` samples each, and a zoom into it; one page of `jobs` training jobs; how far a page's log is behind the program; the
browser's heap and the server's memory while two pages follow a job's log and curves for so many minutes (60), at 30 times the
speed of real time. MLflow's UI (from PyPI, in an environment of its own that this makes) shows the same curves in the same browser.
--only: the parts whose names have one of these words. Needs scripts/setup --browser and a release build."""
import argparse
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

ROOT = pathlib.Path(__file__).resolve().parents[1]
PYTHON = ROOT / "build/venv/browser/bin/python"
if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])

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


def block_of(values, begin, end):
    """The bytes of a block of samples a second apart (docs/formats/data-directory.md)."""
    step = bytes([0xd1, 0x0f])  # 1000 ms, shifted by one bit, which says that a sample is one value
    return b"".join((step if i > begin else b"\x01") + struct.pack("<d", values[i]) for i in range(begin, end))


def put_curves(server, points):
    """`points` samples of train:loss for each of 20 jobs, a second apart, as rows of blocks."""
    server.stop()
    per_block = 390
    with sqlite3.connect(server.directory / "meta.db") as db:
        account, = db.execute("SELECT account_id FROM training_jobs LIMIT 1").fetchone()
        start = int(time.time() * 1000) - points * 1000
        values = [2 / (1 + i / 500) + (i * 2654435761 % 1000) / 5000 for i in range(points)]
        for number in range(CURVES):
            series = db.execute("INSERT INTO metric_series (account_id, namespace, name, dimensions, first_ms, last_ms, samples) VALUES (?, ?, 'train:loss', ?, ?, ?, ?)",
                                (account, NAMESPACE, f'[["TrainingJobName","job-{number:05}"]]', start, start + (points - 1) * 1000, points)).lastrowid
            db.execute("INSERT INTO metric_dimensions (account_id, series_id, name, value) VALUES (?, ?, 'TrainingJobName', ?)", (account, series, f"job-{number:05}"))
            for begin in range(0, points, per_block):
                end = min(begin + per_block, points)
                db.execute("INSERT INTO metric_blocks (series_id, start_ms, part, last_ms, samples, bytes) VALUES (?, ?, 0, ?, ?, ?)",
                           (series, start + begin * 1000, start + (end - 1) * 1000, end - begin, block_of(values, begin, end)))
    server.start()


def first_paint(context):
    page = context.new_page()
    page.goto("/console/jobs")
    page.wait_for_selector("tbody tr")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.close()
    return painted


def first_chart(context):
    """From the address of a comparison of all curves, in a page that is new, to the first canvas that has been drawn on."""
    page = context.new_page()
    page.goto("/console/compare?jobs=" + ",".join(f"job-{number:05}" for number in range(CURVES)))
    drawn = page.evaluate("""() => new Promise(done => {
        const look = () => [...document.querySelectorAll('.chart canvas')].some(canvas => canvas.width > 0) ? done(performance.now()) : requestAnimationFrame(look);
        look();
    })""")
    page.close()
    return drawn


def zoom(client_page, points):
    """A request for the middle tenth of all curves, as a zoom makes it, until the page has its answer."""
    return client_page.evaluate("""async ([curves, from, to]) => {
        const begun = performance.now();
        const reply = await fetch('/console/api/headrace/GetMetricCurves', {method: 'POST', headers: {'X-Headrace-Console': '1'},
            body: JSON.stringify({Columns: 800, From: from, To: to, Curves: curves})});
        await reply.json();
        return performance.now() - begun;
    }""", [[{"Namespace": NAMESPACE, "MetricName": "train:loss", "Dimensions": [{"Name": "TrainingJobName", "Value": f"job-{number:05}"}]} for number in range(CURVES)],
           time.time() - points * 0.55, time.time() - points * 0.45])


def listed(context):
    page = context.new_page()
    page.goto("/console/health")
    page.wait_for_selector("h1")
    page.evaluate("window.begun = performance.now()")
    page.get_by_role("link", name="Training jobs").click()
    shown = page.evaluate("""() => new Promise(done => {
        const look = () => document.querySelectorAll('tbody tr').length >= 100 && document.querySelector('h1').textContent === 'Training jobs'
            ? done(performance.now() - window.begun) : requestAnimationFrame(look);
        look();
    })""")
    page.close()
    return shown


def log_delay(context, client, rounds):
    """A job prints the time, a line each 100 ms; how old a line is when the page shows it."""
    client("sagemaker").create_training_job(
        TrainingJobName=f"clock-{time.time_ns()}"[:40], RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": "s3://bench-console/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File",
                                "ContainerEntrypoint": ["/bin/sh", "-c", f"for i in $(seq {rounds * 10 + 60}); do date +%s%3N; sleep 0.1; done"]},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, StoppingCondition={"MaxRuntimeInSeconds": 600})
    name = client("sagemaker").list_training_jobs(MaxResults=1, SortBy="CreationTime", SortOrder="Descending", NameContains="clock")["TrainingJobSummaries"][0]["TrainingJobName"]
    page = context.new_page()
    page.goto(f"/console/jobs/{name}?tab=logs")
    page.locator(".log pre div").nth(5).wait_for()
    delays = page.evaluate("""rounds => new Promise(done => {
        const delays = []; let last = '';
        new MutationObserver(() => {
            const lines = [...document.querySelectorAll('.log pre div')].map(line => line.textContent.trim()).filter(text => /^\\d{13}$/.test(text));
            if (lines.length && lines.at(-1) !== last) { last = lines.at(-1); delays.push(Date.now() - Number(last)); }
            if (delays.length >= rounds) done(delays);
        }).observe(document.querySelector('.log'), {subtree: true, childList: true, characterData: true});
    })""", rounds)
    page.close()
    client("sagemaker").stop_training_job(TrainingJobName=name)
    return delays


# ---- memory

SPEED = 30
LINES_A_SECOND = 10  # of the program's time; every tenth has a value


def resident_mib(process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


class Followed:
    """A page whose timers run 30 times as fast; what it has asked for is counted."""

    def __init__(self, context, place, operation):
        self.page = context.new_page()
        self.page.add_init_script(f"const real = window.setTimeout; window.setTimeout = (work, pause, ...more) => real(work, pause / {SPEED}, ...more);")
        self.reads = 0
        self.page.on("requestfinished", lambda request: self.count(request.url.endswith(operation)))
        self.devtools = context.new_cdp_session(self.page)
        self.page.goto(place)

    def count(self, one):
        self.reads += one

    def heap_mib(self):
        self.devtools.send("HeapProfiler.collectGarbage")
        return self.devtools.send("Runtime.getHeapUsage")["usedSize"] / 2**20

    def nodes(self):
        self.devtools.send("Performance.enable")
        return next(int(figure["value"]) for figure in self.devtools.send("Performance.getMetrics")["metrics"] if figure["name"] == "Nodes")


def follow(context, client, server, minutes):
    """A row for each twelfth of the time: what the pages have read, and what they and the server hold. An hour of real time is 3,600
    reads of curves and 14,400 of the log; a page's heap grows by the log's lines alone."""
    lines = f"for line in 1 2 3 4 5 6 7 8 9; do echo \"a line of the log, as programs print them: step $i, $line of 10\"; done; echo \"step $i - loss: 0.$i\""
    pause = 10 / LINES_A_SECOND / SPEED
    client("sagemaker").create_training_job(
        TrainingJobName="followed", RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": "s3://bench-console/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File", "MetricDefinitions": [{"Name": "train:loss", "Regex": "loss: ([0-9.]+)"}],
                                "ContainerEntrypoint": ["/bin/sh", "-c", f"i=1; while :; do {lines}; i=$((i + 1)); sleep {pause:.4f}; done"]},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, StoppingCondition={"MaxRuntimeInSeconds": 86400})
    pages = {"log": Followed(context, "/console/jobs/followed?tab=logs", "GetLogEvents"), "curves": Followed(context, "/console/jobs/followed", "GetMetricCurves")}
    pages["curves"].page.locator(".chart canvas").first.wait_for()
    begun = time.monotonic()
    print(f"{'minutes followed':>18}{'log reads':>11}{'lines':>9}{'heap MiB':>10}{'nodes':>7}{'curve reads':>13}{'heap MiB':>10}{'nodes':>7}{'server MiB':>12}")
    for part in range(13):
        while (passed := (time.monotonic() - begun) * SPEED / 60) < minutes * part / 12:
            pages["log"].page.wait_for_timeout(100)  # Playwright counts requests meanwhile
        shown = pages["log"].page.locator("section[aria-label=Log] .tools span").last.inner_text().split()[0]
        print(f"{passed:>18.1f}{pages['log'].reads:>11}{shown:>9}{pages['log'].heap_mib():>10.1f}{pages['log'].nodes():>7}"
              f"{pages['curves'].reads:>13}{pages['curves'].heap_mib():>10.1f}{pages['curves'].nodes():>7}{resident_mib(server.process.pid):>12.1f}", flush=True)
    for one in pages.values():
        one.page.close()
    client("sagemaker").stop_training_job(TrainingJobName="followed")


# ---- MLflow

class MLflow:
    def __init__(self, directory, points):
        python = ROOT / "build/venv/mlflow/bin/python"
        subprocess.run([ROOT / "scripts/setup", "--mlflow"], check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([python, ROOT / "bench/peers/mlflow_ui.py", directory, str(CURVES), str(points)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)

    def first_chart(self, context):
        """From the address of the experiment's charts, in a page that is new, to the curves of all runs."""
        page = context.new_page()
        page.goto(f"{self.place['url']}/#/experiments/{self.place['experiment']}/runs?compareRunsMode=CHART")
        drawn = page.evaluate("""() => new Promise(done => {
            const look = () => document.querySelector('.scatterlayer path.js-line') ? done(performance.now()) : requestAnimationFrame(look);
            look();
        })""")
        page.close()
        return drawn

    def zoom(self, page, points):
        """What its page asks for the middle tenth of all curves."""
        query = "&".join(f"run_ids={run}" for run in self.place["runs"])
        return page.evaluate("""async path => {
            const begun = performance.now();
            const reply = await fetch(path);
            if (!reply.ok) throw new Error(await reply.text());
            await reply.json();
            return performance.now() - begun;
        }""", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}&metric_key={quote('train:loss')}&max_results=320"
              f"&start_step={int(points * 0.45)}&end_step={int(points * 0.55)}")


def show(name, figures, wanted=""):
    print(f"{name:<46}{statistics.median(figures):>12.0f}{max(figures):>12.0f}{wanted:>9}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--follow", type=float, default=60, metavar="MINUTES")
    parser.add_argument("--only", nargs="*", default=[""])
    parser.add_argument("--no-mlflow", action="store_true")
    options = parser.parse_args()
    chosen = lambda name: any(word in name for word in options.only)  # noqa: E731
    with tempfile.TemporaryDirectory(prefix="headrace_bench_console_") as directory, sync_playwright() as playwright:
        server = Server(pathlib.Path(directory) / "data")
        client = lambda service: boto3.client(service, endpoint_url=server.url, region_name="us-west-2", aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"],  # noqa: E731
                                              aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"])
        make_jobs(server, client, options.jobs)
        put_curves(server, options.points)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else [])
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        page.goto(server.headrace("console", "--print").stdout.split()[-1])
        page.get_by_role("button", name="Sign out").wait_for()
        rounds = range(options.rounds)
        curves = f"{CURVES} x {options.points:,} samples"
        print(f"{'':<46}{'median ms':>12}{'worst ms':>12}{'wanted':>9}")
        for name, measure, wanted in (
                ("first paint", lambda: [first_paint(context) for _ in rounds], 300),
                (f"first chart, {curves}", lambda: [first_chart(context) for _ in rounds], 300),
                ("zoom into a tenth of them", lambda: [zoom(page, options.points) for _ in rounds], 50),
                (f"first page of {options.jobs:,} jobs", lambda: [listed(context) for _ in rounds], 200),
                ("a log line's age when it is shown", lambda: log_delay(context, client, 5 * options.rounds), 300)):
            if chosen(name):
                show(name, measure(), wanted)
        if chosen("MLflow") and not options.no_mlflow:
            mlflow = MLflow(pathlib.Path(directory), options.points)
            mlflow_page = context.new_page()
            mlflow_page.goto(mlflow.place["url"] + "/health")
            show(f"MLflow: first chart, {curves}", [mlflow.first_chart(context) for _ in rounds])
            show("MLflow: zoom into a tenth of them", [mlflow.zoom(mlflow_page, options.points) for _ in rounds])
            mlflow.stop()
        if chosen("follow") and options.follow > 0:
            follow(context, client, server, options.follow)
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
