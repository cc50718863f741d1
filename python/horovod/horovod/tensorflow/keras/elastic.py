"""horovod.elastic for tf.keras."""
import tensorflow as tf

from horovod._keras.interface import elastic_callbacks_of
from horovod.tensorflow.elastic import KerasState, run  # noqa: F401

globals().update(elastic_callbacks_of(tf.keras))
