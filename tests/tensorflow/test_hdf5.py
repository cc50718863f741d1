"""Keras's legacy HDF5 files, both ways: ours in Keras, Keras's in ours.

HEADRACE_BIN names the folder of hdf5_tool (default build/release/bin).
"""

import json
import os
import pathlib
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "hdf5_tool"


def tool(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def show(path):
    return json.loads(tool("show", path))


def refusal(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 1
    return done.stderr


def array(value):
    return np.array(value["values"], np.float32).reshape(value["shape"])


def load(path):
    """keras.models.load_model with the optimizer's slots.

    Keras 3.15 builds the optimizer of a legacy file on an empty list of variables (its own files too): slots are lost
    and fit() refuses. So the optimizer is made again, from the file's configuration and its weights in the file's order.
    """
    model = keras.models.load_model(path)
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(model.trainable_variables)
    with h5py.File(path) as file:
        optimizer.set_weights(legacy_h5_format.load_optimizer_weights_from_hdf5_group(file))
    model.compile(optimizer=optimizer, loss=model.loss, metrics=["accuracy"])
    return model


def legacy_weights(model):
    """In the order of the file: layer by layer, trainable first."""
    return [w for layer in model.layers for w in layer.trainable_weights + layer.non_trainable_weights]


SLOTS = ("momentum", "velocity", "velocity_hat", "norm", "average", "average_gradient", "gradient_accumulator", "accumulator",
         "accumulated_grad", "accumulated_delta_var", "linear")


def slots_of(model):
    """{slot: [arrays]} of a Keras optimizer."""
    slots = {}
    for variable in model.optimizer.variables:
        for slot in SLOTS:
            if variable.path.endswith("_" + slot):
                slots.setdefault(slot, []).append(variable.numpy())
    return slots


def assert_same_weights(shown, model):
    ours, theirs = shown["weights"], legacy_weights(model)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        np.testing.assert_array_equal(array(mine), other.numpy(), err_msg=mine["name"])


def assert_same_optimizer(shown, model):
    compiled = shown["compiled"]
    assert compiled["iterations"] == int(model.optimizer.iterations.numpy())
    assert compiled["learning_rate"] == pytest.approx(float(model.optimizer.learning_rate.numpy()), rel=1e-7)
    theirs = slots_of(model)
    assert compiled["slots"].keys() == theirs.keys()
    for name, values in compiled["slots"].items():
        assert len(values) == len(theirs[name])
        for mine, other in zip(values, theirs[name]):
            np.testing.assert_array_equal(array(mine), other)


def batch(classes, sparse):
    rng = np.random.default_rng(0)
    x = rng.random((12, 8, 8, 3), np.float32)
    y = np.arange(12) % classes
    return x, y if sparse else keras.utils.to_categorical(y, classes)


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.003),
    "sgd": lambda: keras.optimizers.SGD(0.02),
    "momentum": lambda: keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.004),
    "rmsprop_momentum": lambda: keras.optimizers.RMSprop(0.004, momentum=0.5),
    "rmsprop_centered": lambda: keras.optimizers.RMSprop(0.004, centered=True),
    "adamw_amsgrad": lambda: keras.optimizers.AdamW(0.003, amsgrad=True),
    "adamax": lambda: keras.optimizers.Adamax(0.003),
    "nadam": lambda: keras.optimizers.Nadam(0.003),
    "adagrad": lambda: keras.optimizers.Adagrad(0.003),
    "adadelta": lambda: keras.optimizers.Adadelta(0.003),
    "lion": lambda: keras.optimizers.Lion(0.003),
    "ftrl": lambda: keras.optimizers.Ftrl(0.003),
    "schedule_free": lambda: keras.optimizers.ScheduleFreeAdamW(0.003),
    "lamb": lambda: keras.optimizers.Lamb(0.003),
    "averaged": lambda: keras.optimizers.Adam(0.003, use_ema=True, clipnorm=1.0, weight_decay=0.01),
}


