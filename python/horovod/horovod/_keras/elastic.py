"""Callbacks that keep an elastic state up to date while fit() runs."""


class CommitState(object):
    """Commits behind every so many batches, and behind each epoch. The last of the callbacks."""

    def __init__(self, state, batches_per_commit=1):
        super(CommitState, self).__init__()
        self.state, self.batches_per_commit = state, batches_per_commit
        self._left = batches_per_commit

    def on_train_batch_end(self, batch, logs=None):
        self._left -= 1
        if self._left == 0:
            self.state.commit()
            self._left = self.batches_per_commit

    def on_epoch_end(self, epoch, logs=None):
        self.state.commit()


class UpdateBatchState(object):
    """state.batch: the next one of the epoch, as fit() counts them."""

    def __init__(self, state):
        super(UpdateBatchState, self).__init__()
        self.state = state

    def on_train_batch_end(self, batch, logs=None):
        self.state.batch = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        self.state.batch = 0


class UpdateEpochState(object):
    """state.epoch: the next one, as fit() counts them: fit(initial_epoch=state.epoch). Before CommitStateCallback."""

    def __init__(self, state):
        super(UpdateEpochState, self).__init__()
        self.state = state

    def on_epoch_end(self, epoch, logs=None):
        self.state.epoch = epoch + 1
