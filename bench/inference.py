#!/usr/bin/env python3
"""Answers of the example's CNN: Headrace against PyTorch and ONNX Runtime, many images and one, runs interleaved.

Usage: scripts/bench inference [--batch 256] [--threads 2] [--rounds 3]
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = "headrace"
PYTHON = ROOT / "build/venv/torch/bin/python"
# policy, peers
CASES = [("float32", ["torch", "onnxruntime"]), ("mixed_bfloat16", ["torch"])]


def run(side, policy, batch, calls, threads):
    arguments = ["--policy", policy, "--batch", batch, "--calls", calls]
    if side == OURS:
        command = [ROOT / "build/release/bin/bench_inference", *arguments]
    else:
        command = [PYTHON, ROOT / f"bench/peers/{side}_inference.py", *arguments, "--threads", threads]
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), CUDA_VISIBLE_DEVICES="-1")
    done = subprocess.run(list(map(str, command)), env=environment, text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"inference: {side} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    name = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    print(f"machine: {name.group(1) if name else '?'}, {os.cpu_count()} processors; {a.threads} threads, median of "
          f"{a.rounds} interleaved rounds")
    print(f"{'':16}{'side':22}{f'images/s at {a.batch}':>18}{'ratio':>8}{'ms for one image':>20}{'ratio':>8}")
    for policy, peers in CASES:
        results = {side: {batch: [] for batch in (a.batch, 1)} for side in (OURS, *peers)}
        for _ in range(a.rounds):
            for side, batches in results.items():
                for batch, runs in batches.items():
                    runs.append(run(side, policy, batch, 500 if batch == 1 else 20, a.threads))
        rates = {side: statistics.median(r["images_per_second"] for r in runs[a.batch]) for side, runs in results.items()}
        times = {side: statistics.median(r["call_ms"] for r in runs[1]) for side, runs in results.items()}
        for side, runs in results.items():
            ratios = ("", "") if side == OURS else (f"{rates[OURS] / rates[side]:.2f}x", f"{times[side] / times[OURS]:.2f}x")
            print(f"{policy:16}{runs[1][0]['peer']:22}{rates[side]:18.0f}{ratios[0]:>8}{times[side]:20.3f}{ratios[1]:>8}")


main()