def keras_sequential(optimizer="adam"):
    model = keras.Sequential([
        layers.Input((8, 8, 3)),
        layers.Conv2D(4, 3, padding="same"),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.2),
        layers.ZeroPadding2D(1),
        layers.Flatten(),
        layers.Dense(5, activation="silu"),
        layers.Dense(3, activation="softmax"),
    ])
    model.compile(optimizer=OPTIMIZERS[optimizer](), loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(*batch(3, sparse=False), batch_size=4, verbose=0)
    return model


def keras_functional():
    inputs = keras.Input((8, 8, 3))
    shortcut = layers.Conv2D(4, 1)(inputs)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    shared = layers.Conv2D(4, 3, padding="same")
    x = shared(shared(x))
    x = layers.Add()([x, shortcut, shortcut])
    x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.compile(optimizer=OPTIMIZERS["momentum"](), loss=keras.losses.SparseCategoricalCrossentropy(),
                  metrics=["accuracy"])
    model.fit(*batch(2, sparse=True), batch_size=4, verbose=0)
    return model


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_keras_loads_our_model(kind, tmp_path):
    path = tmp_path / "model.h5"
    tool("write", kind, path)
    shown = show(path)
    model = load(path)
    assert [layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer)] == [
        name for name, _ in shown["layers"]]
    assert_same_weights(shown, model)
    assert shown["compiled"]["iterations"] == 17
    assert_same_optimizer(shown, model)
    assert model.optimizer.name == shown["compiled"]["optimizer"]
    model.fit(*batch(model.output_shape[-1], sparse=kind == "functional"), verbose=0)  # compiled as ours
    assert int(model.optimizer.iterations.numpy()) == 18


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_what_keras_saves_again_comes_back(kind, tmp_path):
    ours, theirs = tmp_path / "ours.h5", tmp_path / "theirs.h5"
    tool("write", kind, ours)
    load(ours).save(theirs)
    before, after = show(ours), show(theirs)
    assert before["weights"] == after["weights"]
    assert before["compiled"] == after["compiled"]
    assert before["layers"] == after["layers"]


def test_a_file_without_slots_starts_them_at_zero(tmp_path):
    ours, theirs = tmp_path / "ours.h5", tmp_path / "theirs.h5"
    tool("write", "sequential", ours)
    keras.models.load_model(ours).save(theirs)
    compiled = show(theirs)["compiled"]
    assert compiled["iterations"] == 17
    assert not any(np.any(array(value)) for values in compiled["slots"].values() for value in values)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_we_load_a_sequential_of_keras(optimizer, tmp_path):
    path = tmp_path / "model.h5"
    model = keras_sequential(optimizer)
    model.save(path)
    shown = show(path)
    assert shown["sequential"]
    assert [name for name, _ in shown["layers"]] == [layer.name for layer in model.layers]
    assert_same_weights(shown, model)
    assert_same_optimizer(shown, model)
    assert shown["compiled"]["loss"] == "categorical_crossentropy"
    assert shown["compiled"]["metrics"] == ["accuracy"]


# Keras 3.15 does not find Lamb again, in its own files of this kind neither.
@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name != "lamb"])
def test_keras_goes_on_from_our_file(optimizer, tmp_path):
    """What the optimizer keeps, in Keras's order, and its settings."""
    theirs, ours = tmp_path / "theirs.h5", tmp_path / "ours.h5"
    model = keras_sequential(optimizer)
    model.save(theirs)
    tool("resave", theirs, ours)
    again = load(ours)
    assert [v.shape for v in again.optimizer.variables] == [v.shape for v in model.optimizer.variables]
    for found, wanted in zip(again.optimizer.variables, model.optimizer.variables):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6, err_msg=wanted.path)
    found, wanted = again.optimizer.get_config(), model.optimizer.get_config()
    for key in wanted.keys() - {"name", "ema_momentum"}:
        assert found[key] == (pytest.approx(wanted[key], rel=1e-6) if isinstance(wanted[key], float) else wanted[key]), key


def test_we_load_a_graph_of_keras(tmp_path):
    path = tmp_path / "model.h5"
    model = keras_functional()
    model.save(path)
    shown = show(path)
    assert [name for name, _ in shown["layers"]] == [layer.name for layer in model.layers[1:]]
    assert_same_weights(shown, model)
    assert_same_optimizer(shown, model)


def test_keras_answers_the_same_after_our_save(tmp_path):
    theirs, ours = tmp_path / "theirs.h5", tmp_path / "ours.h5"
    x = batch(3, sparse=False)[0]
    for model in (keras_sequential(), keras_functional()):
        model.save(theirs)
        tool("resave", theirs, ours)
        np.testing.assert_array_equal(model.predict(x, verbose=0), keras.models.load_model(ours).predict(x, verbose=0))


