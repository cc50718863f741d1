"""Any Python object from rank to rank, as bytes of pickle: objects of the job's own ranks."""
import io
import pickle

import numpy

from horovod.common import numpy_arrays
from horovod.common.library import place
from horovod.common.process_sets import global_process_set


def _bytes_of(value):
    buffer = io.BytesIO()
    pickle.dump(value, buffer, protocol=pickle.HIGHEST_PROTOCOL)
    return numpy.frombuffer(buffer.getvalue(), numpy.uint8)


def _object_of(array):
    return pickle.loads(array.tobytes())


def broadcast_object(value, root_rank=0, name=None, process_set=global_process_set):
    """The object of rank `root_rank`, on all ranks; what the others give is not looked at."""
    name = name or type(value).__name__
    number = process_set.process_set_id
    mine = _bytes_of(value) if place().rank == root_rank else numpy.zeros(0, numpy.uint8)
    size = numpy_arrays.broadcast(numpy.array([mine.size], numpy.int64), root_rank, name + '.size', number)
    if place().rank != root_rank:
        mine = numpy.zeros(int(size[0]), numpy.uint8)
    return _object_of(numpy_arrays.broadcast(mine, root_rank, name + '.bytes', number))


def allgather_object(value, name=None, process_set=global_process_set):
    """A list of all ranks' objects."""
    name = name or type(value).__name__
    number = process_set.process_set_id
    mine = _bytes_of(value)
    sizes = numpy_arrays.allgather(numpy.array([mine.size], numpy.int64), name + '.sizes', number)
    rows = numpy_arrays.allgather(mine, name + '.bytes', number)
    ends = numpy.cumsum(sizes)
    return [_object_of(rows[end - size:end]) for size, end in zip(sizes, ends)]
