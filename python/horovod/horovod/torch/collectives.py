"""Collectives of PyTorch's tensors on the CPU, where they lie: started, polled, waited for; and with gradients."""
import itertools
import os

import torch

from horovod.common import basics, collectives
from horovod.common.collectives import ALLGATHER, ALLREDUCE, ALLTOALL, BROADCAST, REDUCESCATTER, Memory, described, name_for
from horovod.common.compression import Compression
from horovod.common.exceptions import HorovodInternalError
from horovod.common.library import place
from horovod.common.ops import Average, Sum, chosen
from horovod.common.process_sets import global_process_set


def init(comm=None, process_sets=None):
    """Joins the other ranks. PyTorch computes with as many threads as the rank has processors from now on."""
    basics.init(comm, process_sets)
    if place().local_size > 1:
        torch.set_num_threads(min(torch.get_num_threads(), len(os.sched_getaffinity(0))))


def _memory(tensor):
    if tensor.device.type != 'cpu':
        raise ValueError('horovod.torch: found a tensor on {}, wanted one on the CPU'.format(tensor.device))
    number = collectives.dtype_number(str(tensor.dtype).replace('torch.', ''))
    return Memory(tensor.data_ptr(), number, tuple(tensor.shape), tensor)


_numbers = itertools.count(1)
_pending = {}  # by handle: the core's handles, and what makes the result when they are over


def _started(parts, keep, finish):
    handle = next(_numbers)
    _pending[handle] = (collectives.start(parts, keep), finish)
    return handle


def poll(handle):
    """Whether synchronize() would return at once."""
    return handle not in _pending or all(collectives.poll(each) for each in _pending[handle][0])


def synchronize(handle):
    """Waits for it; its result."""
    if handle not in _pending:
        raise ValueError('hvd.synchronize(): handle {}: unknown, or synchronized before'.format(handle))
    handles, finish = _pending.pop(handle)
    outcomes, error = [], None
    for each in handles:  # all of them, so that none writes to memory that is given back
        try:
            outcomes.append(collectives.wait(each, finish.receive))
        except HorovodInternalError as failed:
            error = error or failed
    if error is not None:
        raise error
    return finish.result(outcomes)


class _InPlace(object):
    """What allreduces and broadcasts have written to `written` belongs into `tensors`, which may be the very same."""

    receive = None

    def __init__(self, tensors, written, alone):
        self.tensors, self.written, self.alone = tensors, written, alone

    def result(self, _):
        for tensor, written in zip(self.tensors, self.written):
            if tensor is not written:
                with torch.no_grad():
                    tensor.copy_(written)
        return self.tensors[0] if self.alone else self.tensors


class _Made(object):
    """A tensor that a collective has made, of `dtype`."""

    def __init__(self, dtype, with_splits=False):
        self.dtype, self.with_splits = dtype, with_splits

    def receive(self, outcome):
        tensor = torch.empty(outcome.shape, dtype=self.dtype)
        outcome.copy_to(_memory(tensor))
        return (tensor, torch.tensor(outcome.received_splits, dtype=torch.int32)) if self.with_splits else tensor

    def result(self, outcomes):
        return outcomes[0]


def _start_allreduce(tensors, outputs, alone, average, name, op, prescale, postscale, process_set, wire=0):
    op = chosen(op, average)
    name = name_for(ALLREDUCE, name)
    inputs = [tensor.detach().contiguous() for tensor in tensors]
    written = [output if output.is_contiguous() else torch.empty_like(given) for output, given in zip(outputs, inputs)]
    names = [name] if alone else ['{}.{}'.format(name, i) for i in range(len(tensors))]
    group = {} if alone else {'group': name, 'group_size': len(tensors)}
    parts = [described(ALLREDUCE, each, _memory(given), _memory(output.detach()), op, prescale, postscale,
                       process_set=process_set.process_set_id, compression=wire, **group)
             for each, given, output in zip(names, inputs, written)]
    return _started(parts, list(zip(inputs, written)), _InPlace(list(outputs), written, alone))


def allreduce_async_(tensor, average=None, name=None, op=None, prescale_factor=1.0, postscale_factor=1.0,
                     process_set=global_process_set):
    """Starts it; the result takes the tensor's place."""
    return _start_allreduce([tensor], [tensor], True, average, name, op, prescale_factor, postscale_factor, process_set)


def allreduce_async(tensor, average=None, name=None, op=None, prescale_factor=1.0, postscale_factor=1.0,
                    process_set=global_process_set):
    output = torch.empty_like(tensor, memory_format=torch.contiguous_format, requires_grad=False)
    return _start_allreduce([tensor], [output], True, average, name, op, prescale_factor, postscale_factor, process_set)


