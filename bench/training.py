#!/usr/bin/env python3
"""Training the example's CNN: Headrace against Keras on TensorFlow and PyTorch, whole steps, runs interleaved.

Usage: scripts/bench training [--data DIR] [--batch 256] [--threads 2] [--rounds 3] [--steps 12]
           [--policies float32 mixed_bfloat16] [--quick]
DIR is what `headrace dataset cifar10 --data-dir DIR` writes; without it the sample's images are used. Every side reads
real records, augments, shuffles and trains on the same number of threads. --quick: the comparison alone, without the
convolutions' best times, the floor, the profile and the table of threads and batch sizes.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"
OURS = "headrace"
POLICIES = ["float32", "mixed_bfloat16"]
DTYPES = {"float32": "f32", "mixed_bfloat16": "bf16"}
# The CNN at a glance: input size, channels in, filters, output size of each 3x3 convolution.
CONVOLUTIONS = [(32, 3, 32, 32), (32, 32, 32, 30), (15, 32, 64, 15), (15, 64, 64, 13), (6, 64, 128, 6), (6, 128, 128, 4)]


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*:\s*(.*)", text)
    flags = re.search(r"^flags\s*:\s*(.*)", text, re.M).group(1).split()
    features = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in flags]
    return f"{name.group(1) if name else 'unknown processor'}, {os.cpu_count()} processors, {' '.join(features)}"


def last_json(command, threads, **environment):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", **environment)
    done = subprocess.run(list(map(str, command)), env=environment, text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"training: {command[0]} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(data, policy, batch, steps, threads, *more, **environment):
    return last_json([BIN / "bench_training", "--data", data, "--policy", policy, "--batch", batch, "--steps", steps, *more],
                     threads, **environment)


def peer(name, data, policy, batch, steps, threads):
    return last_json([ROOT / f"build/venv/{name}/bin/python", ROOT / f"bench/peers/{name}_training.py", "--data", data,
                      "--policy", policy, "--batch", batch, "--steps", steps, "--threads", threads], threads)


def compare(a):
    """{policy: {side: [results of the rounds]}}, the sides taking turns."""
    results = {policy: {side: [] for side in (OURS, "tensorflow", "torch")} for policy in a.policies}
    for _ in range(a.rounds):
        for policy in a.policies:
            results[policy][OURS].append(ours(a.data, policy, a.batch, 2 * a.steps, a.threads))
            for name in ("tensorflow", "torch"):
                results[policy][name].append(peer(name, a.data, policy, a.batch, a.steps, a.threads))
    return results


def median(results, key):
    return statistics.median(result[key] for result in results)


def print_comparison(results):
    print(f"\n{'':16}{'side':22}{'images/s':>10}{'spread':>16}{'ratio':>8}{'peak MiB':>10}")
    for policy, sides in results.items():
        base = median(sides[OURS], "images_per_second")
        for side, runs in sides.items():
            rates = [run["images_per_second"] for run in runs]
            ratio = "" if side == OURS else f"{base / median(runs, 'images_per_second'):.2f}x"
            print(f"{policy:16}{runs[0]['peer']:22}{median(runs, 'images_per_second'):10.0f}"
                  f"{min(rates):8.0f}–{max(rates):.0f}{ratio:>10}{median(runs, 'peak_mib'):10.0f}")


def convolution_times(batch, threads, dtype):
    """Milliseconds of every convolution pass by its best implementation, ours or oneDNN's: {"conv2/data": (ms, name)}."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), HEADRACE_BENCH_BATCH=str(batch))
    done = subprocess.run([BIN / "bench_conv", f"--benchmark_filter=^{dtype}/", "--benchmark_format=json",
                           "--benchmark_min_time=0.15"], env=environment, text=True, capture_output=True, check=True)
    best = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        if row.get("error_occurred"):
            continue
        _, layer, which, name = row["name"].split("/")[:4]
        key = f"{layer}/{which}"
        best[key] = min(best.get(key, (1e9, "")), (row["real_time"], name))
    return best


