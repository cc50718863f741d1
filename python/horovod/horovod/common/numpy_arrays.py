"""Collectives of numpy arrays, which wait for their end."""
import functools

import numpy

from horovod.common import collectives
from horovod.common.collectives import ALLGATHER, ALLREDUCE, ALLTOALL, BROADCAST, REDUCESCATTER, Memory, name_for
from horovod.common.ops import Average


def _dense(array):
    array = numpy.asarray(array)
    return array if array.flags.c_contiguous else array.copy(order='C')  # ascontiguousarray() makes a row of a scalar


@functools.lru_cache(maxsize=None)  # to spell a type's name takes longer than all else
def _number_of(dtype):
    return collectives.dtype_number(dtype.name)


def memory_of(array):
    return Memory(array.ctypes.data, _number_of(array.dtype), array.shape, array)


_ALIGNMENT = 64  # TensorFlow takes arrays over that begin so, and copies others


def _aligned_like(arrays):
    """New arrays, in one piece of memory."""
    offsets = numpy.cumsum([0] + [-(-array.nbytes // _ALIGNMENT) * _ALIGNMENT for array in arrays])
    memory = numpy.empty(offsets[-1] + _ALIGNMENT, numpy.uint8)
    memory = memory[-memory.ctypes.data % _ALIGNMENT:]
    return [memory[offset:offset + array.nbytes].view(array.dtype).reshape(array.shape) for offset, array in zip(offsets, arrays)]


def allreduce(arrays, name=None, op=Average, prescale=1.0, postscale=1.0, process_set=0, compression=0):
    """Of several arrays, as one: none is reduced before all are there on all ranks."""
    arrays = [_dense(array) for array in arrays]
    name = name_for(ALLREDUCE, name)
    names = [name] if len(arrays) == 1 else ['{}.{}'.format(name, i) for i in range(len(arrays))]
    group = name if len(arrays) > 1 else None
    results = _aligned_like(arrays)
    parts = [collectives.described(ALLREDUCE, each, memory_of(array), memory_of(result), op, prescale, postscale,
                                   process_set=process_set, group=group, group_size=len(arrays) if group else 0, compression=compression)
             for each, array, result in zip(names, arrays, results)]
    handles = collectives.start(parts, list(zip(arrays, results)))
    for handle in handles:
        collectives.wait(handle)
    return results


def broadcast(array, root, name=None, process_set=0):
    array = _dense(array)
    result = numpy.empty_like(array)
    collectives.run(collectives.described(BROADCAST, name_for(BROADCAST, name), memory_of(array), memory_of(result), root=root,
                                          process_set=process_set), (array, result))
    return result


def _new(dtype):
    def receive(outcome):
        result = numpy.empty(outcome.shape, dtype)
        outcome.copy_to(memory_of(result))
        return result, numpy.array(outcome.received_splits, numpy.int32)
    return receive


def allgather(array, name=None, process_set=0):
    array = _dense(array)
    part = collectives.described(ALLGATHER, name_for(ALLGATHER, name), memory_of(array), process_set=process_set)
    return collectives.run(part, array, _new(array.dtype))[0]


def alltoall(array, splits=(), name=None, process_set=0):
    """The rows that have come, and how many of them from each rank."""
    array = _dense(array)
    part = collectives.described(ALLTOALL, name_for(ALLTOALL, name), memory_of(array), splits=[int(n) for n in splits],
                                 process_set=process_set)
    return collectives.run(part, array, _new(array.dtype))


def reducescatter(array, name=None, op=Average, prescale=1.0, postscale=1.0, process_set=0, compression=0):
    array = _dense(array)
    part = collectives.described(REDUCESCATTER, name_for(REDUCESCATTER, name), memory_of(array), None, op, prescale, postscale,
                                 process_set=process_set, compression=compression)
    return collectives.run(part, array, _new(array.dtype))[0]
