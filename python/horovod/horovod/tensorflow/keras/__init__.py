"""Horovod for tf.keras: horovod.keras, for the Keras that TensorFlow has."""
import tensorflow as _tensorflow

from horovod._keras.interface import *  # noqa: F401,F403
from horovod.tensorflow.keras import callbacks, elastic  # noqa: F401

load_model = loader(_tensorflow.keras)  # noqa: F405
