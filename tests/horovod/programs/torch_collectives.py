"""horovod.torch: values, gradients, handles, state."""
import torch

import horovod.torch as hvd


def close(found, wanted):
    torch.testing.assert_close(found.double(), torch.as_tensor(wanted).double(), rtol=1e-6, atol=1e-6)


def values(rank, size):
    mine = torch.arange(6.0).reshape(3, 2) + 10.0 * rank
    everyone = torch.stack([torch.arange(6.0).reshape(3, 2) + 10.0 * r for r in range(size)])
    for op, fold in ((hvd.Average, torch.mean), (hvd.Sum, torch.sum), (hvd.Min, torch.amin), (hvd.Max, torch.amax),
                     (hvd.Product, torch.prod)):
        close(hvd.allreduce(mine, op=op), fold(everyone, dim=0))
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float64):
        found = hvd.allreduce(torch.tensor([1, 2]).to(dtype), op=hvd.Sum)
        assert found.dtype == dtype
        close(found, [size, 2 * size])
    assert hvd.allreduce(torch.tensor([rank == 0, True]), op=hvd.Min).tolist() == [size == 1, True]
    close(hvd.allreduce(torch.tensor(float(rank)), op=hvd.Max), size - 1.0)  # a scalar
    in_place, turned = mine.clone(), mine.clone().t()
    assert hvd.allreduce_(in_place, op=hvd.Sum) is in_place
    close(in_place, everyone.sum(0))
    hvd.allreduce_(turned, op=hvd.Sum)
    close(turned, everyone.sum(0).t())
    close(hvd.allreduce(mine.t()), everyone.mean(0).t())
    for found, wanted in zip(hvd.grouped_allreduce([mine, mine.double()], op=hvd.Sum), [everyone.sum(0)] * 2):
        close(found, wanted)
    close(hvd.allgather(mine[:rank + 1]), torch.cat([everyone[r][:r + 1] for r in range(size)]))
    close(hvd.broadcast(mine, size - 1), everyone[-1])
    given = mine.clone()
    hvd.broadcast_(given, 0)
    close(given, everyone[0])
    rows = torch.full([2 * size], float(rank))
    close(hvd.alltoall(rows), torch.arange(size).repeat_interleave(2))
    close(hvd.alltoall(rows, torch.tensor([2] * size))[1], [2] * size)
    close(hvd.reducescatter(torch.ones(size, 3), op=hvd.Sum), torch.full([1, 3], float(size)))
    handles = [hvd.allreduce_async(mine * i, name=f"many.{i}", op=hvd.Sum) for i in range(50)]
    for i in reversed(range(50)):
        close(hvd.synchronize(handles[i]), everyone.sum(0) * i)
        assert hvd.poll(handles[i])
    sparse = torch.sparse_coo_tensor([[rank]], [2.0], [size])
    close(hvd.sparse_allreduce(sparse, "sparse").to_dense(), torch.full([size], 2.0 / size))
    assert hvd.broadcast_object({"epoch": rank}, 0) == {"epoch": 0}


def gradients(rank, size):
    def of(function, x):
        x = torch.as_tensor(x, dtype=torch.float32).requires_grad_()
        (function(x) * (rank + 1)).sum().backward()
        return x.grad

    weights = torch.arange(1.0, size + 1)
    close(of(hvd.allreduce, [1, 2]), weights.mean().repeat(2))
    close(of(lambda x: hvd.allreduce(x, op=hvd.Sum), [1, 2]), weights.sum().repeat(2))
    close(of(hvd.allgather, torch.ones(rank + 1, 2)), weights.mean().expand(rank + 1, 2))
    close(of(lambda x: hvd.broadcast(x, 0), [1]), weights.mean().repeat(1) if rank == 0 else torch.zeros(1))
    close(of(hvd.alltoall, torch.ones(2 * size)), weights.repeat_interleave(2))
    close(of(hvd.reducescatter, torch.ones(size, 1)), weights[:, None])


def refusals(rank, size):
    model = torch.nn.Linear(2, 1)
    optimizer = hvd.DistributedOptimizer(torch.optim.SGD(model.parameters(), 0.1), model.named_parameters())
    model(torch.ones(1, 2)).sum().backward()
    for call in (lambda: optimizer.zero_grad(), lambda: model(torch.ones(1, 2)).sum().backward()):
        try:
            call()
        except AssertionError:
            continue
        assert size == 1, "nothing was raised"
    optimizer.step()


def uneven(rank, size):
    """Ranks with different numbers of batches: those without stand for zeros, and averages divide by all."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    optimizer = hvd.DistributedOptimizer(torch.optim.SGD(model.parameters(), 1.0), model.named_parameters())
    for _ in range(1 + rank):
        optimizer.zero_grad()
        model(torch.ones(1, 1)).sum().backward()
        optimizer.step()
    assert hvd.join() == size - 1
    hvd.broadcast_parameters(model.state_dict(), root_rank=size - 1)
    close(model.weight.detach(), [[-sum((size - batch) / size for batch in range(size))]])


def main():
    hvd.init()
    for part in (values, gradients, refusals, uneven):
        part(hvd.rank(), hvd.size())
    print(f"rank {hvd.rank()}: all agree", flush=True)


main()
