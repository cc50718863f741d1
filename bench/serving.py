#!/usr/bin/env python3
"""Serving the example's CNN: Headrace's model server beside TensorFlow and ONNX Runtime behind a minimal server, beside
Headrace's own in-process parse and compute, and beside the least that HTTP costs here.

usage: scripts/bench serving [--seconds S] [--clients 1,8,64] [--servers headrace,tensorflow,onnxruntime]
       scripts/bench serving --network ResNet50 --size 64 [--batches 1,8]    a network of keras.applications, random weights
       scripts/bench serving --against DIR [--rounds N]    beside the model server of another build (its bin directory), in turns
       scripts/bench serving --soak SECONDS      full load and a new version every few seconds: no request may fail, and
                                                 memory must not grow
Needs a release build, build/venv/tensorflow and build/venv/torch (scripts/setup --peers).
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build/venv/tensorflow/bin/python"
if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [PYTHON, *sys.argv])
sys.path.insert(0, str(ROOT / "tests/tensorflow"))

import numpy as np

from model_server import BIN, ModelServer

PATH = "/v1/models/m:predict"
KINDS = {"json": ("application/json", "application/json"), "npy": ("application/x-npy", "application/x-npy")}
PEERS = {"tensorflow": "tensorflow", "onnxruntime": "torch"}  # and their environments
ROW = "{:<12} {:>5} {:>5} {:>7} {:>9} {:>9} {:>9} {:>10} {:>9} {:>9} {}"
ANSWER_BYTES = 200


def load_command(port, body, kind, clients, seconds, *rate):
    return list(map(str, [BIN / "bench_serving_load", port, PATH, body, *KINDS[kind], clients, seconds, *rate]))


def load(*arguments):
    done = subprocess.run(load_command(*arguments), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"serving: {done.stderr}")
    result = json.loads(done.stdout)
    assert result["failed"] == 0, done.stderr
    return result


def in_process(directory, batch, threads, seconds=0.5):
    """Milliseconds for parsing the JSON, for computing and for printing, in one process: medians."""
    out = subprocess.run([BIN / "serving_floor", directory, str(batch), str(seconds)], check=True, capture_output=True, text=True,
                         env={**os.environ, "OMP_NUM_THREADS": str(threads)}).stdout
    return {key: float(value) for key, value in (line.split() for line in out.splitlines())}


def echo(bodies):
    """Milliseconds of a lone client's request to a server that does nothing else: median of the same bodies."""
    times = {}
    with subprocess.Popen([BIN / "bench_echo", str(ANSWER_BYTES)], stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline())
        for (batch, kind), body in bodies.items():
            times[batch, kind] = load(port, body, kind, 1, 0.5)["p50"]
        server.kill()
    return times


