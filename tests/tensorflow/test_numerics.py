"""Headrace's numbers against TensorFlow's: every layer forward and backward, optimizers, a training curve.

Keras builds a model, saves it as HDF5 and computes what it should; numerics_tool loads the file and does the same.
Gradients are those of the whole model, so a layer between two others shows its input's gradient in the first one's.
"""
import json
import os
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # plain float32 sums on the other side
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

BIN = os.environ.get("HEADRACE_BIN", "build/release/bin")

# One line a layer under test: what follows a first convolution of [4, 9, 9, 4].
LAYERS = {
    "conv_same": lambda: [layers.Conv2D(6, 3, padding="same")],
    "conv_valid": lambda: [layers.Conv2D(6, 3)],
    "conv_even_same": lambda: [layers.Conv2D(5, (2, 4), padding="same")],
    "conv_strided_same": lambda: [layers.Conv2D(6, 3, strides=2, padding="same")],
    "conv_strided_valid": lambda: [layers.Conv2D(6, 3, strides=(2, 1))],
    "conv_1x1": lambda: [layers.Conv2D(7, 1)],
    "conv_5x5": lambda: [layers.Conv2D(3, 5, padding="same", use_bias=False)],
    "conv_dilated": lambda: [layers.Conv2D(6, 3, dilation_rate=2)],
    "conv_wide": lambda: [layers.Conv2D(33, 3, padding="same"), layers.Conv2D(17, 3)],
    "conv_relu": lambda: [layers.Conv2D(6, 3, activation="relu"), layers.Conv2D(6, 3)],
    "batch_norm": lambda: [layers.BatchNormalization()],
    "batch_norm_relu_conv": lambda: [layers.BatchNormalization(), layers.Activation("relu"), layers.Conv2D(8, 3)],
    "batch_norm_relu_conv_same": lambda: [layers.BatchNormalization(), layers.Activation("relu"),
                                          layers.Conv2D(8, 3, padding="same")],
    "batch_norm_relu_pool": lambda: [layers.BatchNormalization(), layers.Activation("relu"), layers.MaxPooling2D()],
    "batch_norm_frozen": lambda: [layers.BatchNormalization(trainable=False), layers.Activation("relu")],
    "batch_norm_dense": lambda: [layers.Flatten(), layers.Dense(7), layers.BatchNormalization()],
    "conv_frozen": lambda: [layers.Conv2D(6, 3, trainable=False)],
    **{f"activation_{name}": (lambda name=name: [layers.Activation(name)])
       for name in ("relu", "softmax", "sigmoid", "tanh", "elu", "gelu", "swish", "linear")},
    "dropout_zero": lambda: [layers.Dropout(0.0)],
    "max_pool": lambda: [layers.MaxPooling2D(2)],
    "max_pool_same": lambda: [layers.MaxPooling2D(2, padding="same")],
    "max_pool_overlapping": lambda: [layers.MaxPooling2D(3, strides=2)],
    "max_pool_wide": lambda: [layers.MaxPooling2D((3, 2))],
    "global_average": lambda: [layers.GlobalAveragePooling2D()],
    "zero_padding": lambda: [layers.ZeroPadding2D(((1, 2), (0, 3)))],
    "dense_relu": lambda: [layers.Flatten(), layers.Dense(16, activation="relu")],
}


def chain(middle, classes=5, shape=(11, 11, 3)):
    tail = middle()
    if len(tail[-1:]) and not isinstance(tail[-1], (layers.GlobalAveragePooling2D, layers.Dense)):
        if not any(isinstance(layer, layers.Flatten) for layer in tail):
            tail.append(layers.Flatten())
    model = keras.Sequential([keras.Input(shape), layers.Conv2D(4, 3), *tail, layers.Dense(classes),
                              layers.Activation("softmax")])
    shake(model)
    return model


def shake(model):
    """Weights that hide nothing: no zero biases, no unit scales."""
    rng = np.random.default_rng(7)
    for layer in model.layers:
        values = []
        for weight in layer.weights:
            noise = rng.normal(0, 0.2, weight.shape)
            if "variance" in weight.path:
                noise = np.abs(noise) + 0.5
            values.append(weight.numpy() + noise)
        layer.set_weights(values)


def batches(model, batch, steps, seed=3):
    rng = np.random.default_rng(seed)
    n = batch * steps
    x = rng.normal(0, 1, (n, *model.input_shape[1:])).astype(np.float32)
    y = np.eye(model.output_shape[-1], dtype=np.float32)[rng.integers(0, model.output_shape[-1], n)]
    return x, y


