"""Horovod's elastic training as it is here: a rank that dies ends all ranks, whoever started them starts all of them again (a job's
RetryStrategy), and they go on from the last commit. A group does not grow or shrink."""
import copy
import functools
import os
import pickle
import sys

from horovod.common import basics
from horovod.common.library import place
from horovod.common.objects import broadcast_object

CHECKPOINTS = '/opt/ml/checkpoints'  # of a training job; it outlives attempts
_FILE = 'horovod-elastic.pickle'


class State(object):
    """Values that training goes on from, as attributes: State(epoch=0, batch=0). Rank 0 keeps commits in `directory`, without one in
    memory alone."""

    def __init__(self, directory=None, **values):
        if directory is None and os.path.isdir(CHECKPOINTS):
            directory = CHECKPOINTS
        self._directory, self._names, self._kept, self._reset_callbacks = directory, list(values), None, []
        for name, value in values.items():
            setattr(self, name, value)

    # What kinds of states add to it.
    def _capture(self):
        return {name: getattr(self, name) for name in self._names}

    def _apply(self, values):
        for name, value in values.items():
            setattr(self, name, value)

    def commit(self):
        """What a restarted group goes on from."""
        self.save()
        if self._directory is not None and place().rank == 0:
            path = os.path.join(self._directory, _FILE)
            with open(path + '.new', 'wb') as file:  # whole or not at all
                pickle.dump(self._kept, file, protocol=4)
                file.flush()
                os.fsync(file.fileno())
            os.replace(path + '.new', path)
        self.check_host_updates()

    def save(self):
        """In memory, for restore()."""
        self._kept = copy.deepcopy(self._capture())

    def restore(self):
        if self._kept is not None:
            self._apply(copy.deepcopy(self._kept))

    def sync(self):
        """All ranks get rank 0's."""
        self._apply(broadcast_object(self._capture(), 0, 'elastic.state'))
        self.save()

    def resume(self):
        """Rank 0's last commit of an earlier start, on all ranks; without one, what rank 0 has."""
        path = os.path.join(self._directory, _FILE) if self._directory else None
        if place().rank == 0 and path and os.path.exists(path):
            with open(path, 'rb') as file:
                self._apply(pickle.load(file))
        elif place().rank == 0 and path is None:
            sys.stderr.write('horovod.elastic: commits are kept in memory alone; with directory="{}" a group that is started again '
                             'goes on from them\n'.format(CHECKPOINTS))
        self.sync()

    def check_host_updates(self):
        """Hosts of a job stay what they are."""

    def register_reset_callbacks(self, callbacks):
        """They would be called when the group changes, which it does not."""
        self._reset_callbacks.extend(callbacks)

    def on_reset(self):
        pass


class ObjectState(State):
    pass


def run(train):
    """Decorates train(state, ...): it begins with the last commit."""

    @functools.wraps(train)
    def begin(state, *args, **kwargs):
        if not basics.is_initialized():
            basics.init()
        state.resume()
        return train(state, *args, **kwargs)

    return begin
