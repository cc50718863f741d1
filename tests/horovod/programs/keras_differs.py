"""Ranks that train different models. usage: keras_differs.py CASE"""
import sys

import keras
import numpy as np

import horovod.keras as hvd


def main(case):
    hvd.init()
    last = hvd.rank() == hvd.size() - 1
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3 if last else 2, name="head"), keras.layers.Dense(1)])
    optimizer = hvd.DistributedOptimizer(keras.optimizers.SGD(0.1))
    model.compile(optimizer, "mse")
    callbacks = [hvd.callbacks.BroadcastGlobalVariablesCallback(0)] if case == "broadcast" else []
    model.fit(np.ones((8, 4)), np.ones(8), 4, verbose=0, callbacks=callbacks)


main(sys.argv[1])
