"""PipeModeDataset with older frameworks, and beside SageMaker's own, which ends at Python 3.10 and TensorFlow 2.14."""
import hashlib
import json
import os
import pathlib
import subprocess

import pytest

from pipe_channels import RECORDS

ROOT = pathlib.Path(__file__).parents[2]
EPOCHS = 3  # of pipe_epochs.py
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))
# Variables that name an interpreter, where a machine has one, and what to install for it.
GENERATIONS = {
    "HEADRACE_TENSORFLOW_1_PYTHON": "Python 3.7 with tensorflow==1.15.5 sagemaker-tensorflow==1.15.0.1.1.0 'protobuf<3.21' 'h5py<3'",
    "HEADRACE_TENSORFLOW_2_14_PYTHON": "Python 3.10 with tensorflow-cpu==2.14.1 sagemaker-tensorflow==2.14.0.1.20.0 'numpy<2'",
}


@pytest.fixture(params=GENERATIONS)
def python(request):
    if request.param not in os.environ:
        pytest.skip(f"{request.param} names no interpreter: {GENERATIONS[request.param]}")
    return os.environ[request.param]


def expected():
    digest = hashlib.sha256(b"".join(record + b"|" for record in RECORDS) * EPOCHS).hexdigest()
    return {record_format: [len(RECORDS) * EPOCHS, digest] for record_format in ("RecordIO", "TFRecord", "TextLine")}


def read(python, directory, *path):
    environment = {**os.environ, "HEADRACE_LIBRARY_DIR": str(BIN.parent / "lib"), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "",
                   "PYTHONPATH": os.pathsep.join(map(str, path))}
    environment.pop("TF2_BEHAVIOR", None)  # TensorFlow 2 sets it for its process, where other tests have loaded it
    done = subprocess.run([python, pathlib.Path(__file__).with_name("pipe_epochs.py"), directory], env=environment, timeout=300,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_ours_reads_every_epoch(python, tmp_path):
    assert read(python, tmp_path, ROOT / "python/sagemaker_tensorflow") == expected()


def test_sagemakers_own_reads_the_same(python, tmp_path):
    installed = subprocess.run([python, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('sagemaker_tensorflow'))"])
    if installed.returncode != 0:
        pytest.skip(f"{python} has no sagemaker_tensorflow")
    assert read(python, tmp_path) == expected()
