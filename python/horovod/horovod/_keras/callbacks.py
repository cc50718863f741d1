"""Horovod's callbacks, for any Keras: each class here becomes one together with that Keras's Callback, and has it as `keras`."""
import zlib

import numpy
import tensorflow as tf

from horovod._keras.optimizer import is_distributed
from horovod.common import numpy_arrays
from horovod.common.library import place
from horovod.tensorflow.variables import broadcast_variables


class BroadcastGlobalVariables(object):
    """Before the first batch all ranks get the weights, and the optimizer's state, of one. (Behind it, where the model has no
    weights before.)"""

    def __init__(self, root_rank=0, device='', local_variables=None):
        super(BroadcastGlobalVariables, self).__init__()
        self.root_rank = root_rank
        self._done = False

    def on_train_begin(self, logs=None):
        inner = getattr(self.model.optimizer, 'inner_optimizer', None)
        if inner is not None and is_distributed(inner):
            raise ValueError(
                'mixed_float16: each rank would skip steps for its own overflows. Compile with '
                'hvd.DistributedOptimizer(keras.optimizers.LossScaleOptimizer(optimizer)), which decides for all ranks')
        if getattr(self.model, 'jit_compile', False) and place().size > 1:
            raise ValueError('jit_compile=True: XLA knows no calls of Python, which exchange gradients; compile the model with '
                             'jit_compile=False')
        if self.model.built and not self._done:
            self._broadcast()

    def on_train_batch_end(self, batch, logs=None):
        if not self._done:
            self._broadcast()

    def _broadcast(self):
        optimizer = self.model.optimizer
        if hasattr(optimizer, 'build') and not getattr(optimizer, 'built', True):
            optimizer.build(self.model.trainable_variables)
            optimizer.built = True
        variables = getattr(optimizer, 'variables', None) or optimizer.weights
        variables = variables() if callable(variables) else variables
        broadcast = broadcast_variables(list(self.model.weights) + [v for v in variables if v is not None], self.root_rank)
        if broadcast is not None:  # an operation of TensorFlow 1
            _session(self.keras).run(broadcast)
        self._done = True


class MetricAverage(object):
    """Behind each epoch, metrics become their averages over the ranks, for the callbacks behind it and for fit()'s history."""

    def __init__(self, device=''):
        super(MetricAverage, self).__init__()

    def on_epoch_end(self, epoch, logs=None):
        if not logs or place().size == 1:
            return
        names = sorted(name for name, value in logs.items() if numpy.ndim(value) == 0)
        mine = numpy.array([[zlib.crc32(' '.join(names).encode())] + [float(logs[name]) for name in names]], numpy.float64)
        rows = numpy_arrays.allgather(mine, 'MetricAverageCallback')
        for rank, row in enumerate(rows):
            if row[0] != mine[0, 0]:
                raise ValueError('MetricAverageCallback: ranks {} and {} have different metrics; this one has {}'.format(
                    place().rank, rank, ', '.join(names)))
        for name, value in zip(names, rows[:, 1:].mean(axis=0)):
            logs[name] = type(logs[name])(value) if isinstance(logs[name], numpy.generic) else float(value)


def _session(keras):
    """Of a Keras that computes in one."""
    backend = keras.backend if hasattr(keras.backend, 'get_session') else tf.compat.v1.keras.backend
    return backend.get_session()


class _Number(object):
    """A number that training reads: of a variable, of a session's variable, or of a plain attribute."""

    def __init__(self, keras, owner, name):
        self._owner, self._name = owner, name
        keras_3 = getattr(keras, '__version__', '2').startswith('3.')  # whose tf.keras shows a set_value that takes none of its variables
        self._backend = keras.backend if hasattr(keras.backend, 'set_value') and not keras_3 else None

    def get(self):
        value = getattr(self._owner, self._name)
        if self._backend is not None and not isinstance(value, (int, float)):
            return float(self._backend.get_value(value))
        return float(numpy.array(value))

    def set(self, number):
        value = getattr(self._owner, self._name)
        if self._backend is not None and not isinstance(value, (int, float)):
            self._backend.set_value(value, number)
        else:
            setattr(self._owner, self._name, number)


