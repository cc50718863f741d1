"""horovod.elastic for TensorFlow and Keras: the weights of a model, its optimizer, and values beside them."""
import numpy as np

from horovod.common.elastic import ObjectState, State, run  # noqa: F401


def _numbers(variables):
    return [np.array(variable) for variable in variables if variable is not None]


def _assign(variables, numbers):
    present = [variable for variable in variables if variable is not None]
    if len(present) != len(numbers):
        raise ValueError('horovod.elastic: the commit has {} variables, wanted {}'.format(len(numbers), len(present)))
    for variable, value in zip(present, numbers):
        variable.assign(value)


def _of(optimizer):
    return list(optimizer.variables() if callable(optimizer.variables) else optimizer.variables)


class TensorFlowState(State):
    """A list of variables, and values beside them."""

    def __init__(self, variables=None, session=None, directory=None, **values):
        self._variables = list(variables or [])
        super(TensorFlowState, self).__init__(directory, **values)

    def _capture(self):
        return dict(super(TensorFlowState, self)._capture(), _variables=_numbers(self._variables))

    def _apply(self, values):
        values = dict(values)
        _assign(self._variables, values.pop('_variables'))
        super(TensorFlowState, self)._apply(values)


class TensorFlowKerasState(State):
    """A built model of Keras with its optimizer, and values beside them."""

    def __init__(self, model, optimizer=None, backend=None, directory=None, **values):
        self.model, self.optimizer = model, optimizer or getattr(model, 'optimizer', None)
        if self.optimizer is not None and not getattr(self.optimizer, 'built', True):
            self.optimizer.build(model.trainable_variables)
            self.optimizer.built = True
        super(TensorFlowKerasState, self).__init__(directory, **values)

    def _capture(self):
        return dict(super(TensorFlowKerasState, self)._capture(), _weights=_numbers(self.model.weights),
                    _optimizer=_numbers(_of(self.optimizer)) if self.optimizer is not None else [])

    def _apply(self, values):
        values = dict(values)
        _assign(self.model.weights, values.pop('_weights'))
        optimizer = values.pop('_optimizer')
        if self.optimizer is not None:
            _assign(_of(self.optimizer), optimizer)
        super(TensorFlowKerasState, self)._apply(values)


KerasState = TensorFlowKerasState
