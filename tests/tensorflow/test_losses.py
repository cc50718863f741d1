"""Headrace's losses against Keras's: value and gradients of a training step, outputs of rank 2 and 3, sample weights,
reductions, and regularizers. The harness is test_numerics.py's.
"""
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, losses, regularizers

from test_numerics import check_gradients, run, shake

PROBABILITIES, LOGITS, ANY = "softmax", "linear", "sigmoid"
BARE = "sigmoid, flattened"  # probabilities that hide their logits
# Each with the activation it is tried behind.
LOSSES = {
    "mse": (losses.MeanSquaredError(), LOGITS),
    "mae": (losses.MeanAbsoluteError(), LOGITS),
    "mape": (losses.MeanAbsolutePercentageError(), LOGITS),
    "msle": (losses.MeanSquaredLogarithmicError(), ANY),
    "log_cosh": (losses.LogCosh(), LOGITS),
    "huber": (losses.Huber(delta=0.4), LOGITS),
    "hinge": (losses.Hinge(), LOGITS),
    "squared_hinge": (losses.SquaredHinge(), LOGITS),
    "categorical_hinge": (losses.CategoricalHinge(), LOGITS),
    "kl_divergence": (losses.KLDivergence(), PROBABILITIES),
    "poisson": (losses.Poisson(), ANY),
    "cosine_similarity": (losses.CosineSimilarity(), LOGITS),
    "cosine_similarity_axis": (losses.CosineSimilarity(axis=1), LOGITS),
    "bce_sigmoid": (losses.BinaryCrossentropy(label_smoothing=0.1), "sigmoid"),
    "bce_softmax": (losses.BinaryCrossentropy(), "softmax"),  # Keras 3 takes its logits for a sigmoid's
    "bce_probabilities": (losses.BinaryCrossentropy(), BARE),
    "bce_logits": (losses.BinaryCrossentropy(from_logits=True), LOGITS),
    "binary_focal": (losses.BinaryFocalCrossentropy(apply_class_balancing=True), "sigmoid"),
    "binary_focal_logits": (losses.BinaryFocalCrossentropy(from_logits=True, gamma=1.5), LOGITS),
    "cce_softmax": (losses.CategoricalCrossentropy(label_smoothing=0.1), PROBABILITIES),
    "cce_sigmoid": (losses.CategoricalCrossentropy(), "sigmoid"),
    "cce_probabilities": (losses.CategoricalCrossentropy(label_smoothing=0.1), BARE),
    "cce_logits": (losses.CategoricalCrossentropy(from_logits=True), LOGITS),
    "categorical_focal": (losses.CategoricalFocalCrossentropy(), PROBABILITIES),
    "categorical_focal_logits": (losses.CategoricalFocalCrossentropy(from_logits=True, label_smoothing=0.1), LOGITS),
    "scce_softmax": (losses.SparseCategoricalCrossentropy(), PROBABILITIES),
    "scce_probabilities": (losses.SparseCategoricalCrossentropy(), BARE),
    "scce_logits": (losses.SparseCategoricalCrossentropy(from_logits=True), LOGITS),
    "generalized": (losses.CategoricalGeneralizedCrossEntropy(q=0.6), PROBABILITIES),
    "dice": (losses.Dice(), ANY),
    "dice_axis": (losses.Dice(axis=-1), ANY),
    "tversky": (losses.Tversky(alpha=0.3, beta=0.7), ANY),
    "sum": (losses.MeanSquaredError(reduction="sum"), LOGITS),
    "mean_with_sample_weight": (losses.MeanSquaredError(reduction="mean_with_sample_weight"), LOGITS),
}
ROWS, WIDTH = 6, 4


def targets(loss, shape):
    rng = np.random.default_rng(3)
    if "sparse" in loss.name or "generalized" in loss.name:
        return rng.integers(0, WIDTH, shape[:-1])
    if "hinge" in loss.name or "binary" in loss.name:
        return rng.integers(0, 2, shape).astype(np.float32)
    y = rng.uniform(0.1, 1, shape).astype(np.float32)
    return y / y.sum(-1, keepdims=True)


def config_of(loss):
    config = {key: value for key, value in loss.get_config().items() if key != "fn"}
    config.update({key: value for key, value in getattr(loss, "_fn_kwargs", {}).items()})
    return {"class_name": type(loss).__name__, "config": config}


def step(model, loss, x, y, weights):
    model.compile(loss=loss)
    with tf.GradientTape() as tape:
        value = model.compute_loss(x, y, model(x, training=True), weights)
    return value.numpy(), [g.numpy() for g in tape.gradient(value, [w.value for w in model.trainable_variables])]


def check(directory, model, loss, x, y, weights=None):
    directory.mkdir(exist_ok=True)
    if weights is not None:
        weights.tofile(directory / "w.f32")
    load = run(directory, model, x, y, ROWS, 1, loss=config_of(loss), y_shape=list(y.shape[1:]), weighted=weights is not None)
    value, grads = step(model, loss, x, y, weights)
    assert abs(load("losses")[0] - value) < 1e-5 * max(abs(value), 1e-3)
    check_gradients(load, grads, 1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name, tmp_path):
    """On rows, on rows with weights, and on rows of places."""
    loss, activation = LOSSES[name]
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(5)
    for depth in ((), (3,)):
        if activation == BARE and depth:
            continue
        tail = [layers.Flatten()] if activation == BARE else []
        model = keras.Sequential([keras.Input((*depth, 5)), layers.Dense(6, activation="tanh"),
                                  layers.Dense(WIDTH, activation=activation.split(",")[0]), *tail])
        shake(model)
        x = rng.normal(0, 1, (ROWS, *depth, 5)).astype(np.float32)
        y = targets(loss, (ROWS, *depth, WIDTH))
        check(tmp_path / f"rank{len(depth)}", model, loss, x, y)
        if not depth and loss.name not in ("dice", "tversky"):
            weights = rng.uniform(0, 2, ROWS).astype(np.float32)
            check(tmp_path / "weighted", model, loss, x, y, weights)


@pytest.mark.parametrize("regularizer", [regularizers.L1(0.02), regularizers.L2(0.03), regularizers.L1L2(0.01, 0.02)])
def test_regularizers(regularizer, tmp_path):
    """Of kernels, biases and activities; a layer that is not trained adds no penalty for its weights."""
    keras.utils.set_random_seed(1)
    every = {f"{what}_regularizer": regularizer for what in ("kernel", "bias", "activity")}
    model = keras.Sequential([keras.Input((7, 7, 2)), layers.Conv2D(3, 3, activation="relu", **every),
                              layers.Conv2D(3, 1, trainable=False, kernel_regularizer=regularizer), layers.Flatten(),
                              layers.Dense(WIDTH, activation="softmax", **every)])
    shake(model)
    x = np.random.default_rng(5).normal(0, 1, (ROWS, 7, 7, 2)).astype(np.float32)
    loss = losses.CategoricalCrossentropy()
    check(tmp_path, model, loss, x, targets(loss, (ROWS, WIDTH)))