class LearningRateSchedule(object):
    """rate = initial_lr * multiplier(epoch), from start_epoch on, before end_epoch; a constant c stands for
    c ** (epoch - start_epoch). Once an epoch, or, without staircase, every batch, with fractions of epochs."""

    def __init__(self, initial_lr, multiplier, start_epoch=0, end_epoch=None, staircase=True, momentum_correction=True,
                 steps_per_epoch=None):
        super(LearningRateSchedule, self).__init__()
        self.initial_lr = initial_lr
        self.multiplier = multiplier if callable(multiplier) else lambda epoch: multiplier ** (epoch - start_epoch)
        self.start_epoch, self.end_epoch = start_epoch, end_epoch
        self.staircase = staircase
        self.momentum_correction = momentum_correction
        self.steps_per_epoch = steps_per_epoch
        self.current_epoch = None
        self._momentum = None

    def on_train_begin(self, logs=None):
        if self.initial_lr is None:
            self.initial_lr = self._rate().get()
        if not self.staircase and not self.steps_per_epoch:
            self.steps_per_epoch = self.params.get('steps')
            if not self.steps_per_epoch and self.params.get('batch_size'):  # Keras 2.3, of arrays
                self.steps_per_epoch = self.params.get('samples', 0) // self.params['batch_size']
            if not self.steps_per_epoch:
                raise ValueError('Could not autodetect the number of steps per epoch. Please specify the steps_per_epoch parameter '
                                 'to the {}() or upgrade to the latest version of Keras.'.format(type(self).__name__))

    def on_epoch_begin(self, epoch, logs=None):
        self.current_epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self.current_epoch < self.start_epoch or (self.end_epoch is not None and self.current_epoch >= self.end_epoch):
            return
        if self.staircase and batch == 0:
            self._adjust(self.current_epoch)
        elif not self.staircase:
            self._adjust(self.current_epoch + float(batch) / self.steps_per_epoch)

    def on_train_batch_end(self, batch, logs=None):
        if self._momentum is not None:
            _Number(self.keras, self.model.optimizer, 'momentum').set(self._momentum)
            self._momentum = None

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs['lr'] = self._rate().get()

    def _rate(self):
        optimizer = self.model.optimizer
        return _Number(self.keras, optimizer, 'learning_rate' if hasattr(optimizer, 'learning_rate') else 'lr')

    def _adjust(self, epoch):
        optimizer = self.model.optimizer
        old, new = self._rate().get(), self.initial_lr * self.multiplier(epoch)
        self._rate().set(new)
        if self.momentum_correction and old != new and old != 0:
            self._correct_momentum(optimizer, new / old)

    def _correct_momentum(self, optimizer, ratio):
        """P. Goyal et al., "Accurate, Large Minibatch SGD", 2017: what has been gathered with the old rate counts as if with the
        new one. Keras's newer optimizers have the momentum as a constant of a compiled step, so what was gathered is scaled."""
        if not hasattr(optimizer, 'momentum'):
            return
        gathered_by_variable = getattr(optimizer, 'momentums', getattr(optimizer, '_momentums', None))
        if gathered_by_variable is not None:
            for gathered in gathered_by_variable:
                if gathered is not None:
                    gathered.assign(gathered * ratio)
            return
        momentum = _Number(self.keras, optimizer, 'momentum')
        self._momentum = momentum.get()
        momentum.set(self._momentum * ratio)


class LearningRateWarmup(LearningRateSchedule):
    """Batch by batch from initial_lr / size to initial_lr, which the last batch of the warmup reaches."""

    def __init__(self, initial_lr=None, warmup_epochs=5, momentum_correction=True, steps_per_epoch=None, verbose=0):
        def multiplier(epoch):
            size = place().size
            return (1.0 / size) * ((epoch + 1.0 / self.steps_per_epoch) * (size - 1) / warmup_epochs + 1)

        super(LearningRateWarmup, self).__init__(initial_lr, multiplier, 0, warmup_epochs, False, momentum_correction,
                                                 steps_per_epoch)
        self.verbose = verbose

    def on_epoch_end(self, epoch, logs=None):
        super(LearningRateWarmup, self).on_epoch_end(epoch, logs)
        if epoch == self.end_epoch - 1 and self.verbose > 0 and place().rank == 0:
            print('\nEpoch %d: finished gradual learning rate warmup to %g.' % (epoch + 1, self._rate().get()))
