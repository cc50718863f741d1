"""Answers of the example's CNN by PyTorch (eval mode, channels_last): one JSON line like bench_inference's.

usage: torch_inference.py --policy float32|mixed_bfloat16 --batch N --calls N --threads N
The faster of eager mode and of a frozen TorchScript, which folds the normalizations into the convolutions.
"""
import argparse
import json
import statistics
import time

import torch

from torch_training import model


def median_seconds(call, calls):
    times = []
    for _ in range(calls + 5):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times[5:])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--policy", default="float32")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--calls", type=int, default=30)
    arguments.add_argument("--threads", type=int, default=2)
    a = arguments.parse_args()
    torch.set_num_threads(a.threads)
    cnn = torch.nn.Sequential(model(), torch.nn.Softmax(1)).eval().to(memory_format=torch.channels_last)
    images = torch.randint(0, 256, (a.batch, 3, 32, 32)).float().contiguous(memory_format=torch.channels_last)
    if a.policy == "mixed_bfloat16":
        cnn, images = cnn.bfloat16(), images.bfloat16()
    with torch.inference_mode():
        seconds = median_seconds(lambda: cnn(images), a.calls)
        frozen = torch.jit.freeze(torch.jit.trace(cnn, images))
        seconds = min(seconds, median_seconds(lambda: frozen(images), a.calls))
    print(json.dumps({"peer": f"torch {torch.__version__}", "images_per_second": a.batch / seconds, "call_ms": 1e3 * seconds}))


main()
