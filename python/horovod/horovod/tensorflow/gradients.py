"""Gradients that are exchanged: of tapes, and of optimizers of TensorFlow 1. Those of Keras: horovod/_keras."""
import tensorflow as tf

from horovod.common.compression import Compression
from horovod.common.ops import Average, Sum
from horovod.common.process_sets import global_process_set
from horovod.tensorflow.collectives import grouped_allreduce


class GradientReducer(object):
    """Gradients of this rank in, those of all ranks out, in one call of Python."""

    def __init__(self, name, op=Average, compression=Compression.none, sparse_as_dense=False, gradient_predivide_factor=1.0,
                 process_set=global_process_set):
        if gradient_predivide_factor != 1.0 and op != Average:
            raise ValueError('gradient_predivide_factor not supported with op != Average')
        self._options = {'name': name, 'compression': compression, 'process_set': process_set, 'op': op}
        self._sparse_as_dense = sparse_as_dense
        self._process_set = process_set
        self._factor = gradient_predivide_factor

    def __call__(self, gradients):
        gradients = list(gradients)
        there = [i for i, gradient in enumerate(gradients) if gradient is not None]
        if not there or self._process_set.size() == 1:
            return gradients
        options = dict(self._options)
        if self._factor != 1.0:  # sums of g / f, times f / size
            options.update(op=Sum, prescale_factor=1.0 / self._factor, postscale_factor=self._factor / self._process_set.size())
        reduced = grouped_allreduce([self._dense(gradients[i]) for i in there], **options)
        for i, gradient in zip(there, reduced):
            gradients[i] = gradient
        return gradients

    def _dense(self, gradient):
        return tf.convert_to_tensor(gradient) if self._sparse_as_dense else gradient


class _DistributedGradientTape(tf.GradientTape):
    """A tape whose gradient() is that of all ranks."""

    def __init__(self, tape, reducer):  # pylint: disable=super-init-not-called
        self.__dict__.update(tape.__dict__)
        self._hvd_reducer = reducer

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients=tf.UnconnectedGradients.NONE):
        gradients = super(_DistributedGradientTape, self).gradient(target, sources, output_gradients, unconnected_gradients)
        flat = tf.nest.flatten(gradients)
        return tf.nest.pack_sequence_as(gradients, self._hvd_reducer(flat))


def DistributedGradientTape(gradtape, device_dense='', device_sparse='', compression=Compression.none, sparse_as_dense=False,
                            op=Average, gradient_predivide_factor=1.0, num_groups=0, groups=None, process_set=global_process_set,
                            scale_local_gradients=True):
    """A tape like `gradtape` whose gradients are reduced over the ranks. All of them travel together, whatever the groups."""
    return _DistributedGradientTape(gradtape, GradientReducer(
        'DistributedGradientTape', op, compression, sparse_as_dense, gradient_predivide_factor, process_set))


class _DistributedV1Optimizer(tf.compat.v1.train.Optimizer):
    """An optimizer of TensorFlow 1 that applies the gradients of all ranks."""

    def __init__(self, optimizer, name, use_locking, reducer):
        super(_DistributedV1Optimizer, self).__init__(name=name, use_locking=use_locking)
        self._optimizer = optimizer
        self._reducer = reducer

    def compute_gradients(self, *args, **kwargs):
        gradients, variables = zip(*self._optimizer.compute_gradients(*args, **kwargs))
        return list(zip(self._reducer(gradients), variables))

    def apply_gradients(self, *args, **kwargs):
        return self._optimizer.apply_gradients(*args, **kwargs)

    def get_slot(self, *args, **kwargs):
        return self._optimizer.get_slot(*args, **kwargs)

    def get_slot_names(self, *args, **kwargs):
        return self._optimizer.get_slot_names(*args, **kwargs)

    def variables(self, *args, **kwargs):
        return self._optimizer.variables(*args, **kwargs)


def DistributedOptimizer(optimizer, name=None, use_locking=False, device_dense='', device_sparse='', compression=Compression.none,
                         sparse_as_dense=False, backward_passes_per_step=1, op=Average, gradient_predivide_factor=1.0,
                         average_aggregated_gradients=False, num_groups=0, groups=None, process_set=global_process_set,
                         scale_local_gradients=True):
    """The optimizer, of TensorFlow 1 or of Keras, whose updates are those of the gradients of all ranks."""
    if not isinstance(optimizer, tf.compat.v1.train.Optimizer):
        from horovod._keras.optimizer import distribute
        return distribute(optimizer, name=name, compression=compression, sparse_as_dense=sparse_as_dense, op=op,
                          gradient_predivide_factor=gradient_predivide_factor, backward_passes_per_step=backward_passes_per_step,
                          average_aggregated_gradients=average_aggregated_gradients, process_set=process_set)
    if backward_passes_per_step != 1:
        raise NotImplementedError('hvd.DistributedOptimizer of an optimizer of TensorFlow 1: backward_passes_per_step: found {}, '
                                  'wanted 1; optimizers of Keras take more'.format(backward_passes_per_step))
    if op not in (Average, Sum):
        raise NotImplementedError('hvd.DistributedOptimizer: wanted op Average or Sum; Adasum is an op of hvd.allreduce() and of '
                                  'hvd.DistributedGradientTape()')
    name = name or 'Distributed{}'.format(type(optimizer).__name__)
    return _DistributedV1Optimizer(optimizer, name, use_locking, GradientReducer(
        name, op, compression, sparse_as_dense, gradient_predivide_factor, process_set))
