"""Trains with Keras on TensorFlow 1.15: each rank its part of every batch. usage: tensorflow_1_training.py keras|tf.keras OUT.npz"""
import sys

import numpy as np
import tensorflow as tf

if sys.argv[1] == "keras":
    import keras

    import horovod.keras as hvd
else:
    keras = tf.keras

    import horovod.tensorflow.keras as hvd

BATCH, STEPS = 24, 4

hvd.init()
rank, size = hvd.rank(), hvd.size()
random = np.random.RandomState(0)
x, y = random.normal(size=(STEPS * BATCH, 8, 8, 3)).astype("float32"), np.eye(5)[random.randint(0, 5, STEPS * BATCH)]
x, y = (all_of_it.reshape(STEPS, size, BATCH // size, *all_of_it.shape[1:])[:, rank].reshape(-1, *all_of_it.shape[1:])
        for all_of_it in (x, y))
layers = keras.layers
model = keras.models.Sequential([layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 3)), layers.Flatten(),
                                 layers.Dense(5, activation="softmax")])
weights = np.random.RandomState(1 + rank)  # weights of its own, until rank 0's are given to all
model.set_weights([weights.normal(size=w.shape) * 0.1 for w in model.get_weights()])
model.compile(hvd.DistributedOptimizer(keras.optimizers.SGD(lr=0.05, momentum=0.9)), "categorical_crossentropy", metrics=["accuracy"])
callbacks = [hvd.callbacks.BroadcastGlobalVariablesCallback(0), hvd.callbacks.MetricAverageCallback(),
             hvd.callbacks.LearningRateScheduleCallback(0.05, 0.5, start_epoch=1)]
history = model.fit(x, y, batch_size=BATCH // size, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
assert all(other == history.history for other in hvd.allgather_object(history.history))
assert [round(rate, 6) for rate in history.history["lr"]] == [0.05, 0.05, 0.025], history.history["lr"]
if rank == 0:
    model.save(sys.argv[2] + ".h5")
    assert type(keras.models.load_model(sys.argv[2] + ".h5").optimizer) is keras.optimizers.SGD
    np.savez(sys.argv[2], *model.get_weights(), loss=history.history["loss"])
print("rank {}: all agree".format(rank), flush=True)
