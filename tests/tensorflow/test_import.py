"""SavedModels of TensorFlow, run by Headrace as the model server runs them, with TensorFlow's answers.

usage: pytest tests/tensorflow/test_import.py    HEADRACE_BIN: where the programs are (build/release/bin)
       HEADRACE_ALL_APPLICATIONS=1: every network of keras.applications, not one a family (some minutes)
"""

import os
import pathlib
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))
TOLERANCE = 1e-4


def serve(version, inputs):
    """{output name: array} of serving_default."""
    paths = []
    for i, array in enumerate(inputs):
        paths.append(version.parent / f"input-{i}.npy")
        np.save(paths[-1], np.ascontiguousarray(array, np.float32))
    done = subprocess.run([BIN / "serve_graph", version, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {p.stem[len("outputs-"):]: np.load(p) for p in version.parent.glob("outputs-*.npy")}


def check(version, x):
    signature = tf.saved_model.load(str(version)).signatures["serving_default"]
    name = list(signature.structured_input_signature[1])[0]
    wanted = {key: value.numpy() for key, value in signature(**{name: tf.constant(x)}).items()}
    found = serve(version, [x])
    assert found.keys() == wanted.keys()
    for key in wanted:
        assert found[key].shape == wanted[key].shape
        assert wanted[key].std() > 1e-7, "the answers should differ"
        difference = np.abs(found[key] - wanted[key]).max()
        print(f"{version}: {key}: largest difference {difference:.2e}")
        assert difference <= TOLERANCE


def randomize(model, seed):
    """Statistics no model starts with."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(random.uniform(0.6, 1.4, weight.shape))
        elif weight.path.endswith(("moving_mean", "beta", "bias")):
            weight.assign(random.uniform(-0.2, 0.2, weight.shape))


def export(model, version, how):
    if how == "export":
        model.export(str(version), verbose=False)
    else:
        tf.saved_model.save(model, str(version))


APPLICATIONS = {
    "MobileNetV2": lambda: keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), classes=50),
    "ResNet50": lambda: keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=50),
    "VGG16": lambda: keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=50),
}


@pytest.mark.parametrize("how", ["save", "export"])
@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications(name, how, tmp_path):
    keras.utils.set_random_seed(1)
    model = APPLICATIONS[name]()
    randomize(model, 2)
    export(model, tmp_path / "1", how)
    x = np.random.default_rng(3).uniform(-1, 1, (3, *model.input_shape[1:])).astype(np.float32)
    check(tmp_path / "1", x)


# One network a family; the size is the least that shows all of it, or that its class allows.
FAMILIES = {"ConvNeXtTiny": 32, "EfficientNetB0": 32, "MobileNetV3Small": 32, "Xception": 71}
OTHERS = {"DenseNet121": 32, "EfficientNetV2B0": 32, "InceptionResNetV2": 75, "InceptionV3": 75, "MobileNet": 32, "MobileNetV3Large": 32,
          "NASNetMobile": 32, "ResNet50V2": 32, "VGG19": 32}


@pytest.mark.parametrize("name", [*FAMILIES, *(OTHERS if os.environ.get("HEADRACE_ALL_APPLICATIONS") else [])])
def test_families_of_applications(name, tmp_path):
    keras.utils.set_random_seed(1)
    size = {**FAMILIES, **OTHERS}[name]
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=20)
    randomize(model, 2)
    model.export(str(tmp_path / "1"), verbose=False)
    x = np.random.default_rng(3).uniform(-1, 1, (3, *model.input_shape[1:])).astype(np.float32)
    wanted = model(x, training=False).numpy()
    found, = serve(tmp_path / "1", [x]).values()
    assert found.shape == wanted.shape and wanted.std() > 1e-3
    print(f"{name}: largest difference {np.abs(found - wanted).max():.2e}")
    assert np.abs(found - wanted).max() <= TOLERANCE


def layers_of_images():
    layers = keras.layers
    uniform = keras.initializers.RandomUniform(0.1, 0.4)
    return {
        "dense": layers.Dense(5),
        "layer_normalization": layers.LayerNormalization(),
        "layer_normalization_of_images": layers.LayerNormalization(axis=[1, 2, 3]),
        "group_normalization": layers.GroupNormalization(groups=3),
        "batch_normalization_of_rows": layers.BatchNormalization(axis=1),
        "prelu": layers.PReLU(alpha_initializer=uniform),
        "prelu_shared": layers.PReLU(alpha_initializer=uniform, shared_axes=[1, 2]),
        "dilated": layers.Conv2D(4, 3, dilation_rate=2, padding="same"),
        "dilated_valid": layers.Conv2D(4, (2, 3), dilation_rate=(3, 2), activation="relu"),
        "depthwise_dilated": layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"),
        "separable_dilated": layers.SeparableConv2D(5, 3, dilation_rate=(2, 3), padding="same"),
        "up_nearest": layers.UpSampling2D((3, 2)),
        "up_bilinear": layers.UpSampling2D((2, 3), interpolation="bilinear"),
        "transposed": layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
        "transposed_valid": layers.Conv2DTranspose(4, 4, strides=3),
        "transposed_small": layers.Conv2DTranspose(4, 2, strides=3),
        "transposed_dilated": layers.Conv2DTranspose(4, 3, dilation_rate=2),
        "depthwise": layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        "normalization": layers.Normalization(mean=[1.0, 2, 3, 4, 5, 6], variance=[1.0, 2, 3, 4, 5, 6]),
        "crop": layers.Cropping2D(((1, 2), (0, 3))),
    }


def layers_of_sequences():
    layers = keras.layers
    return {
        "dense": layers.Dense(5, activation="relu"),
        "conv": layers.Conv1D(4, 3, padding="same", strides=2),
        "max_pool": layers.MaxPooling1D(2),
        "global": layers.GlobalMaxPooling1D(),
    }


def layers_of_vectors():
    layers = keras.layers
    activations = ["elu", "selu", "gelu", "swish", "softplus", "softsign", "hard_sigmoid", "exponential", "mish", "hard_swish",
                   "celu", "tanh_shrink", "squareplus", "glu", "hard_tanh", "log_sigmoid"]
    return {
        "repeated": layers.RepeatVector(3),
        "log_softmax": layers.Activation("log_softmax"),
        "rms_normalization": layers.RMSNormalization(),
        "unit_normalization": layers.UnitNormalization(),
        "inverse_normalization": layers.Normalization(mean=2.0, variance=3.0, invert=True),
        **{name: layers.Activation(name) for name in activations},
    }


def test_each_layer(tmp_path):
    """One model of four inputs whose outputs are one layer each."""
    keras.utils.set_random_seed(1)
    shapes = {"image": (9, 8, 6), "sequence": (10, 6), "vector": (8,)}
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    inputs["tokens"] = keras.Input((6,), dtype="int32", name="tokens")
    groups = {"image": layers_of_images(), "sequence": layers_of_sequences(), "vector": layers_of_vectors()}
    outputs = {f"{group}_{name}": layer(inputs[group]) for group, layers in groups.items() for name, layer in layers.items()}
    outputs["tokens_embedded"] = keras.layers.Embedding(50, 8)(inputs["tokens"])
    outputs["image_gated"] = keras.layers.Multiply()([inputs["image"], keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs["image"])])
    model = keras.Model(inputs, outputs)
    randomize(model, 2)
    model.export(str(tmp_path / "1"), verbose=False)
    random = np.random.default_rng(3)
    x = {name: random.normal(size=(3, *shape)).astype(np.float32) for name, shape in shapes.items()}
    x["tokens"] = random.integers(0, 50, (3, 6)).astype(np.int32)
    wanted = {name: value.numpy() for name, value in model(x, training=False).items()}
    found = serve(tmp_path / "1", [x[name] for name in sorted(x)])
    assert found.keys() == wanted.keys()
    wrong = {name: (found[name].shape, value.shape) for name, value in wanted.items() if found[name].shape != value.shape}
    wrong |= {name: float(np.abs(found[name] - value).max()) for name, value in wanted.items()
              if name not in wrong and not np.abs(found[name] - value).max() <= TOLERANCE}
    assert not wrong


def build_functional():
    """Layers that the applications above do not have."""
    x = inputs = keras.Input((16, 14, 3), name="picture")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="swish")(x)
    a = keras.layers.SeparableConv2D(12, 3, strides=2, padding="same")(x)
    a = keras.layers.LeakyReLU(negative_slope=0.2)(a)
    b = keras.layers.AveragePooling2D(2)(x)
    b = keras.layers.Conv2D(12, 1, groups=2, activation="elu")(b)
    x = keras.layers.Concatenate()([a, b, keras.layers.Multiply()([a, b]), keras.layers.Maximum()([a, b])])
    scale = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    scale = keras.layers.Conv2D(48, 1, activation="sigmoid")(scale)
    x = keras.layers.Multiply()([x, scale])
    x = keras.layers.Permute((2, 1, 3))(x)
    x = keras.layers.Conv2D(8, 3, activation="gelu")(x)
    x = keras.layers.Concatenate()([keras.layers.GlobalMaxPooling2D()(x), keras.layers.GlobalAveragePooling2D()(x)])
    x = keras.layers.Dropout(0.4)(x)
    x = keras.layers.Dense(9)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dense(7, activation="tanh")(x)
    x = keras.layers.Reshape((7, 1))(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(5, activation="softmax")(x))


@pytest.mark.parametrize("how", ["save", "export"])
def test_other_layers(how, tmp_path):
    keras.utils.set_random_seed(1)
    model = build_functional()
    randomize(model, 2)
    export(model, tmp_path / "1", how)
    check(tmp_path / "1", np.random.default_rng(3).uniform(0, 255, (4, 16, 14, 3)).astype(np.float32))


def test_several_inputs_and_outputs(tmp_path):
    class Two(tf.Module):
        def __init__(self):
            self.w = tf.Variable(tf.random.normal((3, 4), seed=1))

        @tf.function(input_signature=[tf.TensorSpec((None, 3), name="a"), tf.TensorSpec((None, 4), name="b")])
        def __call__(self, a, b):
            product = tf.matmul(a, self.w)
            return {"sum": product + b, "score": tf.nn.softmax(product * b)}

    module = Two()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.__call__)
    random = np.random.default_rng(3)
    a, b = random.normal(size=(5, 3)).astype(np.float32), random.normal(size=(5, 4)).astype(np.float32)
    wanted = module(tf.constant(a), tf.constant(b))
    found = serve(tmp_path / "1", [a, b])
    assert found.keys() == {"sum", "score"}
    for key in found:
        assert np.abs(found[key] - wanted[key].numpy()).max() <= TOLERANCE


def test_an_unsupported_operation_is_named(tmp_path):
    class Sorted(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
        def __call__(self, x):
            return {"y": tf.sort(x) * 2.0}

    module = Sorted()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.__call__)
    np.save(tmp_path / "x.npy", np.zeros((1, 4), np.float32))
    done = subprocess.run([BIN / "serve_graph", tmp_path / "1", tmp_path / "x.npy"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "(TopKV2): Headrace does not know the operation TopKV2" in done.stderr


# ------------------------------------------------------------------------------- TensorFlow 1, with its training graph


def tf1_cifar_graph():
    """The sample's CNN as Keras 2.3 on TensorFlow 1 writes it: conditions on the learning phase, a Flatten of Shape,
    Prod and Pack, gradients and the optimizer's slots."""
    v1 = tf.compat.v1
    phase = v1.placeholder_with_default(False, (), name="keras_learning_phase")
    x = image = v1.placeholder(tf.float32, (None, 32, 32, 3), name="inputs_input")

    def variable(name, shape, low, high):
        return v1.get_variable(name, shape, initializer=v1.random_uniform_initializer(low, high, seed=len(name)))

    def norm(x, name):
        c = x.shape[-1]
        gamma, beta = variable(name + "/gamma", (c,), 0.7, 1.3), variable(name + "/beta", (c,), -0.2, 0.2)
        mean, variance = variable(name + "/moving_mean", (c,), -0.2, 0.2), variable(name + "/moving_variance", (c,), 0.5, 1.5)
        trained = v1.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-3)[0]  # in front of the condition: Keras computes both
        infer = lambda: v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3, is_training=False)[0]
        return v1.cond(phase, lambda: trained, infer)

    def dropout(x, rate):
        return v1.cond(phase, lambda: tf.nn.dropout(x, rate=rate), lambda: tf.identity(x))

    for i, (filters, rate) in enumerate([(32, 0.2), (64, 0.3), (128, 0.4)]):
        for k, padding in enumerate(["SAME", "VALID"]):
            c, name = x.shape[-1], f"block{i}_{k}"
            x = tf.nn.conv2d(x, variable(name + "/kernel", (3, 3, c, filters), -0.1, 0.1), 1, padding)
            x = tf.nn.bias_add(x, variable(name + "/bias", (filters,), -0.1, 0.1))
            x = tf.nn.relu(norm(x, name))
        x = dropout(tf.nn.max_pool2d(x, 2, 2, "VALID"), rate)
    x = tf.reshape(x, tf.stack([-1, tf.reduce_prod(tf.shape(x)[1:])]))
    x = tf.matmul(x, variable("dense/kernel", (512, 512), -0.1, 0.1)) + variable("dense/bias", (512,), -0.1, 0.1)
    x = dropout(tf.nn.relu(x), 0.5)
    x = tf.matmul(x, variable("dense_1/kernel", (512, 10), -0.1, 0.1)) + variable("dense_1/bias", (10,), -0.1, 0.1)
    scores = tf.nn.softmax(x)
    labels = v1.placeholder(tf.float32, (None, 10), name="labels")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, x))
    v1.train.AdamOptimizer(1e-3).minimize(loss)
    return image, scores


@pytest.mark.parametrize("resource_variables", [False, True])
def test_tensorflow_1_with_its_training_graph(resource_variables, tmp_path):
    v1 = tf.compat.v1
    x = np.random.default_rng(4).uniform(0, 1, (6, 32, 32, 3)).astype(np.float32)
    was = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default(), v1.Session() as session:
            with v1.variable_scope("", use_resource=resource_variables):
                image, scores = tf1_cifar_graph()
            session.run(v1.global_variables_initializer())
            wanted = session.run(scores, {image: x})
            builder = v1.saved_model.Builder(str(tmp_path / "1"))
            signature = v1.saved_model.predict_signature_def({"image": image}, {"scores": scores})
            builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
            builder.save()
            assert {"Switch", "Merge"} <= {op.type for op in session.graph.get_operations()}
    finally:
        if was:
            v1.enable_control_flow_v2()
    found = serve(tmp_path / "1", [x])["scores"]
    assert wanted.std() > 1e-3
    print(f"largest difference {np.abs(found - wanted).max():.2e}")
    assert np.abs(found - wanted).max() <= TOLERANCE
