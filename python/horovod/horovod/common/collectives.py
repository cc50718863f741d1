"""Collectives over memory that a framework holds: started, polled, waited for."""
import collections
import ctypes

from horovod.common.library import LIBRARY, Collective, check

# With the numbers of src/horovod/communicator.h.
ALLREDUCE, ALLGATHER, BROADCAST, JOIN, ALLTOALL, BARRIER, REDUCESCATTER = range(7)
KINDS = ['allreduce', 'allgather', 'broadcast', 'join', 'alltoall', 'barrier', 'reducescatter']

# With the numbers of headrace/horovod.h.
DTYPES = ['uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64', 'bool', 'bfloat16']
_BYTES = [1, 1, 2, 2, 4, 8, 2, 4, 8, 1, 2]

# A dense array. `owner` keeps the memory, which nobody else writes until the collective is over.
Memory = collections.namedtuple('Memory', ['address', 'dtype', 'shape', 'owner'])
NOTHING = Memory(None, DTYPES.index('float32'), (), None)


def dtype_number(name):
    if name not in DTYPES:
        raise ValueError('found elements of {}, wanted one of {}'.format(name, ', '.join(DTYPES)))
    return DTYPES.index(name)


_unnamed = collections.Counter()


def name_for(kind, name=None):
    """Names without a name are counted: all ranks start those collectives in the same order."""
    if name:
        return name
    _unnamed[kind] += 1
    return '{}.noname.{}'.format(KINDS[kind], _unnamed[kind])


def described(kind, name, array=NOTHING, output=None, op=0, prescale=1.0, postscale=1.0, root=0, splits=(), process_set=0,
              group=None, group_size=0, compression=0):
    """One rank's part in a collective."""
    shape = (ctypes.c_int64 * len(array.shape))(*array.shape)
    return Collective(name=name.encode(), group=group.encode() if group else None, input=array.address,
                      output=output.address if output else None, shape=shape, splits=(ctypes.c_int64 * len(splits))(*splits),
                      prescale=prescale, postscale=postscale, type=kind, dtype=array.dtype, op=op, root=root, compression=compression,
                      process_set=process_set, dimensions=len(array.shape), split_count=len(splits), group_size=group_size)


_under_way = {}  # by handle: what must live until it is over


def start(parts, keep):
    """Their handles, in order. `keep`: for each of them, what must live until it is waited for."""
    count = len(parts)
    handles, started = (ctypes.c_int64 * count)(), ctypes.c_int32()
    code = LIBRARY.headrace_hvd_start((Collective * count)(*parts), count, handles, ctypes.byref(started))
    for i in range(started.value):
        _under_way[handles[i]] = keep[i]
    check(code)
    return list(handles)


def poll(handle):
    """Whether waiting for it would return at once."""
    return bool(LIBRARY.headrace_hvd_poll(handle))


class Outcome(object):
    """What a collective has made that had no memory before: for as long as receive() of wait() runs."""

    def __init__(self, pointer):
        self._pointer = pointer

    def _numbers(self, function):
        numbers = ctypes.POINTER(ctypes.c_int64)()
        return tuple(numbers[i] for i in range(function(self._pointer, ctypes.byref(numbers))))

    @property
    def shape(self):
        return self._numbers(LIBRARY.headrace_hvd_outcome_shape)

    @property
    def received_splits(self):
        return self._numbers(LIBRARY.headrace_hvd_outcome_splits)

    @property
    def last_joined(self):
        return LIBRARY.headrace_hvd_outcome_last_joined(self._pointer)

    def copy_to(self, memory):
        """`memory` is of its shape."""
        count = _BYTES[memory.dtype]
        for dimension in memory.shape:
            count *= dimension
        if count > 0:
            ctypes.memmove(memory.address, LIBRARY.headrace_hvd_outcome_data(self._pointer), count)


def wait(handle, receive=None):
    """Until it is over. What `receive` makes of its Outcome."""
    pointer = ctypes.c_void_p()
    try:
        check(LIBRARY.headrace_hvd_wait(handle, ctypes.byref(pointer)))
        return receive(Outcome(pointer)) if receive else None
    finally:
        LIBRARY.headrace_hvd_free(pointer)
        _under_way.pop(handle, None)


def run(part, keep, receive=None):
    [handle] = start([part], [keep])
    return wait(handle, receive)


def barrier(process_set=0):
    run(described(BARRIER, name_for(BARRIER), process_set=process_set), None)


def join():
    """This rank has no more data; the rank that joined last."""
    return run(described(JOIN, 'join'), None, lambda outcome: outcome.last_joined)
