"""Optimizers, learning rate schedules and constraints against Keras's: Keras's configuration of each is read and trained with here."""
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
from keras import constraints, layers, optimizers
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
    "rmsprop_centered": lambda: optimizers.RMSprop(0.002, momentum=0.5, centered=True),
    "adam_amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.01),
    "adamax": lambda: optimizers.Adamax(0.01, beta_1=0.8),
    "nadam": lambda: optimizers.Nadam(0.01),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0, rho=0.9),
    "lion": lambda: optimizers.Lion(0.002, beta_1=0.8),
    "schedule_free": lambda: optimizers.ScheduleFreeAdamW(0.02),
    "schedule_free_warmup": lambda: optimizers.ScheduleFreeAdamW(0.02, beta_1=0.8, warmup_steps=7),
    "lamb": lambda: optimizers.Lamb(0.02),
    "adafactor": lambda: optimizers.Adafactor(0.05),
    "adafactor_options": lambda: optimizers.Adafactor(0.05, beta_2_decay=-0.6, epsilon_2=0.01, clip_threshold=0.5),
    "ftrl": lambda: optimizers.Ftrl(0.1),
    "ftrl_options": lambda: optimizers.Ftrl(0.1, learning_rate_power=-0.7, initial_accumulator_value=0.2,
                                            l1_regularization_strength=0.001, l2_regularization_strength=0.002,
                                            l2_shrinkage_regularization_strength=0.003, beta=0.1),
}
# What every optimizer takes.
COMMON = {
    "weight_decay": dict(weight_decay=0.05),
    "clipnorm": dict(clipnorm=0.2),
    "clipvalue": dict(clipvalue=0.02),
    "global_clipnorm": dict(global_clipnorm=0.3),
    "ema": dict(use_ema=True, ema_momentum=0.8),
    "ema_overwrite": dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3),
    "accumulation": dict(gradient_accumulation_steps=3),
    "all": dict(weight_decay=0.05, global_clipnorm=0.3, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2,
                gradient_accumulation_steps=3),
}
for kind in ("SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "Lion", "Ftrl", "Lamb", "Adafactor", "ScheduleFreeAdamW"):
    OPTIMIZERS[f"{kind.lower()}_all"] = lambda kind=kind: getattr(optimizers, kind)(0.02, **COMMON["all"])
for name, options in COMMON.items():
    OPTIMIZERS[f"adam_{name}"] = lambda options=options: optimizers.Adam(0.01, **options)
    OPTIMIZERS[f"sgd_{name}"] = lambda options=options: optimizers.SGD(0.1, momentum=0.9, **options)


def kept(optimizer, name):
    """An optimizer's variables behind iterations and learning rate, without Nadam's product."""
    slots = optimizer.variables[1 if name.endswith("_schedule") else 2:]
    return slots[:-1] if name.startswith("nadam") else slots


def small_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(8, activation="tanh"),
                              layers.Dense(5), layers.Activation("softmax")])
    shake(model)
    return model


def train_beside(model, optimizer, x, y, load):
    """Keras's own 20 steps of 8 rows, compared with the losses and weights of ours."""
    optimizer.build(model.trainable_variables)
    for step in range(20):
        rows = slice(8 * step, 8 * step + 8)
        with tf.GradientTape() as tape:
            value = keras.losses.CategoricalCrossentropy()(y[rows], model(x[rows], training=True))
        optimizer.apply(tape.gradient(value, [w.value for w in model.trainable_variables]), model.trainable_variables)
        assert abs(load("losses")[step] - value) < 1e-4 * abs(value)
    for i, weight in enumerate(model.weights):
        assert relative(load(f"weight_{i}", weight.shape), weight.numpy()) < 1e-4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_over_20_steps(name, tmp_path):
    model, optimizer = small_model(), OPTIMIZERS[name]()
    x, y = batches(model, 8, 20)
    load = run(tmp_path, model, x, y, 8, 20, optimizer=optimizers.serialize(optimizer))
    train_beside(model, optimizer, x, y, load)
    for i, slot in enumerate(kept(optimizer, name)):
        assert relative(load(f"slot_{i}", slot.shape), slot.numpy()) < 1e-4, slot.path


