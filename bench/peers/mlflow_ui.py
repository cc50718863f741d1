#!/usr/bin/env python3
"""MLflow's UI over runs with one long curve each. usage: mlflow_ui.py DIRECTORY RUNS POINTS

Prints a line of JSON once it answers, {"url", "experiment", "runs"}, and serves until its input ends. Runs are made by MLflow's
client; their points, the same as the console's bench has, are put as rows into its database."""
import json
import pathlib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

import mlflow

KEY = "train:loss"


def make_runs(store, count, points):
    client = mlflow.MlflowClient(tracking_uri=store)
    experiment = client.create_experiment("curves")
    runs = [client.create_run(experiment, run_name=f"job-{number:05}").info.run_id for number in range(count)]
    value = lambda i: 2 / (1 + i / 500) + (i * 2654435761 % 1000) / 5000  # noqa: E731
    start = int(time.time() * 1000) - points * 1000
    for run in runs:
        client.log_metric(run, KEY, value(points - 1), timestamp=start + (points - 1) * 1000, step=points - 1)
        client.set_terminated(run)
    with sqlite3.connect(store.removeprefix("sqlite:///")) as db:
        for run in runs:
            db.executemany("INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
                           ((KEY, value(i), start + i * 1000, run, i) for i in range(points - 1)))
    return experiment, runs


def main():
    directory, count, points = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    store = f"sqlite:///{directory}/mlflow.db"
    experiment, runs = make_runs(store, count, points)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", str(directory / "artifacts"),
                               "--host", "127.0.0.1", "--port", str(port)], stdout=open(directory / "mlflow.log", "wb"), stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(url + "/health", timeout=2).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"mlflow server does not answer:\n{(directory / 'mlflow.log').read_text()[-4000:]}")
                time.sleep(0.2)
        print(json.dumps({"url": url, "experiment": experiment, "runs": runs}), flush=True)
        sys.stdin.read()
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
