#!/usr/bin/env python3
"""Allreduce of float32 values: ours beside MPI_Allreduce, Gloo and PyTorch's gloo, one table a setting.

Usage: scripts/bench allreduce [--seconds 0.5] [--ranks 2 4] [--sizes BYTES...] [--ways planned MPI_Allreduce...] [SETTING...]
Settings: host (ranks of one host), hosts (each rank a "host" of this machine: its own processes and /dev/shm), 1gbit and
10gbit (two network namespaces, each a machine of its own with one processor, over a link of that speed, which lets no more than
128 KB through at once; needs root). Without: all.
"planned" is what gradients use. "named" is hvd::allreduce_, which repeats here as in training. The copy is the floor on one machine: in
place, each rank reads and writes as many bytes. MPI_Sendrecv is the floor between two: both ranks' values travel, and nobody adds them up.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "build/release/bin/bench_allreduce"
TORCH = ROOT / "build/venv/torch/bin/python"
SIZES = [1 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 2_200_000, 8 << 20, 64 << 20]
FAKE_HOST = ROOT / "tests/fake-host"


# Machines of one processor each.
ONE_PROCESSOR_EACH = ["sh", "-c", 'exec taskset -c $OMPI_COMM_WORLD_RANK "$@"', "sh"]


def run(*command):
    subprocess.run(list(map(str, command)), check=True)


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    return f"{re.search(r'model name.*: (.*)', text).group(1)}, {os.cpu_count()} processors"


@contextlib.contextmanager
def link(rate):
    """Two network namespaces and a link between them: the names of both."""
    names = [f"hvdbench{os.getpid()}{side}" for side in "ab"]
    try:
        for name in names:
            run("ip", "netns", "add", name)
        run("ip", "link", "add", "hvd0", "netns", names[0], "type", "veth", "peer", "name", "hvd0", "netns", names[1])
        for number, name in enumerate(names, 1):
            inside = ["ip", "netns", "exec", name]
            run(*inside, "ip", "address", "add", f"10.213.0.{number}/24", "dev", "hvd0")
            for device in ("lo", "hvd0"):
                run(*inside, "ip", "link", "set", device, "up")
            run(*inside, "tc", "qdisc", "add", "dev", "hvd0", "root", "tbf", "rate", rate, "burst", "128kb", "latency", "20ms")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)


def mpirun(ranks, hosts=False, names=None):
    command = ["mpirun", "-bind-to", "none", "--oversubscribe"]
    if names:
        command = ["ip", "netns", "exec", names[0], *command]
    interface = "10.213.0.0/24" if names else "lo"
    if hosts:
        agent = f"{FAKE_HOST} -n algo-2={names[1]}" if names else FAKE_HOST
        command += ["--host", ",".join(f"algo-{i + 1}:1" for i in range(ranks)), "--leave-session-attached",
                    "--mca", "plm_rsh_agent", agent, "--mca", "plm_rsh_no_tree_spawn", "1", "--mca", "btl", "tcp,vader,self",
                    "--mca", "btl_tcp_if_include", interface, "--mca", "oob_tcp_if_include", interface]
        for variable in ("GLOO_SOCKET_IFNAME", *(() if names else ("HEADRACE_SHARED_MEMORY_DIR",))):
            command += ["-x", variable]
    return [*map(str, command), "-np", str(ranks)]


def measure(command, program, arguments, interface, shared=None):
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "GLOO_SOCKET_IFNAME": interface}
    if shared:
        environment["HEADRACE_SHARED_MEMORY_DIR"] = str(shared)
    done = subprocess.run([*command, *map(str, program), *map(str, arguments)], env=environment, text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        print(f"failed with {done.returncode}: {' '.join([*command, *map(str, program)])}", file=sys.stderr)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def table(title, results):
    ways = list(dict.fromkeys(result["way"] for result in results))
    print(f"\n{title}; microseconds, median (least), and the ratio of planned to MPI_Allreduce\n")
    print("| bytes | " + " | ".join(ways) + " | planned / MPI |\n|" + "---|" * (len(ways) + 2))
    for size in dict.fromkeys(result["bytes"] for result in results):
        of = {result["way"]: result for result in results if result["bytes"] == size}
        ratio = f"{of['planned']['median_us'] / of['MPI_Allreduce']['median_us']:.2f}" if {"planned", "MPI_Allreduce"} <= of.keys() else ""
        cells = [f"{of[way]['median_us']:,.1f} ({of[way]['min_us']:,.1f})" if way in of else "" for way in ways]
        print(f"| {size:,} | " + " | ".join(cells) + f" | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--ranks", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--ways", nargs="*", default=["all"])
    parser.add_argument("settings", nargs="*", default=["host", "hosts", "1gbit", "10gbit"])
    options = parser.parse_args()
    print(machine())
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as shared, tempfile.TemporaryDirectory() as directory:
        for setting in options.settings:
            if setting == "host" or setting == "hosts":
                for ranks in options.ranks:
                    command = mpirun(ranks, hosts=setting == "hosts")
                    # bubblewrap gives each host a /dev/shm of its own, so what they share lies elsewhere.
                    results = measure(command, [BENCH], [options.seconds, ",".join(options.ways), *options.sizes], "lo", directory if setting == "hosts" else shared)
                    if TORCH.exists() and {"all", "torch"} & set(options.ways):
                        with socket.socket() as free:
                            free.bind(("127.0.0.1", 0))
                            port = free.getsockname()[1]
                        results += measure(command, [TORCH, ROOT / "bench/peers/torch_allreduce.py"], [port, options.seconds, *options.sizes], "lo", directory)
                    table(f"{ranks} ranks, {'one host' if setting == 'host' else 'each a host of this machine'}", results)
            else:
                if os.geteuid() != 0 or not shutil.which("tc"):
                    print(f"{setting}: skipped, network namespaces need root, ip and tc")
                    continue
                with link(setting) as names:
                    results = measure(mpirun(2, hosts=True, names=names), [*ONE_PROCESSOR_EACH, BENCH], [options.seconds, ",".join(options.ways), *options.sizes], "hvd0")
                    table(f"2 ranks, a machine each, over {setting}", results)


main()