def write_bodies(images, batches, directory):
    bodies = {}
    for batch in batches:
        x = np.concatenate([images] * -(-batch // len(images)))[:batch]
        for kind in KINDS:
            path = bodies[batch, kind] = pathlib.Path(directory) / f"{batch}.{kind}"
            if kind == "json":
                path.write_text(json.dumps({"instances": x.tolist()}))
            else:
                with open(path, "wb") as file:
                    np.save(file, x)
    return bodies


class Peer:
    def __init__(self, name, version, threads):
        command = [ROOT / f"build/venv/{PEERS[name]}/bin/python", ROOT / f"bench/peers/{name}_serving.py", version, str(threads)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env={**os.environ, "OMP_NUM_THREADS": str(threads)})

    def __enter__(self):
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def show(name, batch, kind, clients, r, *ratios):
    print(ROW.format(name, batch, kind, clients, f"{r['p50']:.2f}", f"{r['p99']:.2f}", f"{r['rate']:.1f}", f"{r['rate'] * batch:.0f}",
                     *(*ratios, "", "", "")[:3]), flush=True)


TURNS = 5  # of a lone client and the same work in one process: the processors' clock is not the same all the time


def lone_client(port, body, kind, batch, floor, arguments):
    """The turn in the middle, by p50 over parse and compute: its result, and what that took beside it."""
    turns = []
    for _ in range(TURNS):
        times = floor(batch)
        least = times["compute"] + (times["parse"] if kind == "json" else 0)
        turns.append((load(port, body, kind, 1, arguments.seconds / TURNS), least))
    return sorted(turns, key=lambda turn: turn[0]["p50"] / turn[1])[TURNS // 2]


def measure(name, port, bodies, floor, http, arguments):
    for (batch, kind), body in bodies.items():
        load(port, body, kind, 1, 0.5)
        for clients in arguments.clients:
            if clients == 1:
                r, least = lone_client(port, body, kind, batch, floor, arguments)
                show(name, batch, kind, clients, r, f"{r['p50'] / least:.2f}", f"{r['p50'] / (least + http[batch, kind]):.2f}")
            else:
                r = load(port, body, kind, clients, arguments.seconds)
                show(name, batch, kind, clients, r)
        if name == "headrace":
            for part, how in [(0.5, "even"), (0.8, "even"), (0.8, "poisson")]:
                paced = load(port, body, kind, 64, arguments.seconds, part * r["rate"], how)
                show(name, batch, kind, f"{part:.0%} {how[0]}", paced, f"{paced['typical_tail']:.2f}x p50",
                     f"all {paced['p99'] / paced['p50']:.1f}x", f"{paced['late']:.1%} late")


SMALL_RUN_MS = 0.5  # what the model server computes on one thread


def in_process_times(version, batches):
    """For each batch the threads that the model server computes it with, and the times with so many."""
    times = {}
    for batch in batches:
        alone = in_process(version, batch, 1)
        small = alone["compute"] < SMALL_RUN_MS
        times[batch] = (1, alone) if small else (os.cpu_count(), in_process(version, batch, os.cpu_count()))
    return times


def compare(version, bodies, arguments):
    threads = in_process_times(version, arguments.batches)
    floor = lambda batch: in_process(version, batch, threads[batch][0])
    http = echo(bodies)
    name = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    print(f"machine: {name.group(1) if name else '?'}, {os.cpu_count()} processors, the load generator among them")
    pauses = json.loads(subprocess.run([BIN / "bench_pauses", "5"], check=True, capture_output=True, text=True).stdout)
    print(f"threads that only read the clock: {pauses['per_second']:.1f} pauses of more than 1 ms a second, at most "
          f"{pauses['longest']:.1f} ms, {pauses['lost']:.2%} of the time lost")
    for batch, (count, times) in threads.items():
        print(f"in process, batch {batch}, {count} threads: parse {times['parse']:.3f} ms, compute {times['compute']:.3f} ms, "
              f"print {times['print']:.3f} ms")
    print("a server that only answers: " + ", ".join(f"{batch} {kind} {ms:.3f} ms" for (batch, kind), ms in http.items()))
    print(ROW.format("server", "batch", "body", "clients", "p50 ms", "p99 ms", "req/s", "images/s", "to floor", "with HTTP", ""))
    for server in arguments.servers:
        if server == "headrace":
            with ModelServer(version.parent, "m") as running:
                before = running.resident_kib()
                measure(server, running.port, bodies, floor, http, arguments)
                print(f"(started in {running.startup_seconds * 1e3:.0f} ms; {before // 1024} MiB at the start, {running.resident_kib() // 1024} MiB after)")
        else:
            with Peer(server, version, os.cpu_count()) as running:
                measure(server, running.port, bodies, floor, http, arguments)


PACED = [50, 500, 1000, 1500, 6000]  # requests a second of single images


def one_build(bin_directory, version, bodies, seconds):
    """Images a second at 64 clients, and p50 of a lone client; of single images p50 and p99 at some rates: by body."""
    with ModelServer(version.parent, "m", program=bin_directory / "headrace") as server:
        results = {}
        for (batch, kind), body in bodies.items():
            load(server.port, body, kind, 1, 0.3)
            results[batch, kind, "1 client, p50 ms"] = load(server.port, body, kind, 1, seconds)["p50"]
            results[batch, kind, "64 clients, images/s"] = batch * load(server.port, body, kind, 64, seconds)["rate"]
            for rate in PACED if batch == 1 else []:
                paced = load(server.port, body, kind, 64, seconds, rate, "even")
                results.update({(batch, kind, f"{rate} requests/s, {part} ms"): paced[part] for part in ("p50", "p99")})
        return results


def against(other, version, bodies, arguments):
    rounds = [[one_build(directory, version, bodies, arguments.seconds) for directory in (other, BIN)] for _ in range(arguments.rounds)]
    print(f"{'':>36} {'other':>10} {'this':>10}   medians of {arguments.rounds} rounds")
    for key in rounds[0][0]:
        before, now = (float(np.median([each[side][key] for each in rounds])) for side in (0, 1))
        print(f"{key[0]:>4} {key[1]:<5} {key[2]:<25} {before:>10.3f} {now:>10.3f}  {now / before:.2f}x")


def soak(directory, version, bodies, seconds):
    base = pathlib.Path(directory) / "versions"
    shutil.copytree(version, base / "1")
    with ModelServer(base, "m", "--file_system_poll_wait_seconds", "0.2") as server:
        loads = [subprocess.Popen(load_command(server.port, bodies[batch, kind], kind, clients, seconds), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
                 for batch, kind, clients in [(1, "json", 8), (1, "npy", 8), (128, "json", 1), (128, "npy", 1)]]
        start, number, sizes = time.monotonic(), 1, []
        while all(l.poll() is None for l in loads):
            number += 1
            shutil.copytree(version, base / f".{number}")
            (base / f".{number}").rename(base / str(number))
            wait_for(server, number, start + seconds)
            shutil.rmtree(base / str(number - 1))
            time.sleep(1)
            sizes.append((time.monotonic() - start, server.resident_kib() / 1024))
            if len(sizes) % 10 == 0:
                print(f"after {sizes[-1][0]:.0f} s: version {number}, {sizes[-1][1]:.0f} MiB", flush=True)
        results = [l.communicate() for l in loads]
        failed = 0
        for l, (out, error) in zip(loads, results):
            assert l.returncode == 0, error
            print(out.strip())
            failed += json.loads(out)["failed"]
    early = [size for at, size in sizes if seconds / 4 <= at < seconds / 2]
    late = [size for at, size in sizes if at >= 3 * seconds / 4]
    print(f"soak: {seconds:.0f} s, {number - 1} new versions, {sum(json.loads(out)['requests'] for out, _ in results)} requests, {failed} failed; "
          f"memory {np.median(early):.0f} MiB in the second quarter, {np.median(late):.0f} MiB in the last")
    if failed or np.median(late) > 1.1 * np.median(early):
        raise SystemExit("soak: failed")


def wait_for(server, number, deadline):
    while time.monotonic() < deadline:
        with urllib.request.urlopen(server.url + "/v1/models/m", timeout=30) as answer:
            states = {v["version"]: v["state"] for v in json.load(answer)["model_version_status"]}
        if states.get(str(number)) == "AVAILABLE" and states.get(str(number - 1)) == "END":
            return
        assert states.get(str(number)) != "END", states
        time.sleep(0.05)


def example_cnn(directory):
    subprocess.run([BIN / "export_models", directory], check=True)
    base = pathlib.Path(directory) / "cnn"
    return base / "1", np.load(base / "inputs.npy")


def application(name, size, directory):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    version = pathlib.Path(directory) / name / "1"
    getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3)).export(str(version), verbose=False)
    return version, np.random.default_rng(1).random((8, size, size, 3), np.float32)


def main():
    numbers = lambda text: list(map(int, text.split(",")))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--clients", type=numbers, default=[1, 8, 64])
    parser.add_argument("--batches", type=numbers, default=[1, 128])
    parser.add_argument("--servers", type=lambda text: text.split(","), default=["headrace", *PEERS])
    parser.add_argument("--network")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        version, images = application(arguments.network, arguments.size, directory) if arguments.network else example_cnn(directory)
        if arguments.soak:
            soak(directory, version, write_bodies(images, [1, 128], directory), arguments.soak)
        elif arguments.against:
            against(arguments.against, version, write_bodies(images, arguments.batches, directory), arguments)
        else:
            compare(version, write_bodies(images, arguments.batches, directory), arguments)


main()
