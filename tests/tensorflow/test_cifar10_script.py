"""examples/cifar10/source/keras_cifar10.py on this environment's TensorFlow, as a job runs it, and the script that makes its data."""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/cifar10"
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests/clients"))
import seed  # noqa: E402
from platform_fixtures import BIN, HEADRACE  # noqa: E402


# An interpreter with TensorFlow 1.15, which ends at Python 3.7: where a machine has one, this names it.
TENSORFLOW_1 = os.environ.get("HEADRACE_TENSORFLOW_1_PYTHON", str(ROOT / "build/venv/tensorflow1/bin/python"))


def run(script, *arguments, python=sys.executable, check=True, **variables):
    inherited = {name: value for name, value in os.environ.items() if name != "TF2_BEHAVIOR"}  # an import of TensorFlow 2 sets it
    environment = {**inherited, "HEADRACE_BIN": str(BIN), "TF_CPP_MIN_LOG_LEVEL": "2", **variables}
    return subprocess.run([python, script, *map(str, arguments)], check=check, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """As the notebook's cell makes it, but of the sample: CIFAR-10's own site is not asked by tests."""
    directory = tmp_path_factory.mktemp("data")
    run(EXAMPLE / "generate_cifar10_tfrecords.py", "--data-dir", directory, CIFAR10_FROM="sample")
    return directory


@pytest.fixture(scope="module", params=["this environment's TensorFlow", "TensorFlow 1.15"])
def job(request, data, tmp_path_factory):
    """What a File job gives the script: its channels and directories in SM_ variables, --model_dir an S3 address."""
    python = TENSORFLOW_1 if request.param == "TensorFlow 1.15" else sys.executable
    if not pathlib.Path(python).exists():
        pytest.skip("TensorFlow 1.15 wants Python 3.7; name one that has it in HEADRACE_TENSORFLOW_1_PYTHON")
    directory = tmp_path_factory.mktemp("job")
    channels = {f"SM_CHANNEL_{name.upper()}": str(data / name) for name in ("train", "validation", "eval")}
    done = run(EXAMPLE / "source/keras_cifar10.py", "--epochs", 2, "--batch-size", 64, "--seed", 1, "--model_dir", "s3://bucket/job/model",
               python=python, SM_MODEL_DIR=str(directory / "model"), SM_OUTPUT_DATA_DIR=str(directory / "output"),
               SM_INPUT_DATA_CONFIG=json.dumps({name: {"TrainingInputMode": "File"} for name in ("train", "validation", "eval")}), **channels)
    return directory, done.stdout


def test_the_generator_finds_no_program(tmp_path):
    lonely = tmp_path / "a/b/generate_cifar10_tfrecords.py"
    lonely.parent.mkdir(parents=True)
    lonely.write_bytes((EXAMPLE / "generate_cifar10_tfrecords.py").read_bytes())
    done = run(lonely, check=False, HEADRACE_BIN=str(tmp_path), PATH="/nowhere")
    assert done.returncode == 1 and "found no program `headrace`" in done.stderr


def test_the_generator_writes_what_headrace_does(data, tmp_path):
    subprocess.run([HEADRACE, "dataset", "cifar10", "--sample", "--data-dir", tmp_path], check=True, capture_output=True)
    for name in ("train", "validation", "eval"):
        assert (data / name / f"{name}.tfrecords").read_bytes() == (tmp_path / name / f"{name}.tfrecords").read_bytes()


def test_an_epochs_line_gives_all_five_metrics(job):
    lines = job[1].splitlines()
    assert "Epoch 2/2" in lines
    for definition in seed.METRIC_DEFINITIONS:
        found = [match.group(1) for match in map(re.compile(definition["Regex"]).search, lines) if match]
        assert len(found) >= 2 and all(float(value) > 0 for value in found), definition["Name"]
        assert len(found) == 2 or definition["Name"].startswith("train:"), "a long epoch has more lines, of training alone"


def test_it_leaves_checkpoints_logs_and_a_model(job):
    directory, printed = job
    assert {file.name for file in (directory / "output").glob("*.h5")} == {"checkpoint-1.h5", "checkpoint-2.h5"}
    assert list((directory / "output").glob("**/events.out.tfevents.*"))
    assert f"Model successfully saved at: {directory}/model/1" in printed


def test_its_model_is_served_alike_by_tensorflow_and_headrace(job, data):
    """Signature, names, and the accuracy on pictures that are not augmented."""
    import numpy as np
    import tensorflow as tf

    sys.path.insert(0, str(EXAMPLE))
    from cifar10_examples import read_examples

    directory = job[0]
    signature = tf.saved_model.load(str(directory / "model/1")).signatures["serving_default"]
    assert list(signature.structured_input_signature[1]) == ["image"] and list(signature.structured_outputs) == ["scores"]
    images, labels = read_examples(data / "eval/eval.tfrecords")
    predicted = np.argmax(signature(image=tf.constant(images))["scores"], axis=1)
    shown = subprocess.run([HEADRACE, "evaluate", "--model", directory / "model", "--data", data / "eval/eval.tfrecords", "-o", "json"],
                           check=True, capture_output=True, text=True)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, predicted), 1)
    assert json.loads(shown.stdout)["confusion_matrix"] == confusion.tolist()


def test_too_large_a_batch_is_told(data, tmp_path):
    done = run(EXAMPLE / "source/keras_cifar10.py", "--batch-size", 5000, "--train", data / "train", "--validation", data / "validation", "--eval", data / "eval",
               "--output-dir", tmp_path, check=False)
    assert done.returncode == 1 and "--batch-size: found 5000, wanted 1600 or less: train has 1600 records" in done.stderr


def test_keras_3_decays_as_older_optimizers_did():
    """Three steps of Adam at 0.001 with decay 2e-4 and a gradient of 0.1, computed in float64."""
    import tensorflow as tf

    spec = importlib.util.spec_from_file_location("keras_cifar10", EXAMPLE / "source/keras_cifar10.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    optimizer = script.with_decay(tf.keras.optimizers.Adam, 2e-4)(0.001)
    weight = tf.Variable(1.0)
    for wanted in (0.9990000316217766, 0.9980002539430842, 0.9970006720420621):
        optimizer.apply([tf.constant(0.1)], [weight])
        assert float(weight) == pytest.approx(wanted, abs=2e-7)
    assert float(optimizer.learning_rate) == pytest.approx(0.001)  # what callbacks read and set
