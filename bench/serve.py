"""How long `headrace serve` takes to start and to stop, and what memory it wants when idle.

usage: scripts/bench serve [--rounds N]
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADRACE = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "headrace"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident_mib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def round_trip(directory):
    """Milliseconds to the first answer and to the end, and MiB when idle."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen([HEADRACE, "serve", "--data-dir", directory, "--listen", f"127.0.0.1:{port}"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()  # "headrace serves …"
    urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read()
    started = time.perf_counter() - begun
    time.sleep(0.5)
    memory = resident_mib(process)
    begun = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.wait()
    return started * 1e3, memory, (time.perf_counter() - begun) * 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="headrace_bench_serve_", dir=ROOT / "build"))
    try:
        first = round_trip(root / "data")
        later = [round_trip(root / "data") for _ in range(arguments.rounds)]
    finally:
        shutil.rmtree(root)
    start, memory, stop = (statistics.median(column) for column in zip(*later))
    print(f"first start, with new keys and certificates: {first[0]:.0f} ms to the first answer")
    print(f"start: {start:.0f} ms (median of {arguments.rounds}); stop: {stop:.0f} ms; idle: {memory:.1f} MiB")


main()
