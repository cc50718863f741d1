"""Horovod's callbacks for Keras."""
import keras

from horovod._keras.interface import callbacks_of

globals().update(callbacks_of(keras))
