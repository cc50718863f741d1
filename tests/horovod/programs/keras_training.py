"""Trains with Keras: each rank its part of every batch. usage: keras_training.py DIRECTORY"""
import pathlib
import sys

import keras
import numpy as np

import horovod.keras as hvd
from horovod.tensorflow import SyncBatchNormalization

BATCH, STEPS, EPOCHS = 24, 6, 2
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.002),
    "clipped": lambda: keras.optimizers.SGD(0.05, global_clipnorm=0.1),
    "passes": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "synchronized": lambda: keras.optimizers.SGD(0.05),
}


def model_of(variant):
    layers = keras.layers
    normalization = [SyncBatchNormalization()] if variant == "synchronized" else []
    return keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, kernel_regularizer="l2"), *normalization, layers.Activation("relu"),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dense(5, activation="softmax")])


def data():
    random = np.random.default_rng(7)
    return random.normal(size=(STEPS * BATCH, 8, 8, 3)).astype("float32"), random.integers(0, 5, STEPS * BATCH)


def own_part(array, passes):
    """This rank's part of each batch; with several passes, of each part of it."""
    ranks, rank = hvd.size(), hvd.rank()
    return array.reshape(STEPS * passes, ranks, BATCH // passes // ranks, *array.shape[1:])[:, rank].reshape(-1, *array.shape[1:])


def train(variant, directory):
    keras.utils.set_random_seed(1 + hvd.rank())  # weights of their own, until rank 0's are given to all
    passes = 2 if variant == "passes" and hvd.size() > 1 else 1
    model = model_of(variant)
    model.compile(hvd.DistributedOptimizer(OPTIMIZERS[variant](), backward_passes_per_step=passes, average_aggregated_gradients=True),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data()
    history = model.fit(own_part(x, passes), own_part(y, passes), BATCH // hvd.size() // passes, EPOCHS, shuffle=False, verbose=0,
                        callbacks=[hvd.callbacks.BroadcastGlobalVariablesCallback(0), hvd.callbacks.MetricAverageCallback()])
    own = [history.history, [w.tolist() for w in model.get_weights()], int(model.optimizer.iterations)]
    assert all(other == own for other in hvd.allgather_object(own)), "ranks differ"
    if hvd.rank() == 0:
        np.savez(directory / f"{variant}.npz", *model.get_weights(), loss=history.history["loss"], iterations=own[2])
    return model


def saves_and_loads(model, directory):
    """What is saved loads without Horovod, and with it."""
    path = directory / f"rank-{hvd.rank()}.keras"
    model.save(path)
    plain, distributed = keras.models.load_model(path), hvd.load_model(path)
    assert type(plain.optimizer) is keras.optimizers.Adam and type(distributed.optimizer) is not keras.optimizers.Adam
    for loaded in (plain, distributed):
        assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations) > 0
        for one, other in zip(loaded.optimizer.variables, model.optimizer.variables):
            np.testing.assert_array_equal(np.array(one), np.array(other))


def mixed_precision():
    """Steps are skipped for the overflows of any rank, by all; an optimizer that would skip them alone is refused."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        for optimizer, refused in ((hvd.DistributedOptimizer(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))), False),
                                   (hvd.DistributedOptimizer(keras.optimizers.SGD(0.1)), True)):
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, dtype="mixed_float16")])
            model.compile(optimizer, "mse")
            x = np.full((8, 4), 1e4 if hvd.rank() == 0 else 1.0, "float32")  # overflows on rank 0 alone
            try:
                model.fit(x, np.zeros(8), 4, verbose=0, callbacks=[hvd.callbacks.BroadcastGlobalVariablesCallback(0)])
                assert not refused
            except ValueError as error:
                assert refused and "LossScaleOptimizer" in str(error), error
                continue
            state = [np.array(v).tolist() for v in (*model.weights, *model.optimizer.variables)]
            assert all(other == state for other in hvd.allgather_object(state))
    finally:
        keras.config.set_dtype_policy("float32")


def tf_keras_warms_up():
    """horovod.tensorflow.keras reads and sets the rate of tf.keras, which is Keras 3 here."""
    import tensorflow as tf

    import horovod.tensorflow.keras as tf_hvd
    rate = 0.01 * hvd.size()
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(1)])
    model.compile(tf_hvd.DistributedOptimizer(tf.keras.optimizers.SGD(rate)), "mse")
    warmup = tf_hvd.callbacks.LearningRateWarmupCallback(initial_lr=rate, warmup_epochs=2)
    history = model.fit(np.ones((8, 4), "float32"), np.zeros(8, "float32"), 4, epochs=2, verbose=0,
                        callbacks=[tf_hvd.callbacks.BroadcastGlobalVariablesCallback(0), warmup])
    assert np.allclose(history.history["lr"][-1], rate) and history.history["lr"][0] <= rate


def main(directory):
    directory = pathlib.Path(directory)
    hvd.init()
    models = {variant: train(variant, directory) for variant in OPTIMIZERS}
    saves_and_loads(models["adam"], directory)
    keras.models.clone_model(models["synchronized"])
    if hvd.size() > 1:
        mixed_precision()
    tf_keras_warms_up()
    print(f"rank {hvd.rank()}: all agree", flush=True)


main(sys.argv[1])
