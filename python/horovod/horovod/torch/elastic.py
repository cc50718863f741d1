"""horovod.elastic for PyTorch: models, optimizers, samplers (whatever has a state_dict()), and values beside them."""
import torch

from horovod.common.elastic import ObjectState, State, run  # noqa: F401
from horovod.common.library import place


class TorchState(State):
    """TorchState(model=model, optimizer=optimizer, epoch=0, batch=0)."""

    def __init__(self, model=None, optimizer=None, directory=None, **values):
        given = dict(values, model=model, optimizer=optimizer)
        self._stateful = {name: value for name, value in given.items() if hasattr(value, 'state_dict')}
        for name, value in self._stateful.items():
            setattr(self, name, value)
        super(TorchState, self).__init__(directory, **{name: value for name, value in values.items() if name not in self._stateful})

    def _capture(self):
        return dict(super(TorchState, self)._capture(),
                    _stateful={name: value.state_dict() for name, value in self._stateful.items()})

    def _apply(self, values):
        values = dict(values)
        for name, state in values.pop('_stateful').items():
            self._stateful[name].load_state_dict(state)
        super(TorchState, self)._apply(values)


class ElasticSampler(torch.utils.data.Sampler):
    """This rank's indices of a data set; what has been recorded as processed is left out when the epoch is begun again."""

    def __init__(self, dataset, shuffle=True, seed=0):
        self.dataset, self.shuffle, self.seed = dataset, shuffle, seed
        self.epoch, self.processed_num = 0, 0
        self._indices = []
        self.reset()

    def set_epoch(self, epoch):
        """At the beginning of each epoch."""
        self.epoch, self.processed_num = epoch, 0
        self.reset()

    def record_batch(self, batch_idx, batch_size):
        """The batch has been processed, by all ranks."""
        self.processed_num += batch_size * place().size

    def load_state_dict(self, state):
        self.epoch, self.processed_num = state['epoch'], state['processed_num']
        self.reset()

    def state_dict(self):
        return {'epoch': self.epoch, 'processed_num': self.processed_num}

    def reset(self):
        order = list(range(len(self.dataset)))
        if self.shuffle:
            order = torch.randperm(len(order), generator=torch.Generator().manual_seed(self.seed + self.epoch)).tolist()
        left = order[self.processed_num:]
        while left and len(left) % place().size:  # as many for each rank
            left.append(left[len(left) % place().size])
        self._indices = left[place().rank::place().size]

    def __iter__(self):
        return iter(self._indices)

    def __len__(self):
        return len(self._indices)