def grouped_allreduce_async_(tensors, average=None, name=None, op=None, prescale_factor=1.0, postscale_factor=1.0,
                             process_set=global_process_set):
    """All of them as one: none is reduced before all are there on all ranks."""
    return _start_allreduce(tensors, tensors, False, average, name, op, prescale_factor, postscale_factor, process_set)


def grouped_allreduce_async(tensors, average=None, name=None, op=None, prescale_factor=1.0, postscale_factor=1.0,
                            process_set=global_process_set):
    outputs = [torch.empty_like(tensor, memory_format=torch.contiguous_format, requires_grad=False) for tensor in tensors]
    return _start_allreduce(tensors, outputs, False, average, name, op, prescale_factor, postscale_factor, process_set)


def allgather_async(tensor, name=None, process_set=global_process_set):
    given = tensor.detach().contiguous()
    part = described(ALLGATHER, name_for(ALLGATHER, name), _memory(given), process_set=process_set.process_set_id)
    return _started([part], [given], _Made(tensor.dtype))


def _start_broadcast(tensor, output, root_rank, name, process_set):
    given = tensor.detach().contiguous()
    written = output if output.is_contiguous() else torch.empty_like(given)
    part = described(BROADCAST, name_for(BROADCAST, name), _memory(given), _memory(written.detach()), root=root_rank,
                     process_set=process_set.process_set_id)
    return _started([part], [(given, written)], _InPlace([output], [written], True))


def broadcast_async_(tensor, root_rank, name=None, process_set=global_process_set):
    return _start_broadcast(tensor, tensor, root_rank, name, process_set)


def broadcast_async(tensor, root_rank, name=None, process_set=global_process_set):
    output = torch.empty_like(tensor, memory_format=torch.contiguous_format, requires_grad=False)
    return _start_broadcast(tensor, output, root_rank, name, process_set)


def alltoall_async(tensor, splits=None, name=None, process_set=global_process_set):
    given = tensor.detach().contiguous()
    rows = [] if splits is None else [int(n) for n in splits]
    part = described(ALLTOALL, name_for(ALLTOALL, name), _memory(given), splits=rows, process_set=process_set.process_set_id)
    return _started([part], [given], _Made(tensor.dtype, with_splits=splits is not None))


def reducescatter_async(tensor, name=None, op=Average, process_set=global_process_set, prescale_factor=1.0, postscale_factor=1.0):
    if op not in (Average, Sum):
        raise NotImplementedError('hvd.reducescatter: wanted op Average or Sum')
    given = tensor.detach().contiguous()
    part = described(REDUCESCATTER, name_for(REDUCESCATTER, name), _memory(given), None, op, prescale_factor, postscale_factor,
                     process_set=process_set.process_set_id)
    return _started([part], [given], _Made(tensor.dtype))


def allreduce_(tensor, average=None, name=None, op=None, prescale_factor=1.0, postscale_factor=1.0, process_set=global_process_set):
    return synchronize(allreduce_async_(tensor, average, name, op, prescale_factor, postscale_factor, process_set))


def grouped_allreduce_(tensors, average=None, name=None, op=None, prescale_factor=1.0, postscale_factor=1.0,
                       process_set=global_process_set):
    return synchronize(grouped_allreduce_async_(tensors, average, name, op, prescale_factor, postscale_factor, process_set))


def broadcast_(tensor, root_rank, name=None, process_set=global_process_set):
    return synchronize(broadcast_async_(tensor, root_rank, name, process_set))


# ---- with gradients, as Horovod's: of an average the average, of a sum the sum

class _Allreduce(torch.autograd.Function):
    @staticmethod
    def forward(ctx, options, *tensors):
        ctx.options = options
        outputs = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for tensor in tensors]
        synchronize(_start_allreduce(tensors, outputs, **options))
        return tuple(outputs)

    @staticmethod
    def backward(ctx, *gradients):
        options = dict(ctx.options, name=ctx.options['name'] and ctx.options['name'] + '.grad')
        return (None,) + _Allreduce.apply(options, *gradients)


class _Allgather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, name, process_set):
        ctx.rows, ctx.process_set = tensor.shape[0], process_set
        return synchronize(allgather_async(tensor, name, process_set))

    @staticmethod
    def backward(ctx, gradient):
        reduced = synchronize(allreduce_async(gradient, op=Average, process_set=ctx.process_set))
        rows = synchronize(allgather_async(torch.tensor([ctx.rows]), process_set=ctx.process_set))
        return reduced.narrow(0, int(rows[:ctx.process_set.rank()].sum()), ctx.rows), None, None


