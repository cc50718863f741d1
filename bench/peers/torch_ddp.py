"""Trains the example's CNN with PyTorch's DistributedDataParallel over gloo, one process a rank; each prints one JSON
line: images a second of all ranks (median step).

usage: torch_ddp.py --data DIR --policy float32|mixed_bfloat16 --batch N --steps N --threads N
                    [--rank R --ranks N --meeting FILE | --horovod]
--horovod: as a rank under mpirun, with python/horovod.
"""
import json
import os

import torch
from torch import nn

import torch_training


def main():
    arguments = torch_training.options(warmup=3, threads=1)
    arguments.add_argument("--rank", type=int, default=0)
    arguments.add_argument("--ranks", type=int, default=1)
    arguments.add_argument("--meeting")
    arguments.add_argument("--horovod", action="store_true")
    a = arguments.parse_args()
    if a.horovod:
        import horovod.torch as hvd
        hvd.init()
        a.rank, a.ranks = hvd.rank(), hvd.size()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.rank)
    images, labels = torch_training.records(os.path.join(a.data, "train/train.tfrecords"))
    cnn = torch_training.model().to(memory_format=torch.channels_last)
    distribute = None
    if a.horovod:
        hvd.broadcast_parameters(cnn.state_dict(), root_rank=0)
        distribute = hvd.DistributedOptimizer
    elif a.ranks > 1:
        torch.distributed.init_process_group("gloo", init_method=f"file://{a.meeting}", rank=a.rank, world_size=a.ranks)
        cnn = nn.parallel.DistributedDataParallel(cnn)
    step = torch_training.median_step(cnn, images, labels, a, distribute)
    print(json.dumps({"peer": f"torch {torch.__version__}", "images_per_second": a.ranks * a.batch / step}))
    if a.ranks > 1 and not a.horovod:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
