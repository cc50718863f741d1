"""Trains the example's CNN with PyTorch's DistributedDataParallel over gloo, one process a rank; rank 0 prints one JSON
line: images a second of all ranks (median step).

usage: torch_ddp.py --data DIR --policy float32|mixed_bfloat16 --batch N --steps N --threads N [--rank R --ranks N --meeting FILE]
"""
import argparse
import json
import os
import statistics
import time

import torch
from torch import nn

import torch_training


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--policy", default="float32")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--warmup", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--rank", type=int, default=0)
    arguments.add_argument("--ranks", type=int, default=1)
    arguments.add_argument("--meeting")
    a = arguments.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.rank)
    images, labels = torch_training.records(os.path.join(a.data, "train/train.tfrecords"))
    cnn = torch_training.model().to(memory_format=torch.channels_last)
    if a.ranks > 1:
        torch.distributed.init_process_group("gloo", init_method=f"file://{a.meeting}", rank=a.rank, world_size=a.ranks)
        cnn = nn.parallel.DistributedDataParallel(cnn)
    optimizer = torch.optim.Adam(cnn.parameters(), 1e-3)
    loss_of = nn.CrossEntropyLoss()
    times = []
    for _ in range(a.steps + a.warmup):
        start = time.perf_counter()
        rows = torch.randint(0, len(images), (a.batch,))
        x = torch_training.augment(images[rows]).float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=a.policy == "mixed_bfloat16"):
            loss = loss_of(cnn(x), labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    print(json.dumps({"peer": f"torch {torch.__version__}", "images_per_second": a.ranks * a.batch / statistics.median(times[a.warmup:])}))
    if a.ranks > 1:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
