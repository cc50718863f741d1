"""Horovod's callbacks for tf.keras."""
import tensorflow as tf

from horovod._keras.interface import callbacks_of

globals().update(callbacks_of(tf.keras))
