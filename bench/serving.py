"""Serving the example's CNN: Headrace's model server beside TensorFlow behind a minimal server, and beside Headrace's own
in-process parse and compute.

usage: scripts/bench serving [--seconds S]    needs a release build and build/venv/tensorflow
"""

import argparse
import http.client
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build/venv/tensorflow/bin/python"
if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [PYTHON, *sys.argv])
sys.path.insert(0, str(ROOT / "tests/tensorflow"))

import tempfile

import numpy as np

from model_server import BIN, ModelServer

PEER = ROOT / "bench/peers/tensorflow_server.py"
PATH = "/v1/models/m:predict"


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def run_clients(port, body, headers, clients, seconds):
    """Latencies in milliseconds, and requests a second."""
    latencies, failures = [[] for _ in range(clients)], []
    end = time.perf_counter() + seconds

    def client(own):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < end:
            start = time.perf_counter()
            connection.request("POST", PATH, body, headers)
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
    assert not failures, failures
    everything = sorted(sum(latencies, []))
    return everything, len(everything) / (time.perf_counter() - start)


def in_process(directory, batch):
    """Milliseconds for parsing the JSON and for computing, in one process: medians."""
    out = subprocess.run([BIN / "serving_floor", directory, str(batch)], check=True, capture_output=True, text=True).stdout
    return {key: float(value) for key, value in (line.split() for line in out.splitlines())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([BIN / "export_models", directory], check=True)
        base = pathlib.Path(directory) / "cnn"
        images = np.load(base / "inputs.npy")
        x = {1: images[:1], 128: np.concatenate([images, images])[:128]}
        floor = {batch: in_process(base / "1", batch) for batch in x}
        for batch, times in floor.items():
            print(f"in process, batch {batch}: parse {times['parse']:.2f} ms, compute {times['compute']:.2f} ms, print {times['print']:.2f} ms")
        print(f"{'server':<12} {'batch':>5} {'body':>5} {'clients':>7} {'p50 ms':>8} {'p99 ms':>8} {'req/s':>8} {'images/s':>9} {'to floor':>8}")
        with ModelServer(base, "m") as server:
            print(f"(headrace started in {server.startup_seconds * 1e3:.0f} ms)")
            before = server.resident_kib()
            measure("headrace", server.port, x, floor, arguments.seconds)
            print(f"(headrace's memory: {before // 1024} MiB at the start, {server.resident_kib() // 1024} MiB after the load)")
        peer = subprocess.Popen([PYTHON, PEER, base / "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            measure("tensorflow", int(peer.stdout.readline()), x, floor, arguments.seconds)
        finally:
            peer.kill()
            peer.wait()


def measure(name, port, x, floor, seconds):
    for batch, array in x.items():
        for kind in ["json", "npy"]:
            body = json.dumps({"instances": array.tolist()}).encode() if kind == "json" else npy(array)
            headers = {"Content-Type": "application/json" if kind == "json" else "application/x-npy"}
            if kind == "npy":
                headers["Accept"] = "application/x-npy"
            run_clients(port, body, headers, 1, 0.5)
            for clients in [1, 8, 64]:
                latencies, rate = run_clients(port, body, headers, clients, seconds)
                least = floor[batch]["compute"] + (floor[batch]["parse"] if kind == "json" else 0)
                ratio = f"{statistics.median(latencies) / least:8.2f}" if clients == 1 else " " * 8
                print(f"{name:<12} {batch:>5} {kind:>5} {clients:>7} {statistics.median(latencies):8.2f} "
                      f"{latencies[int(len(latencies) * 0.99)]:8.2f} {rate:8.1f} {rate * batch:9.0f} {ratio}", flush=True)


main()
