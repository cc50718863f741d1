"""Trains with PyTorch: each rank its part of every batch. usage: torch_training.py DIRECTORY"""
import pathlib
import sys

import numpy as np
import torch

import horovod.torch as hvd

BATCH, STEPS, EPOCHS = 24, 6, 2
VARIANTS = {
    "sgd": {},
    "adam": {},
    "groups": {"num_groups": 2},
    "predivide": {"gradient_predivide_factor": 2.0},
    "passes": {"backward_passes_per_step": 2},
    "synchronized": {},
    "unused": {},
    "sparse": {},
}


class Model(torch.nn.Module):
    def __init__(self, variant):
        super().__init__()
        self.variant = variant
        self.convolution = torch.nn.Conv2d(3, 4, 3)
        self.normalization = hvd.SyncBatchNorm(4) if variant == "synchronized" else torch.nn.Identity()
        self.unused = torch.nn.Linear(3, 3)
        self.table = torch.nn.Embedding(5, 5, sparse=True) if variant == "sparse" else None
        self.dense = torch.nn.Linear(36, 5)

    def forward(self, x, y):
        x = torch.relu(self.normalization(self.convolution(x)))
        x = self.dense(torch.max_pool2d(x, 2).flatten(1))
        if self.table is not None:
            x = x + self.table(y % 3)
        if self.variant == "unused" and hvd.rank() == 0:  # by this rank alone
            x = x + 0 * self.unused.weight.sum()
        return x


def data():
    random = np.random.default_rng(7)
    return (torch.from_numpy(random.normal(size=(STEPS, BATCH, 3, 8, 8)).astype("float32")),
            torch.from_numpy(random.integers(0, 5, (STEPS, BATCH))))


def train(variant, directory):
    torch.manual_seed(1 + hvd.rank())
    model = Model(variant)
    optimizer = {"adam": lambda p: torch.optim.Adam(p, 0.002),
                 "sparse": lambda p: torch.optim.SGD(p, 0.05)}.get(variant, lambda p: torch.optim.SGD(p, 0.05, momentum=0.9))(
        model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)  # made before: its counting goes on
    optimizer = hvd.DistributedOptimizer(optimizer, model.named_parameters(), **VARIANTS[variant])
    hvd.broadcast_parameters(model.state_dict(), root_rank=0)
    hvd.broadcast_optimizer_state(optimizer, root_rank=0)
    passes = VARIANTS[variant].get("backward_passes_per_step", 1)
    part = BATCH // hvd.size()
    mine = slice(hvd.rank() * part, (hvd.rank() + 1) * part)
    for _ in range(EPOCHS):
        for x, y in zip(*data()):
            optimizer.zero_grad()
            for each_x, each_y in zip(x[mine].chunk(passes), y[mine].chunk(passes)):
                loss = torch.nn.functional.cross_entropy(model(each_x, each_y), each_y)
                (loss / passes).backward()
            optimizer.step()
            scheduler.step()
    weights = [p.detach().numpy() for p in model.state_dict().values()]
    assert all(np.array_equal(one, other) for each in hvd.allgather_object(weights) for one, other in zip(weights, each))
    if hvd.rank() == 0:
        np.savez(directory / f"{variant}.npz", *weights)


def main(directory):
    hvd.init()
    torch.set_num_threads(1)
    for variant in VARIANTS:
        train(variant, pathlib.Path(directory))
    print(f"rank {hvd.rank()}: all agree", flush=True)


main(sys.argv[1])
