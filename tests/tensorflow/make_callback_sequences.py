"""Runs Keras's own callbacks over scripted logs and writes what they did, for callbacks_test.cc to compare with.

    build/venv/tensorflow/bin/python tests/tensorflow/make_callback_sequences.py

"lr" is the optimizer's rate behind an epoch, "lr_in_logs" what the callback has written into the logs as learning_rate.
"""

import contextlib
import io
import json
import os
import pathlib
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras

OUTPUT = pathlib.Path(__file__).parents[2] / "src/keras/callbacks/testdata/keras_callbacks.json"

NAN = float("nan")


def values(name, *sequence):
    return [{name: value} for value in sequence]


FALLING_THEN_FLAT = values("val_loss", 1.5, 1.0, 0.75, 0.8, 0.7499875, 0.7, 0.7, 0.71, 0.72, 0.69, 0.7, 0.7, 0.7, 0.7)
ACCURACY = values("val_accuracy", 0.1, 0.3, 0.3, 0.25, 0.5, 0.5, 0.4, 0.45, 0.4)
WITH_NAN = values("val_loss", 1.0, NAN, 0.5, NAN, NAN, NAN)
FIRST_NAN = values("val_loss", NAN, 1.0, 0.5, 0.25)

SCENARIOS = [
    ("EarlyStopping", dict(patience=2, verbose=1), FALLING_THEN_FLAT),
    ("EarlyStopping", dict(patience=0, verbose=1), FALLING_THEN_FLAT),
    ("EarlyStopping", dict(patience=3, min_delta=0.06, verbose=1), FALLING_THEN_FLAT),
    ("EarlyStopping", dict(patience=2, start_from_epoch=6, verbose=0), FALLING_THEN_FLAT),
    ("EarlyStopping", dict(monitor="val_accuracy", patience=2, verbose=1, restore_best_weights=True), ACCURACY),
    ("EarlyStopping", dict(monitor="val_accuracy", mode="min", patience=2, verbose=1), ACCURACY),
    ("EarlyStopping", dict(patience=2, verbose=1), WITH_NAN),
    ("EarlyStopping", dict(patience=2, verbose=1), FIRST_NAN),
    ("ReduceLROnPlateau", dict(patience=2, verbose=1), FALLING_THEN_FLAT),
    ("ReduceLROnPlateau", dict(patience=1, factor=0.5, cooldown=2, verbose=1), FALLING_THEN_FLAT),
    ("ReduceLROnPlateau", dict(patience=1, min_lr=2e-5, verbose=1), FALLING_THEN_FLAT),
    ("ReduceLROnPlateau", dict(patience=0, factor=0.5, verbose=0), FALLING_THEN_FLAT),
    ("ReduceLROnPlateau", dict(monitor="val_accuracy", patience=2, factor=0.2, verbose=1), ACCURACY),
    ("ReduceLROnPlateau", dict(patience=2, verbose=1), WITH_NAN),
    ("ModelCheckpoint", dict(filepath="checkpoint-{epoch}.h5"), FALLING_THEN_FLAT[:3]),
    ("ModelCheckpoint", dict(filepath="{epoch:02d}-{val_loss:.2f}.h5", verbose=1), FALLING_THEN_FLAT[:4]),
    ("ModelCheckpoint", dict(filepath="best.h5", save_best_only=True, verbose=1), FALLING_THEN_FLAT),
    ("ModelCheckpoint", dict(filepath="best.h5", monitor="val_accuracy", save_best_only=True, verbose=1), ACCURACY),
    ("ModelCheckpoint", dict(filepath="best.h5", save_best_only=True, verbose=1), WITH_NAN),
]

CSV_LOGS = {
    "validated": [
        {"loss": 2.302585092994046, "accuracy": 0.1, "val_loss": 2.0, "val_accuracy": 0.2},
        {"loss": 1e-05, "accuracy": 1.0, "val_loss": NAN},
    ],
    "not_validated": [{"loss": 0.5, "accuracy": 0.25}, {"loss": 0.375, "accuracy": 0.5}],
}


def make_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.001), "categorical_crossentropy", metrics=["accuracy"])
    x = keras.ops.ones((1, 1))
    model.train_on_batch(x, keras.ops.ones((1, 2)) / 2)  # metrics exist from the first batch on
    return model


def run(callback_name, options, logs, directory):
    """What the callback printed, saved and set after each epoch; it ends when the callback stops training."""
    model = make_model()
    saved = []
    model.save = lambda path, overwrite=True: saved.append(os.path.relpath(path, directory))
    given = dict(options)
    if "filepath" in given:
        given["filepath"] = os.path.join(directory, given["filepath"])
    callback = getattr(keras.callbacks, callback_name)(**given)
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    epochs = []
    for epoch, values in enumerate(logs):
        model.layers[0].bias.assign([epoch, epoch])
        saved.clear()
        shown = dict(values)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, shown)
        epochs.append(
            {
                "printed": printed.getvalue().replace(directory + "/", ""),
                "saved": list(saved),
                "stop": model.stop_training,
                "lr": float(model.optimizer.learning_rate),
                "lr_in_logs": shown.get("learning_rate"),
            }
        )
        if model.stop_training:
            break
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        callback.on_train_end()
    return {
        "callback": callback_name,
        "options": options,
        "logs": [{name: repr(value) for name, value in entry.items()} for entry in logs],
        "epochs": epochs,
        "printed_at_end": printed.getvalue(),
        "weight_at_end": float(model.layers[0].get_weights()[1][0]),
    }


def run_csv(name, options, before):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "log.csv")
        if before is not None:
            pathlib.Path(path).write_text(before)
        callback = keras.callbacks.CSVLogger(path, **options)
        callback.on_train_begin()
        for epoch, logs in enumerate(CSV_LOGS[name]):
            callback.on_epoch_end(epoch, logs)
        callback.on_train_end()
        logs = [{key: repr(value) for key, value in entry.items()} for entry in CSV_LOGS[name]]
        text = pathlib.Path(path).read_bytes().decode()
        return {"options": options, "before": before, "logs": logs, "file": text}


def dump(value, indent=""):
    """JSON with whatever fits on a line on one."""
    flat = json.dumps(value)
    if len(indent) + len(flat) <= 160 or not isinstance(value, (dict, list)):
        return flat
    inner = indent + " "
    if isinstance(value, list):
        items = [inner + dump(item, inner) for item in value]
        return "[\n" + ",\n".join(items) + "\n" + indent + "]"
    items = [f"{inner}{json.dumps(key)}: {dump(item, inner)}" for key, item in value.items()]
    return "{\n" + ",\n".join(items) + "\n" + indent + "}"


def main():
    with tempfile.TemporaryDirectory() as directory:
        sequences = [run(*scenario, directory) for scenario in SCENARIOS]
    csv_files = [
        run_csv("validated", {}, None),
        run_csv("not_validated", {"separator": ";"}, "old\r\n"),
        run_csv("validated", {"append": True}, "old\r\n"),
        run_csv("validated", {"append": True}, None),
    ]
    content = {"keras": keras.__version__, "sequences": sequences, "csv": csv_files}
    OUTPUT.write_text(dump(content) + "\n")


main()
