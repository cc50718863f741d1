"""Optimizers and learning rate schedules against Keras's: Keras's configuration of each is read and trained with here."""
import json
import os
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, optimizers
from keras.optimizers import schedules

from test_numerics import BIN, batches, relative, run, shake

SCHEDULES = {
    "exponential": schedules.ExponentialDecay(0.1, 70, 0.7),
    "exponential_staircase": schedules.ExponentialDecay(0.1, 70, 0.7, staircase=True),
    "inverse_time": schedules.InverseTimeDecay(0.1, 70, 0.7),
    "inverse_time_staircase": schedules.InverseTimeDecay(0.1, 70, 0.7, staircase=True),
    "piecewise": schedules.PiecewiseConstantDecay([50, 120], [0.1, 0.05, 0.01]),
    "polynomial": schedules.PolynomialDecay(0.1, 150, 0.02),
    "polynomial_power": schedules.PolynomialDecay(0.1, 150, 0.02, power=0.5),
    "polynomial_cycle": schedules.PolynomialDecay(0.1, 70, 0.02, power=2.0, cycle=True),
    "cosine": schedules.CosineDecay(0.1, 150),
    "cosine_alpha": schedules.CosineDecay(0.1, 150, alpha=0.3),
    "cosine_warmup": schedules.CosineDecay(0.02, 100, alpha=0.1, warmup_target=0.3, warmup_steps=60),
    "cosine_restarts": schedules.CosineDecayRestarts(0.1, 30),
    "cosine_restarts_equal": schedules.CosineDecayRestarts(0.1, 30, t_mul=1.0, m_mul=0.8),
    "cosine_restarts_options": schedules.CosineDecayRestarts(0.1, 20, t_mul=1.5, m_mul=0.9, alpha=0.1),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_over_400_steps(name, tmp_path):
    schedule = SCHEDULES[name]
    (tmp_path / "job.json").write_text(json.dumps({"schedule": schedules.serialize(schedule), "steps": 400}))
    done = subprocess.run([f"{BIN}/numerics_tool", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = np.array([float(schedule(step)) for step in range(400)])
    assert relative(np.fromfile(tmp_path / "rates.f32", np.float32), wanted) < 1e-6


# Each is trained with for 20 steps here and in Keras.
OPTIMIZERS = {
    "sgd_schedule": lambda: optimizers.SGD(schedules.CosineDecay(0.02, 12, warmup_target=0.08, warmup_steps=4), momentum=0.9),
    "adam_schedule": lambda: optimizers.Adam(schedules.PiecewiseConstantDecay([4, 9], [0.01, 0.003, 0.001])),
}


def small_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(8, activation="tanh"),
                              layers.Dense(5), layers.Activation("softmax")])
    shake(model)
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_over_20_steps(name, tmp_path):
    model, optimizer = small_model(), OPTIMIZERS[name]()
    x, y = batches(model, 8, 20)
    load = run(tmp_path, model, x, y, 8, 20, optimizer=optimizers.serialize(optimizer))
    optimizer.build(model.trainable_variables)
    for step in range(20):
        rows = slice(8 * step, 8 * step + 8)
        with tf.GradientTape() as tape:
            value = keras.losses.CategoricalCrossentropy()(y[rows], model(x[rows], training=True))
        optimizer.apply(tape.gradient(value, [w.value for w in model.trainable_variables]))
        assert abs(load("losses")[step] - value) < 1e-4 * abs(value)
    for i, weight in enumerate(model.weights):
        assert relative(load(f"weight_{i}", weight.shape), weight.numpy()) < 1e-4
