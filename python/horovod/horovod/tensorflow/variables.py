"""Variables of one rank for all."""
import tensorflow as tf

from horovod.common import numpy_arrays
from horovod.common.objects import broadcast_object
from horovod.common.process_sets import global_process_set
from horovod.tensorflow.collectives import call


def _plain(variable):
    """TensorFlow's variable in one of Keras."""
    value = getattr(variable, 'value', None)
    return variable if value is None or callable(value) else value


def broadcast_variables(variables, root_rank, process_set=global_process_set, inplace=False):
    """All ranks get those of rank `root_rank`. In a graph of TensorFlow 1 the operation that does it."""
    variables = [_plain(variable) for variable in variables]
    names = ['broadcast_variables.{}.{}'.format(i, getattr(variable, 'path', None) or variable.name)
             for i, variable in enumerate(variables)]

    def exchange(*arrays):
        return [numpy_arrays.broadcast(array, root_rank, name, process_set.process_set_id) for array, name in zip(arrays, names)]

    if tf.executing_eagerly():
        for variable, value in zip(variables, exchange(*[variable.numpy() for variable in variables])):
            variable.assign(value)
        return None
    values = [tf.convert_to_tensor(variable) for variable in variables]
    given = call(exchange, values, [value.dtype for value in values], [value.shape for value in values], 'broadcast_variables')
    return tf.group(*[tf.compat.v1.assign(variable, value) for variable, value in zip(variables, given)])


def broadcast_(variables, root_rank, name=None, process_set=global_process_set):
    broadcast_variables(variables, root_rank, process_set)


def broadcast_global_variables(root_rank):
    """Of a graph of TensorFlow 1."""
    if tf.executing_eagerly():
        raise RuntimeError('hvd.broadcast_global_variables() does not support eager execution. Please use '
                           '`hvd.broadcast_variables(<model/optimizer variables>)` instead.')
    return broadcast_variables(tf.compat.v1.global_variables(), root_rank)


def broadcast_object_fn(root_rank=0, session=None, name=None, process_set=global_process_set):
    """A function that gives all ranks the object of rank `root_rank`."""
    return lambda value: broadcast_object(value, root_rank, name, process_set)


class BroadcastGlobalVariablesHook(tf.compat.v1.train.SessionRunHook):
    """Of sessions of TensorFlow 1: all ranks begin with the variables of rank `root_rank`."""

    def __init__(self, root_rank, device=''):
        super(BroadcastGlobalVariablesHook, self).__init__()
        self._root_rank = root_rank
        self._operation = None

    def begin(self):
        if self._operation is None or self._operation.graph != tf.compat.v1.get_default_graph():
            self._operation = broadcast_global_variables(self._root_rank)

    def after_create_session(self, session, coord):
        session.run(self._operation)