def run(directory, model, x, y, batch, steps, **job):
    os.makedirs(directory, exist_ok=True)
    model.save(directory / "model.h5")
    x.astype(np.float32).tofile(directory / "x.f32")
    y.astype(np.float32).tofile(directory / "y.f32")
    job = {"x_shape": list(x.shape[1:]), "classes": model.output_shape[-1], "batch": batch, "steps": steps,
           "optimizer": {"name": "sgd"}, "conv_algorithms": "direct", **job}
    (directory / "job.json").write_text(json.dumps(job))
    done = subprocess.run([f"{BIN}/numerics_tool", str(directory)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def load(name, shape=None):
        values = np.fromfile(directory / f"{name}.f32", np.float32)
        return values if shape is None else values.reshape(shape)
    return load


def relative(found, wanted):
    """Largest difference over the largest value: what rounding leaves of sums of values of that size."""
    return np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30)


def gradients(model, x, y):
    """Loss and gradients of a training step; moves the BatchNormalizations' statistics, so run() comes first."""
    with tf.GradientTape() as tape:
        value = keras.losses.CategoricalCrossentropy()(y, model(x, training=True))
    return value.numpy(), [g.numpy() for g in tape.gradient(value, [w.value for w in model.trainable_variables])]


def check_gradients(load, wanted, bound):
    # A bias before a BatchNormalization has a gradient of zero up to rounding: measured against the largest one.
    largest = max(np.abs(g).max() for g in wanted)
    for i, gradient in enumerate(wanted):
        found = load(f"gradient_{i}", gradient.shape)
        scale = max(np.abs(gradient).max(), 1e-2 * largest)
        assert np.abs(found - gradient).max() / scale < bound, f"gradient {i}"


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = chain(LAYERS[name])
    x, y = batches(model, 4, 1)
    wanted = model(x, training=False).numpy()
    load = run(tmp_path, model, x, y, 4, 1)
    loss, grads = gradients(model, x, y)
    assert relative(load("predict", wanted.shape), wanted) < 1e-5
    assert abs(load("losses")[0] - loss) < 1e-5 * abs(loss)
    check_gradients(load, grads, 1e-4)


@pytest.mark.parametrize("name", [n for n in LAYERS if "conv" in n])
def test_layer_with_chosen_algorithms(name, tmp_path):
    """The fast algorithms (Winograd) within the bound of docs/numerics.md."""
    keras.utils.set_random_seed(2)
    model = chain(LAYERS[name], shape=(19, 17, 3))
    x, y = batches(model, 4, 1)
    wanted = model(x, training=False).numpy()
    load = run(tmp_path, model, x, y, 4, 1, conv_algorithms="auto")
    loss, grads = gradients(model, x, y)
    assert relative(load("predict", wanted.shape), wanted) < 1e-4
    assert abs(load("losses")[0] - loss) < 1e-4 * abs(loss)
    check_gradients(load, grads, 5e-4)


def test_residual(tmp_path):
    keras.utils.set_random_seed(1)
    image = keras.Input((9, 9, 3))
    first = layers.Conv2D(6, 3, padding="same")(image)
    second = layers.Conv2D(6, 3, padding="same")(layers.Activation("relu")(layers.BatchNormalization()(first)))
    joined = layers.Activation("relu")(layers.Add()([first, second]))
    again = layers.Add()([joined, layers.Conv2D(6, 1)(joined), first])
    scores = layers.Activation("softmax")(layers.Dense(5)(layers.GlobalAveragePooling2D()(again)))
    model = keras.Model(image, scores)
    shake(model)
    x, y = batches(model, 4, 1)
    wanted = model(x, training=False).numpy()
    load = run(tmp_path, model, x, y, 4, 1)
    loss, grads = gradients(model, x, y)
    assert relative(load("predict", wanted.shape), wanted) < 1e-5
    assert abs(load("losses")[0] - loss) < 1e-5 * abs(loss)
    check_gradients(load, grads, 1e-4)


SHARED = {
    "conv": lambda: layers.Conv2D(4, 3, padding="same"),
    "conv_without_bias": lambda: layers.Conv2D(4, 1, use_bias=False),
    "dense": lambda: layers.Dense(4),
    "batch_norm": lambda: layers.BatchNormalization(momentum=0.9),
}


@pytest.mark.parametrize("calls", [2, 3])
@pytest.mark.parametrize("name", SHARED)
def test_layer_that_is_called_more_than_once(name, calls, tmp_path):
    """Gradients are the sum over the calls; BatchNormalization moves its statistics at each, as Keras does."""
    keras.utils.set_random_seed(1)
    shared = SHARED[name]()
    image = keras.Input((7, 6, 3))
    value = layers.Conv2D(4, 3)(image)
    if name == "dense":
        value = layers.Dense(4)(layers.Flatten()(value))
    first = value
    for _ in range(calls):
        value = layers.Activation("tanh")(shared(value))
    value = layers.Add()([value, shared(first)])
    if name != "dense":
        value = layers.Flatten()(value)
    model = keras.Model(image, layers.Activation("softmax")(layers.Dense(5)(value)))
    shake(model)
    x, y = batches(model, 4, 1)
    wanted = model(x, training=False).numpy()
    load = run(tmp_path, model, x, y, 4, 1)
    loss, grads = gradients(model, x, y)
    assert relative(load("predict", wanted.shape), wanted) < 1e-5
    assert abs(load("losses")[0] - loss) < 1e-5 * abs(loss)
    check_gradients(load, grads, 1e-4)
    if name == "batch_norm":
        before = sum(len(layer.weights) for layer in model.layers[: model.layers.index(shared)])
        for i, moving in [(2, shared.moving_mean), (3, shared.moving_variance)]:
            assert relative(load(f"weight_{before + i}"), moving.numpy()) < 1e-5


def decayed(optimizer, rate, decay):
    """Legacy decay for an optimizer that lost it: the rate of the next step."""
    optimizer.learning_rate = rate / (1 + decay * int(optimizer.iterations.numpy()))


@pytest.mark.parametrize("config, make", [
    ({"name": "sgd", "learning_rate": 0.05}, lambda: keras.optimizers.SGD(0.05)),
    ({"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}, lambda: keras.optimizers.SGD(0.05, 0.9)),
    ({"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
     lambda: keras.optimizers.SGD(0.05, 0.9, nesterov=True)),
    ({"name": "rmsprop", "learning_rate": 0.002}, lambda: keras.optimizers.RMSprop(0.002)),
    ({"name": "rmsprop", "learning_rate": 0.002, "momentum": 0.5}, lambda: keras.optimizers.RMSprop(0.002, momentum=0.5)),
    ({"name": "adam", "learning_rate": 0.002}, lambda: keras.optimizers.Adam(0.002)),
    ({"name": "adam", "learning_rate": 0.002, "decay": 0.02}, lambda: keras.optimizers.Adam(0.002)),
])
def test_optimizer_over_20_steps(config, make, tmp_path):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(8, activation="tanh"),
                              layers.Dense(5), layers.Activation("softmax")])
    shake(model)
    x, y = batches(model, 8, 20)
    load = run(tmp_path, model, x, y, 8, 20, optimizer=config)
    optimizer = make()
    optimizer.build(model.trainable_variables)
    for step in range(20):
        rows = slice(8 * step, 8 * step + 8)
        if "decay" in config:
            decayed(optimizer, config["learning_rate"], config["decay"])
        with tf.GradientTape() as tape:
            value = keras.losses.CategoricalCrossentropy()(y[rows], model(x[rows], training=True))
        optimizer.apply(tape.gradient(value, [w.value for w in model.trainable_variables]))
        assert abs(load("losses")[step] - value) < 1e-4 * abs(value)
    for i, weight in enumerate(model.weights):
        assert relative(load(f"weight_{i}", weight.shape), weight.numpy()) < 1e-4


def cnn():
    stack = [keras.Input((32, 32, 3))]
    for filters in (32, 64, 128):
        for padding in ("same", "valid"):
            stack += [layers.Conv2D(filters, 3, padding=padding), layers.BatchNormalization(), layers.Activation("relu")]
        stack += [layers.MaxPooling2D(2)]
    stack += [layers.Flatten(), layers.Dense(512), layers.Activation("relu"), layers.Dense(10), layers.Activation("softmax")]
    return keras.Sequential(stack)


@tf.function
def step(model, optimizer, x, y):
    with tf.GradientTape() as tape:
        value = keras.losses.categorical_crossentropy(y, model(x, training=True))
        value = tf.reduce_mean(value)
    optimizer.apply(tape.gradient(value, [w.value for w in model.trainable_variables]))
    return value


RATE, BATCH, STEPS = 3e-4, 64, 100


@pytest.fixture(scope="module")
def curve():
    """The example's CNN, dropout off, pixels 0..255 as it trains: its initial weights, batches and losses.

    The rate is small because float32 training is chaotic at larger ones: with 1e-3, TensorFlow leaves its own curve by
    4e-3 within 100 steps when its initial weights change by 1e-7; here by 1e-4, while the loss falls from 3.0 to 2.4.
    """
    keras.utils.set_random_seed(5)
    model = cnn()
    rng = np.random.default_rng(11)
    labels = rng.integers(0, 10, BATCH * STEPS)
    patterns = rng.uniform(0, 255, (10, 32, 32, 3))  # a class is a pattern in noise: something to learn
    noise = rng.uniform(0, 255, (BATCH * STEPS, 32, 32, 3))
    x = np.clip(0.3 * patterns[labels] + 0.7 * noise, 0, 255).astype(np.float32)
    y = np.eye(10, dtype=np.float32)[labels]
    initial = model.get_weights()
    optimizer = keras.optimizers.SGD(RATE)
    optimizer.build(model.trainable_variables)
    losses = [step(model, optimizer, x[BATCH * i:BATCH * (i + 1)], y[BATCH * i:BATCH * (i + 1)]).numpy()
              for i in range(STEPS)]
    model.set_weights(initial)
    return model, x, y, np.array(losses, np.float64)


@pytest.mark.parametrize("algorithms", ["direct", "auto"])
def test_cnn_for_100_steps(algorithms, curve, tmp_path):
    """Every step's loss within 1e-3."""
    model, x, y, wanted = curve
    load = run(tmp_path, model, x, y, BATCH, STEPS, optimizer={"name": "sgd", "learning_rate": RATE},
               conv_algorithms=algorithms)
    found = load("losses").astype(np.float64)
    worst = np.abs(found - wanted) / wanted
    assert wanted[-1] < 0.85 * wanted[0], "the model learns"
    assert worst.max() < 1e-3, f"step {worst.argmax()}: {found[worst.argmax()]} against {wanted[worst.argmax()]}"
