"""Keras's optimizers over all ranks: for Keras 3 on TensorFlow, for tf.keras 2, and for Keras 2.3 on TensorFlow 1."""
import tensorflow as tf

from horovod.common.ops import Average, Sum
from horovod.tensorflow.gradients import GradientReducer


def is_distributed(optimizer):
    return hasattr(optimizer, '_hvd_reducer')


class _Passes(object):
    """Gradients of several steps, summed on this rank until they are exchanged."""

    def __init__(self, steps, average):
        self._steps, self._scale = steps, 1.0 / steps if average else 1.0
        self._sums = self._step = None

    def build(self, variables):
        with tf.init_scope():
            self._sums = [tf.Variable(tf.zeros(variable.shape, variable.dtype), trainable=False) for variable in variables]
            self._step = tf.Variable(0, trainable=False, dtype=tf.int64)

    def add(self, gradients, variables, exchange, skip):
        """Calls `exchange` with the sums every so many steps, else `skip`."""
        if self._sums is None:
            self.build(variables)
        present = [(total, gradient) for total, gradient in zip(self._sums, gradients) if gradient is not None]
        for total, gradient in present:
            total.assign_add(tf.convert_to_tensor(gradient))
        self._step.assign_add(1)

        def apply():
            exchange([None if gradient is None else total * tf.cast(self._scale, total.dtype)
                      for total, gradient in zip(self._sums, gradients)])
            for total, _ in present:
                total.assign(tf.zeros_like(total))
            return tf.constant(0)

        def wait():
            skip()
            return tf.constant(0)

        tf.cond(tf.equal(self._step % self._steps, 0), apply, wait)


def _keras_3(base, reducer, passes):
    class Distributed(base):
        _hvd_reducer = reducer

        def apply(self, grads, trainable_variables=None):
            grads = list(grads)
            if passes is None:
                super(Distributed, self).apply(reducer(grads), trainable_variables)
                return
            variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
            if not self.built:
                self.build(variables)
                self.built = True
            passes.add(grads, variables, lambda sums: super(Distributed, self).apply(reducer(sums), variables),
                       lambda: self.iterations.assign_add(1))

    return Distributed


def _keras_2(base, reducer, passes):
    class Distributed(base):
        _hvd_reducer = reducer
        _HAS_AGGREGATE_GRAD = True

        def apply_gradients(self, grads_and_vars, *args, **kwargs):
            grads, variables = zip(*grads_and_vars)
            apply = super(Distributed, self).apply_gradients
            if passes is None:
                return apply(list(zip(reducer(grads), variables)), *args, **kwargs)
            passes.add(grads, variables, lambda sums: apply(list(zip(reducer(sums), variables)), *args, **kwargs),
                       lambda: self.iterations.assign_add(1))
            return self.iterations

    return Distributed


def _keras_2_3(base, reducer):
    class Distributed(base):
        _hvd_reducer = reducer

        def get_gradients(self, loss, params):
            return reducer(super(Distributed, self).get_gradients(loss, params))

    return Distributed


def distribute(optimizer, name=None, compression=None, sparse_as_dense=False, op=Average, gradient_predivide_factor=1.0,
               backward_passes_per_step=1, average_aggregated_gradients=False, process_set=None):
    """The same optimizer, with its state, whose updates from now on are those of the gradients of all ranks. Its class keeps its
    name, so that what is saved loads without Horovod."""
    if op not in (Average, Sum):
        raise ValueError('hvd.DistributedOptimizer: op currently only supports Average and Sum')
    if is_distributed(optimizer):
        raise ValueError('hvd.DistributedOptimizer: this {} is a DistributedOptimizer already'.format(type(optimizer).__name__))
    base = type(optimizer)
    options = {'op': op, 'sparse_as_dense': sparse_as_dense, 'gradient_predivide_factor': gradient_predivide_factor}
    options.update({key: value for key, value in (('compression', compression), ('process_set', process_set)) if value is not None})
    reducer = GradientReducer(name or 'Distributed{}'.format(base.__name__), **options)
    passes = _Passes(backward_passes_per_step, average_aggregated_gradients) if backward_passes_per_step != 1 else None
    if hasattr(base, 'apply'):
        made = _keras_3(base, reducer, passes)
    elif hasattr(base, 'apply_gradients'):
        made = _keras_2(base, reducer, passes)
    elif hasattr(base, 'get_gradients') and passes is None:
        made = _keras_2_3(base, reducer)
    elif hasattr(base, 'get_gradients'):
        raise NotImplementedError('hvd.DistributedOptimizer: backward_passes_per_step: found {}, wanted 1 with this Keras'.format(
            backward_passes_per_step))
    else:
        raise ValueError('hvd.DistributedOptimizer: found {}, wanted an optimizer of Keras'.format(base.__name__))
    made.__name__, made.__qualname__, made.__module__ = base.__name__, base.__qualname__, base.__module__
    object.__setattr__(optimizer, '__class__', made)
    return optimizer
