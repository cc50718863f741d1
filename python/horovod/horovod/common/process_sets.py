"""Sets of ranks with collectives of their own."""
import ctypes

from horovod.common.library import LIBRARY, check, place


class ProcessSet(object):
    """Ranks that are made a set of by add_process_set() or init(process_sets=...); until then it has no number."""

    def __init__(self, ranks):
        if hasattr(ranks, 'Get_group'):
            raise ValueError('hvd.ProcessSet: found an MPI communicator, wanted a list of ranks')
        self.process_set_id = None
        self._ranks = sorted(ranks)

    @property
    def ranks(self):
        return self._ranks

    def size(self):
        return len(self._present())

    def rank(self):
        """This rank's place in the set."""
        ranks, own = self._present(), place().rank
        if own not in ranks:
            raise ValueError('rank {} is not in {}'.format(own, self))
        return ranks.index(own)

    def included(self):
        return place().rank in self._present()

    def _present(self):
        if self.process_set_id is None:
            raise ValueError('{}: hvd.add_process_set() has not been called with it'.format(self))
        return self.ranks

    def __str__(self):
        return 'ProcessSet(process_set_id={}, ranks={})'.format(self.process_set_id, self._ranks)

    __repr__ = __str__


class _AllRanks(ProcessSet):
    def __init__(self):
        super(_AllRanks, self).__init__([])
        self.process_set_id = 0

    @property
    def ranks(self):
        return list(range(place().size))


global_process_set = _AllRanks()
_added = {}  # by number


def add_process_set(process_set):
    """All ranks call it, with the same ranks."""
    if not isinstance(process_set, ProcessSet):
        process_set = ProcessSet(process_set)
    if process_set.process_set_id is not None:
        raise ValueError('{} has been added before'.format(process_set))
    if process_set.ranks in [known.ranks for known in get_process_sets().values()]:
        raise ValueError('A process set of the ranks {} has been added before'.format(process_set.ranks))
    ranks = (ctypes.c_int32 * len(process_set.ranks))(*process_set.ranks)
    number = ctypes.c_int32()
    check(LIBRARY.headrace_hvd_add_process_set(ranks, len(process_set.ranks), ctypes.byref(number)))
    process_set.process_set_id = number.value
    _added[number.value] = process_set
    return process_set


def remove_process_set(process_set):
    """All ranks call it. False: it is no set that was added."""
    if process_set.process_set_id not in _added:
        return False
    check(LIBRARY.headrace_hvd_remove_process_set(process_set.process_set_id))
    del _added[process_set.process_set_id]
    process_set.process_set_id = None
    return True


def get_process_sets():
    """By number."""
    found = {0: global_process_set}
    found.update(_added)
    return found


def forget():
    """After shutdown() none is left."""
    for process_set in _added.values():
        process_set.process_set_id = None
    _added.clear()
