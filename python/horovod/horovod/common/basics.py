"""The ranks of the job: init() and shutdown(), who one is, what this Horovod is built of."""
import atexit
import os
import sys

from horovod.common.process_sets import add_process_set, forget
from horovod.common.library import LIBRARY, check, place

_goodbye = {}  # 'pid': of the process that says it


def init(comm=None, process_sets=None):
    """Joins the other ranks of the job. `process_sets`: ProcessSets that get their numbers here, on all ranks alike, or "dynamic",
    which needs no saying here."""
    if comm is not None and not (isinstance(comm, (list, tuple)) and list(comm) == []):
        raise ValueError('hvd.init(): comm: the ranks of a job are those that mpirun has started; for some of them there is '
                         'hvd.add_process_set([...])')
    check(LIBRARY.headrace_hvd_init())
    if 'pid' not in _goodbye:
        atexit.register(_say_goodbye)
        sys.excepthook = _telling_others(sys.excepthook)
    _goodbye['pid'] = os.getpid()
    if process_sets is not None and process_sets != 'dynamic':
        for process_set in process_sets:
            add_process_set(process_set)


def shutdown():
    """Ends the group for this rank, and waits until the others are done, too."""
    forget()
    check(LIBRARY.headrace_hvd_shutdown())


def _say_goodbye():
    if _goodbye.get('pid') == os.getpid():  # not in a child, whose end is not this rank's
        LIBRARY.headrace_hvd_shutdown()


def _telling_others(hook):
    """An exception that ends this rank ends the others with its text, instead of letting them wait."""

    def tell(kind, error, trace):
        hook(kind, error, trace)
        if _goodbye.get('pid') == os.getpid() and LIBRARY.headrace_hvd_is_initialized():
            sys.stderr.flush()
            LIBRARY.headrace_hvd_abort('{}: {}'.format(kind.__name__, error).encode('utf-8', 'replace'))

    return tell


def is_initialized():
    return bool(LIBRARY.headrace_hvd_is_initialized())


def rank():
    return place().rank


def size():
    return place().size


def local_rank():
    return place().local_rank


def local_size():
    return place().local_size


def cross_rank():
    return place().cross_rank


def cross_size():
    return place().cross_size


def is_homogeneous():
    return bool(place().homogeneous)


def start_timeline(file_path, mark_cycles=False):
    check(LIBRARY.headrace_hvd_start_timeline(os.fsencode(file_path), int(mark_cycles)))


def stop_timeline():
    check(LIBRARY.headrace_hvd_stop_timeline())


def mpi_threads_supported():
    """Whether frameworks may call MPI from threads of their own beside this library: it asks for MPI_THREAD_MULTIPLE."""
    place()
    return True


def mpi_enabled():
    return True


def mpi_built():
    return True


def gloo_enabled():
    return False


def gloo_built():
    return False


def nccl_built():
    return 0


def ddl_built():
    return False


def ccl_built():
    return False


def cuda_built():
    return False


def rocm_built():
    return False