SHAPES = [(3, 3, 4, 7), (17,), (9, 33), (1,), (40, 2)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_of_given_gradients(name, tmp_path):
    """Ten steps from the same gradients, with no model's rounding between them: weights and all that the optimizer keeps."""
    rng = np.random.default_rng(5)
    start = [rng.normal(0, 0.3, shape).astype(np.float32) for shape in SHAPES]
    steps = [[rng.normal(0, 0.3, shape).astype(np.float32) for shape in SHAPES] for _ in range(10)]
    optimizer = OPTIMIZERS[name]()
    job = {"update": optimizers.serialize(optimizer), "shapes": SHAPES, "steps": len(steps)}
    (tmp_path / "job.json").write_text(json.dumps(job))
    for path, values in ("w.f32", start), ("g.f32", [g for step in steps for g in step]):
        np.concatenate([v.ravel() for v in values]).tofile(tmp_path / path)
    done = subprocess.run([f"{BIN}/numerics_tool", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    variables = [keras.Variable(value, name=f"v{i}") for i, value in enumerate(start)]
    for gradients in steps:
        optimizer.apply([tf.constant(g) for g in gradients], variables)
    bound = 1e-4 if name.startswith("ftrl") else 1e-5  # Keras takes powers of sums that grow from each other, in float32
    load = lambda file, wanted: np.fromfile(tmp_path / f"{file}.f32", np.float32).reshape(wanted.shape)
    for i, variable in enumerate(variables):
        assert relative(load(f"weight_{i}", variable), variable.numpy()) < bound, f"weight {i}"
    for i, slot in enumerate(kept(optimizer, name)):
        assert relative(load(f"slot_{i}", slot), slot.numpy()) < bound, slot.path


CONSTRAINTS = {
    "max_norm": lambda: constraints.MaxNorm(0.5),
    "max_norm_axis": lambda: constraints.MaxNorm(0.3, axis=1),
    "min_max_norm": lambda: constraints.MinMaxNorm(0.4, 0.6, rate=0.7),
    "non_neg": lambda: constraints.NonNeg(),
    "unit_norm": lambda: constraints.UnitNorm(axis=[0, 1]),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraint_over_20_steps(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(3, 3, kernel_constraint=CONSTRAINTS[name]()),
                              layers.Flatten(), layers.Dense(5, kernel_constraint=CONSTRAINTS[name](), bias_constraint="non_neg"),
                              layers.Activation("softmax")])
    shake(model)
    x, y = batches(model, 8, 20)
    optimizer = optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.8)
    load = run(tmp_path, model, x, y, 8, 20, optimizer=optimizers.serialize(optimizer))
    train_beside(model, optimizer, x, y, load)


def test_defaults_are_those_of_keras(tmp_path):
    """What numerics_tool writes for "adam" and its kin is Keras's configuration, but for the settings that are off."""
    for kind in ("SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "Lion", "Ftrl", "Lamb", "Adafactor", "ScheduleFreeAdamW"):
        (tmp_path / "job.json").write_text(json.dumps({"describe": kind.lower()}))
        subprocess.run([f"{BIN}/numerics_tool", str(tmp_path)], check=True)
        found = json.loads((tmp_path / "optimizer.json").read_text())
        wanted = optimizers.serialize(getattr(optimizers, kind)())
        assert found["class_name"] == wanted["class_name"]
        theirs = {key: value for key, value in wanted["config"].items() if value is not None and key not in ("name", "ema_momentum", "use_ema")}
        found["config"].pop("name")
        assert found["config"].keys() == theirs.keys()
        for key, value in theirs.items():
            assert found["config"][key] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), (kind, key)
