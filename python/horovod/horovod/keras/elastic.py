"""horovod.elastic for Keras."""
import keras

from horovod._keras.interface import elastic_callbacks_of
from horovod.tensorflow.elastic import KerasState, run  # noqa: F401

globals().update(elastic_callbacks_of(keras))