def test_mixed_precision_is_kept(tmp_path):
    theirs, ours = tmp_path / "theirs.h5", tmp_path / "ours.h5"
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = keras_sequential()
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(theirs)
    assert show(theirs)["compiled"]["policy"] == "mixed_bfloat16"
    tool("resave", theirs, ours)
    assert keras.models.load_model(ours).layers[0].dtype_policy.name == "mixed_bfloat16"


def as_keras2(path, names):
    """Renames a file's optimizer weights and weights as Keras 2 did; names: old path -> new path."""
    with h5py.File(path, "r+") as file:
        group = file["optimizer_weights"]
        old = [n.decode() if isinstance(n, bytes) else n for n in group.attrs["weight_names"]]
        renamed = [names(n) for n in old]
        kept = [(o, n) for o, n in zip(old, renamed) if n]
        for o, n in kept:
            group.move(o, "moved/" + n)
        for key in [k for k in group if k != "moved"]:
            del group[key]
        for _, n in kept:
            group.move("moved/" + n, n)
        group.attrs["weight_names"] = np.array([n.encode() for _, n in kept])
        # Lists of names that did not fit into one attribute, and a layer list of fixed-size bytes.
        weights = file["model_weights"]
        layer_names = [n.encode() if isinstance(n, str) else n for n in weights.attrs["layer_names"]]
        del weights.attrs["layer_names"]
        weights.attrs["layer_names0"] = np.array(layer_names[:4])
        weights.attrs["layer_names1"] = np.array(layer_names[4:])


def legacy_name(name):
    last = name.split("/")[-1]
    if last == "iteration":
        return "Adam/iter:0"
    if last == "learning_rate":
        return None  # not among the weights then
    stem, slot = last.rsplit("_", 1)
    return f"Adam/{stem}/{slot[0]}:0"


def middle_name(name):
    last = name.split("/")[-1]
    if last in ("iteration", "learning_rate"):
        return last + ":0"
    stem, slot = last.rsplit("_", 1)
    return f"Adam/{slot[0]}/{stem}:0"


@pytest.mark.parametrize("names", [legacy_name, middle_name], ids=["keras 2.0 to 2.10", "keras 2.11 to 2.15"])
def test_we_load_the_names_of_keras_2(names, tmp_path):
    path = tmp_path / "model.h5"
    model = keras_sequential()
    # In Keras 2 the slots were m then v; SLOT[0] of momentum and velocity are just those letters.
    model.save(path)
    as_keras2(path, names)
    shown = show(path)
    assert_same_weights(shown, model)
    assert_same_optimizer(shown, model)


def test_unknown_training_settings_leave_the_model_uncompiled(tmp_path):
    path = tmp_path / "model.h5"
    model = keras_sequential()
    model.compile(optimizer=keras.optimizers.Muon(), loss="mse")
    model.save(path)
    shown = show(path)
    assert shown["compiled"] is None
    assert_same_weights(shown, model)


def test_weights_files(tmp_path):
    model, other = keras_sequential(), keras_sequential()
    model.save(tmp_path / "model.h5")
    other.save(tmp_path / "other.h5")
    assert_same_weights(json.loads(tool("weights", tmp_path / "model.h5", tmp_path / "other.h5")), other)
    other.save_weights(tmp_path / "w.weights.h5")
    assert "found Keras 3's own .weights.h5 layout" in refusal(
        "weights", tmp_path / "model.h5", tmp_path / "w.weights.h5")


def test_layers_we_do_not_have_are_named(tmp_path):
    path = tmp_path / "model.h5"
    model = keras.Sequential([layers.Input((8, 8, 3)), layers.DepthwiseConv2D(3), layers.Flatten()])
    model.save(path)
    message = refusal("show", path)
    assert message.startswith(str(path))
    assert 'layer class: found "DepthwiseConv2D", wanted one of Activation' in message


