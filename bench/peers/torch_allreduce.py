"""PyTorch's gloo allreduce of float32 values, under mpirun; rank 0 prints a JSON line a size: bytes, median_us, min_us.

usage: mpirun -np N python torch_allreduce.py PORT SECONDS BYTES...
Rounds as in bench/allreduce.cc: values written anew before each, a round's time is the slowest rank's.
"""
import json
import os
import statistics
import sys
import time

import torch
import torch.distributed as distributed

port, seconds, sizes = int(sys.argv[1]), float(sys.argv[2]), [int(size) for size in sys.argv[3:]]
rank, world = int(os.environ["OMPI_COMM_WORLD_RANK"]), int(os.environ["OMPI_COMM_WORLD_SIZE"])
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
for size in sizes:
    values = torch.empty(size // 4)
    repeats = 20 if size < 64 << 10 else 1
    times, more, started = [], 1, time.monotonic()
    while more:
        values.fill_(1)
        distributed.barrier()
        begun = time.perf_counter()
        for _ in range(repeats):
            distributed.all_reduce(values)
        slowest = torch.tensor([(time.perf_counter() - begun) / repeats])
        distributed.all_reduce(slowest, op=distributed.ReduceOp.MAX)
        times.append(slowest.item())
        flag = torch.tensor([1.0 if time.monotonic() - started < seconds or len(times) < 5 else 0.0])
        distributed.broadcast(flag, 0)
        more = flag.item()
    if rank == 0:
        print(json.dumps({"bytes": size, "way": "PyTorch gloo", "median_us": statistics.median(times[1:]) * 1e6, "min_us": min(times[1:]) * 1e6}), flush=True)
distributed.destroy_process_group()
