"""The wheels of python/, in an environment of their own that has the framework and nothing else of this tree."""
import os
import pathlib
import subprocess
import zipfile

import pytest

from conftest import BUILD, ROOT, run

FRAMEWORK = ROOT / "build/venv/tensorflow"
READ_ONE_EPOCH = """
import json, os, pathlib, sys, threading
import sagemaker_tensorflow
assert "site-packages" in sagemaker_tensorflow.__file__, sagemaker_tensorflow.__file__
root = pathlib.Path(sys.argv[1])
(root / "inputdataconfig.json").write_text(json.dumps({"train": {"TrainingInputMode": "Pipe"}}))
os.mkfifo(root / "train_0")
threading.Thread(target=lambda: (root / "train_0").write_bytes(b"one\\ntwo\\n"), daemon=True).start()
dataset = sagemaker_tensorflow.PipeModeDataset("train", "TextLine", str(root / "state"), str(root), str(root))
print([record.numpy().decode() for record in dataset])
"""
ONE_RANK = "import horovod.tensorflow as hvd; hvd.init(); print(hvd.rank(), hvd.size(), hvd.__file__)"


@pytest.fixture(scope="module")
def wheels():
    subprocess.run(["cmake", "--build", BUILD, "--target", "wheels"], check=True, capture_output=True)
    return {wheel.name.split("-")[0]: wheel for wheel in (BUILD / "wheels").glob("*.whl")}


@pytest.fixture(scope="module")
def python(wheels, tmp_path_factory):
    """A new environment with the wheels, in which the test environment's TensorFlow is found, too."""
    if not FRAMEWORK.exists():
        pytest.skip("there is no environment with TensorFlow: scripts/setup --python")
    environment = tmp_path_factory.mktemp("environment")
    run("/usr/bin/python3", "-m", "venv", environment)
    run(environment / "bin/pip", "install", "--quiet", "--no-index", *wheels.values())
    packages, = environment.glob("lib/python3.*/site-packages")
    theirs, = FRAMEWORK.glob("lib/python3.*/site-packages")
    (packages / "framework.pth").write_text(f"{theirs.resolve()}\n")
    return environment / "bin/python"


def run_alone(python, *arguments):
    """Without what would lead it to this tree."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "PYTHON"))}
    done = subprocess.run([python, *map(str, arguments)], env={**environment, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_has_its_library_and_says_where_it_runs(wheels):
    assert set(wheels) == {"headrace_sagemaker_tensorflow", "headrace_horovod"}
    for name, package, library in [("headrace_sagemaker_tensorflow", "sagemaker_tensorflow", "libheadrace_pipe.so"),
                                   ("headrace_horovod", "horovod", "libheadrace_hvd.so")]:
        assert f"{package}/_lib/{library}" in zipfile.ZipFile(wheels[name]).namelist()
    assert "-py3-none-manylinux_" in wheels["headrace_sagemaker_tensorflow"].name


def test_the_dataset_reads_a_channel(python, tmp_path):
    assert run_alone(python, "-c", READ_ONE_EPOCH, tmp_path) == "['one', 'two']\n"


def test_horovod_has_one_rank(python):
    rank, size, where = run_alone(python, "-c", ONE_RANK).split()
    assert (rank, size) == ("0", "1")
    assert pathlib.Path(where).is_relative_to(python.parent.parent)