def test_regularizers_are_kept_and_others_refused(tmp_path):
    path, again = tmp_path / "model.h5", tmp_path / "again.h5"
    regularizers = keras.regularizers
    for regularizer in (regularizers.L1(0.02), regularizers.L2(0.03), regularizers.L1L2(0.04, 0.05)):
        keras.Sequential([layers.Input((8,)), layers.Dense(3, kernel_regularizer=regularizer, name="d")]).save(path)
        tool("resave", path, again)
        [layer] = keras.models.load_model(again, compile=False).layers
        assert layer.kernel_regularizer.get_config() == pytest.approx(regularizer.get_config())
        assert type(layer.kernel_regularizer) is type(regularizer)
    other = regularizers.OrthogonalRegularizer()
    keras.Sequential([layers.Input((8,)), layers.Dense(3, kernel_regularizer=other, name="d")]).save(path)
    assert "d: kernel_regularizer: found OrthogonalRegularizer, wanted L1, L2 or L1L2" in refusal("show", path)


# ---------------------------------------------------------------------------- files as no writer of Keras makes them


def write_by_hand(path, kernel, rows=3, columns=4):
    """A model of one Dense layer whose kernel is what `kernel(file, group)` makes of it."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, rows], "dtype": "float32", "name": "in"}},
            {"class_name": "Dense", "config": {"name": "d", "units": columns, "activation": "linear", "use_bias": True}}]}})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"d"]
        layer = weights.create_group("d")
        layer.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        group = layer.create_group("d")
        group["bias:0"] = np.zeros(columns, np.float32)
        kernel(file, group)
    return path


SECRET = np.arange(100, 112, dtype=np.float32).reshape(3, 4)


def outside_files(directory):
    (directory / "secret.bin").write_bytes(SECRET.tobytes())
    with h5py.File(directory / "private.h5", "w") as file:
        file["table"] = SECRET

    def virtual(file, group):
        layout = h5py.VirtualLayout((3, 4), np.float32)
        layout[:] = h5py.VirtualSource(str(directory / "private.h5"), "table", (3, 4))
        group.create_virtual_dataset("kernel:0", layout)

    def soft(file, group):
        file["elsewhere"] = SECRET
        group["kernel:0"] = h5py.SoftLink("/elsewhere")

    def whole_group(file, group):
        del file["model_weights/d"]
        file["model_weights/d"] = h5py.ExternalLink(str(directory / "private.h5"), "/")

    def storage(file, group):
        group.create_dataset("kernel:0", (3, 4), np.float32, external=[(str(directory / "secret.bin"), 0, 48)])

    return {
        "external storage": storage,
        "an external link": lambda file, group: group.__setitem__("kernel:0", h5py.ExternalLink(str(directory / "private.h5"), "/table")),
        "a soft link": soft,
        "a virtual dataset": virtual,
        "an external link into": whole_group,
    }


def test_weights_outside_of_the_file_are_refused(tmp_path):
    plain = write_by_hand(tmp_path / "plain.h5", lambda file, group: group.__setitem__("kernel:0", np.ones((3, 4), np.float32)))
    assert show(plain)["weights"][0]["values"] == [1] * 12
    for what, kernel in outside_files(tmp_path).items():
        path = write_by_hand(tmp_path / "outside.h5", kernel)
        for arguments in [("show", path), ("weights", plain, path)]:
            message = refusal(*arguments)
            assert what in message and "model_weights" in message and "d" in message, message


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True, "fletcher32": True}])
def test_shapes_that_are_not_stored_are_refused_before_there_is_memory(tmp_path, options):
    bomb = write_by_hand(tmp_path / "bomb.h5", lambda file, group: group.create_dataset("kernel:0", (40000, 50000), np.float32, chunks=(1000, 1000), **options), 40000, 50000)
    done = subprocess.run(["bash", "-c", f"ulimit -v 6000000; exec {TOOL} show {bomb}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 'dataset "d/kernel:0": its shape (40000, 50000) declares 8000000000 bytes and the file stores 0 of them' in done.stderr
    small = write_by_hand(tmp_path / "small.h5", lambda file, group: group.create_dataset("kernel:0", data=np.ones((3, 4), np.float32), chunks=(2, 2), **options))
    assert show(small)["weights"][0]["values"] == [1] * 12


def test_compressed_zeros_are_refused_above_their_bound(tmp_path):
    def zeros(file, group):
        group.create_dataset("kernel:0", data=np.zeros((6000, 4000), np.float32), chunks=(1000, 1000), compression="gzip")

    assert "compressed at most 100 times" in refusal("show", write_by_hand(tmp_path / "zeros.h5", zeros, 6000, 4000))