def floors(batch, bytes_each):
    """Operations of a step by the direct formula, and the bytes that must move when nothing is kept in a cache: every
    activation written and read once forward; forward activations and gradients read, gradients written backward."""
    flops = traffic = 0
    for size, c, f, out in CONVOLUTIONS:
        macs = batch * out * out * 9 * c * f
        flops += 2 * macs * (2 if c == 3 else 3)
        x, y = batch * size * size * c * bytes_each, batch * out * out * f * bytes_each
        traffic += (x + y) + (x + 2 * y) + (0 if c == 3 else x)
    flops += 3 * 2 * batch * (512 * 512 + 512 * 10)
    return flops, traffic


def print_distance(a, policy, step_ms, peaks):
    best = convolution_times(a.batch, a.threads, DTYPES[policy])
    total = sum(ms for ms, _ in best.values())
    print(f"\n{policy}: the convolutions' best times together {total:.1f} ms, whole step {step_ms:.1f} ms: {step_ms / total:.2f}x")
    print("  " + ", ".join(f"{key} {ms:.1f} ({name})" for key, (ms, name) in sorted(best.items())))
    flops, traffic = floors(a.batch, 4 if policy == "float32" else 2)
    peak = peaks["float32_gflops" if policy == "float32" or not peaks["bfloat16_gflops"] else "bfloat16_gflops"]
    compute, memory = flops / peak * 1e-6, traffic / peaks["copy_gb_per_s"] * 1e-6
    print(f"  floor: {flops * 1e-9:.1f} GFLOP at the measured {peak:.0f} GFLOP/s {compute:.1f} ms by the direct formula; "
          f"{traffic * 1e-6:.0f} MB at the measured {peaks['copy_gb_per_s']:.1f} GB/s {memory:.1f} ms; the step takes "
          f"{step_ms / (compute + memory):.2f}x their sum")


def print_profile(a, policy):
    environment = dict(os.environ, OMP_NUM_THREADS=str(a.threads))
    done = subprocess.run(list(map(str, [BIN / "bench_training", "--data", a.data, "--policy", policy, "--batch", a.batch, "--steps",
                                         10, "--profile"])), env=environment, text=True, capture_output=True, check=True)
    print(f"\n{policy}: where a step's time goes")
    for line in done.stdout.splitlines()[:-1]:
        print("  " + line)


def print_start(a):
    with tempfile.TemporaryDirectory() as cache:
        first = ours(a.data, "float32", a.batch, 1, a.threads, XDG_CACHE_HOME=cache)["first_step_s"]
        again = ours(a.data, "float32", a.batch, 1, a.threads, XDG_CACHE_HOME=cache)["first_step_s"]
    print(f"\nprocess start to the end of the first step: {again:.2f} s; the first time on a processor, when the convolutions' "
          f"algorithms are measured: {first:.2f} s")


def print_scaling(a):
    threads = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= os.cpu_count()]
    print("\nheadrace, images/s by threads and batch size")
    for policy in a.policies:
        print(f"{policy:16}{'batch':>8}" + "".join(f"{n:>4} thread" + ("s" if n > 1 else " ") for n in threads))
        for batch in (32, 64, 128, 256, 512):
            rates = [ours(a.data, policy, batch, max(8, 2560 // batch), n)["images_per_second"] for n in threads]
            print(f"{'':16}{batch:8}" + "".join(f"{rate:12.0f}" for rate in rates))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--policies", nargs="+", default=POLICIES)
    parser.add_argument("--quick", action="store_true")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if a.data is None:
            a.data = pathlib.Path(folder)
            subprocess.run([BIN / "headrace", "dataset", "cifar10", "--sample", "--data-dir", folder], check=True,
                           stdout=subprocess.DEVNULL)
        print(f"machine: {machine()}\n{a.threads} threads, batch {a.batch}, median of {a.rounds} interleaved rounds of "
              f"{a.steps} steps or more")
        results = compare(a)
        print_comparison(results)
        if a.quick:
            return
        peaks = last_json([BIN / "bench_machine"], a.threads)
        for policy in a.policies:
            print_distance(a, policy, median(results[policy][OURS], "step_ms"), peaks)
            print_profile(a, policy)
        print_start(a)
        print_scaling(a)


main()