class _Broadcast(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, root_rank, name, process_set):
        ctx.root_rank, ctx.process_set = root_rank, process_set
        return synchronize(broadcast_async(tensor, root_rank, name, process_set))

    @staticmethod
    def backward(ctx, gradient):
        reduced = synchronize(allreduce_async(gradient, op=Average, process_set=ctx.process_set))
        return (reduced if place().rank == ctx.root_rank else torch.zeros_like(reduced)), None, None, None


class _Alltoall(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, splits, name, process_set):
        if splits is None:
            splits = [tensor.shape[0] // process_set.size()] * process_set.size() if tensor.shape[0] % process_set.size() == 0 else []
        rows, received = synchronize(alltoall_async(tensor, splits, name, process_set))
        ctx.received, ctx.process_set = received, process_set
        ctx.mark_non_differentiable(received)
        return rows, received

    @staticmethod
    def backward(ctx, gradient, _):
        return synchronize(alltoall_async(gradient, ctx.received, None, ctx.process_set))[0], None, None, None


class _Reducescatter(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, name, op, process_set, prescale, postscale):
        ctx.process_set = process_set
        ctx.factor = prescale * postscale * (process_set.size() if op == Sum else 1)
        return synchronize(reducescatter_async(tensor, name, op, process_set, prescale, postscale))

    @staticmethod
    def backward(ctx, gradient):
        return (synchronize(allgather_async(gradient * ctx.factor, None, ctx.process_set)),) + (None,) * 5


def grouped_allreduce(tensors, average=None, name=None, compression=Compression.none, op=None, prescale_factor=1.0,
                      postscale_factor=1.0, process_set=global_process_set, alone=False):
    """All of them as one: none is reduced before all are there on all ranks."""
    packed = [compression.compress(tensor) for tensor in tensors]
    options = {'alone': alone, 'average': average, 'name': name, 'op': op, 'prescale': prescale_factor,
               'postscale': postscale_factor, 'process_set': process_set, 'wire': getattr(compression, 'wire', 0)}
    reduced = _Allreduce.apply(options, *[tensor for tensor, _ in packed])
    return [compression.decompress(tensor, context) for tensor, (_, context) in zip(reduced, packed)]


def allreduce(tensor, average=None, name=None, compression=Compression.none, op=None, prescale_factor=1.0, postscale_factor=1.0,
              process_set=global_process_set):
    """The element by element reduction of all ranks' tensors."""
    [reduced] = grouped_allreduce([tensor], average, name, compression, op, prescale_factor, postscale_factor, process_set, True)
    return reduced


def allgather(tensor, name=None, process_set=global_process_set):
    """All ranks' tensors, one after another along the first dimension, which may differ."""
    return _Allgather.apply(tensor, name, process_set)


def broadcast(tensor, root_rank, name=None, process_set=global_process_set):
    """The tensor of rank `root_rank`, for all."""
    return _Broadcast.apply(tensor, root_rank, name, process_set)


def alltoall(tensor, splits=None, name=None, process_set=global_process_set):
    """The first splits[0] rows go to the first rank, the next splits[1] to the second ...; without splits equally many. With them
    also the numbers of rows that have come from each rank."""
    rows, received = _Alltoall.apply(tensor, splits, name, process_set)
    return rows if splits is None else (rows, received)


def reducescatter(tensor, name=None, compression=Compression.none, op=Average, process_set=global_process_set, prescale_factor=1.0,
                  postscale_factor=1.0):
    """This rank's rows of the reduction; the first `rows % size` ranks get one more than the others."""
    packed, context = compression.compress(tensor)
    return compression.decompress(_Reducescatter.apply(packed, name, op, process_set, prescale_factor, postscale_factor), context)


def sparse_allreduce(tensor, name, op=Average, process_set=global_process_set):
    """Of sparse tensors: all ranks' indices and values."""
    tensor = tensor.coalesce()
    indices = synchronize(allgather_async(tensor.indices().t(), name + '.indices', process_set))
    values = synchronize(allgather_async(tensor.values(), name + '.values', process_set))
    if chosen(op) == Average:
        values = values / process_set.size()
    return torch.sparse_coo_tensor(indices.t(), values, tensor.shape).coalesce()


def barrier(process_set=global_process_set):
    collectives.barrier(process_set.process_set_id)


def join(device=-1):
    """This rank has no more data: it takes part in the others' allreduces with zeros. The rank that joined last."""
    return collectives.join()
