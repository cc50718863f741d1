"""Training that a group goes on with when it is started again. usage: elastic_training.py torch|keras DIRECTORY OUT [CRASH]
CRASH: in this epoch the last rank ends, behind its first commit."""
import os
import sys

import numpy as np

EPOCHS, STEPS = 3, 4


def crash(epoch, rank, size):
    if sys.argv[4:] == [str(epoch)] and rank == size - 1:
        os._exit(3)


def with_torch(directory):
    import torch

    import horovod.torch as hvd

    hvd.init()
    torch.manual_seed(hvd.rank())
    model = torch.nn.Linear(4, 1)
    optimizer = hvd.DistributedOptimizer(torch.optim.Adam(model.parameters(), 0.1), model.named_parameters())
    data = torch.from_numpy(np.random.default_rng(7).normal(size=(8 * STEPS, 4)).astype("float32"))
    sampler = hvd.elastic.ElasticSampler(data)
    state = hvd.elastic.TorchState(model=model, optimizer=optimizer, sampler=sampler, epoch=0, directory=directory)

    @hvd.elastic.run
    def train(state):
        print(f"rank {hvd.rank()}: from epoch {state.epoch}, {sampler.processed_num} seen", flush=True)
        while state.epoch < EPOCHS:
            for batch, rows in enumerate(torch.tensor(list(sampler)).split(4)):
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(model(data[rows]), data[rows].sum(1, keepdim=True)).backward()
                optimizer.step()
                sampler.record_batch(batch, len(rows))
                state.commit()
                crash(state.epoch, hvd.rank(), hvd.size())
            state.epoch += 1
            sampler.set_epoch(state.epoch)
            state.commit()

    train(state)
    return hvd.rank(), [p.detach().numpy() for p in model.parameters()]


def with_keras(directory):
    import keras

    import horovod.keras as hvd

    hvd.init()
    keras.utils.set_random_seed(hvd.rank())
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(hvd.DistributedOptimizer(keras.optimizers.Adam(0.1)), "mse")
    x = np.random.default_rng(7).normal(size=(8 * STEPS, 4)).astype("float32")[hvd.rank()::hvd.size()]
    state = hvd.elastic.KerasState(model, epoch=0, directory=directory)

    @hvd.elastic.run
    def train(state):
        print(f"rank {hvd.rank()}: from epoch {state.epoch}", flush=True)
        end = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: crash(epoch, hvd.rank(), hvd.size()))
        model.fit(x, x.sum(axis=1), 4, initial_epoch=state.epoch, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[
            hvd.elastic.UpdateEpochStateCallback(state), hvd.elastic.CommitStateCallback(state, 10 * STEPS), end])

    train(state)
    return hvd.rank(), model.get_weights()


rank, weights = {"torch": with_torch, "keras": with_keras}[sys.argv[1]](sys.argv[2])
if rank == 0:
    np.savez(sys.argv[3], *weights)
print(f"rank {rank}: all agree", flush=True)
