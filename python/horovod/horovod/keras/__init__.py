"""Horovod for Keras, on TensorFlow.

    import horovod.keras as hvd
    hvd.init()
    model.compile(optimizer=hvd.DistributedOptimizer(keras.optimizers.Adam(0.001 * hvd.size())), ...)
    model.fit(..., callbacks=[hvd.callbacks.BroadcastGlobalVariablesCallback(0), hvd.callbacks.MetricAverageCallback()])
"""
import keras as _keras

if _keras.backend.backend() != 'tensorflow':
    raise ImportError('horovod.keras: the back end of Keras is {}, wanted tensorflow: KERAS_BACKEND=tensorflow (horovod.torch is for '
                      'training loops of PyTorch)'.format(_keras.backend.backend()))

from horovod._keras.interface import *  # noqa: E402,F401,F403
from horovod.keras import callbacks, elastic  # noqa: E402,F401

load_model = loader(_keras)  # noqa: F405
