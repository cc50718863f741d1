"""Horovod's exceptions."""


class HorovodInternalError(RuntimeError):
    """A collective has failed: ranks disagree, or one is missing or gone. The text names it."""


class HostsUpdatedInterrupt(RuntimeError):
    """For programs that catch it: the ranks of a job stay what they are, so nothing raises it."""

    def __init__(self, skip_sync=False):
        super(HostsUpdatedInterrupt, self).__init__('hosts updated')
        self.skip_sync = skip_sync
