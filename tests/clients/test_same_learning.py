"""Two hosts that learn together learn the same in C++ and in Python: keras_cifar10.cpp and source/keras_cifar10.py, with
Horovod's callbacks, rates and shares of the records. An epoch of one seed is noise; what is compared is the training accuracy of
all epochs together, which is how fast they learn.

On the whole data set, which takes an hour on two cores:
  headrace dataset cifar10 --data-dir DIR && HEADRACE_BIN=$PWD/build/release/bin CIFAR10_DATA=DIR \
    build/venv/boto/bin/python -m pytest -s tests/clients/test_same_learning.py
"""
import os
import pathlib
import re
import statistics
import sys

import pytest

from platform_fixtures import ROOT

sys.path.insert(0, str(ROOT / "tests/scenario"))
from distributed import Account, needs_mpi  # noqa: E402

EXAMPLE = ROOT / "examples/cifar10"
TENSORFLOW = ROOT / "build/venv/tensorflow/bin/python"
IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:2.19.0-cpu-py312"
EPOCH = re.compile(r"rank:0.* loss: (\S+) - accuracy: (\S+) - val_loss: (\S+) - val_accuracy: (\S+)")

WHOLE = os.environ.get("CIFAR10_DATA")
# By chance alone the means of two seeds are half a point apart on the sample, of 25 steps an epoch.
SETTINGS = {"epochs": 10, "batch-size": 128} if WHOLE else {"epochs": 12, "batch-size": 32}
POINTS, SECONDS = (1.0, 7200) if WHOLE else (1.5, 600)


@pytest.fixture(scope="module")
def account(make_server):
    import boto3
    if not TENSORFLOW.exists():
        pytest.skip(f"no TensorFlow to train with: scripts/setup --python makes {TENSORFLOW}")
    server = make_server()
    os.environ.update(server.client_environment())
    server.add_python("tensorflow==2.21", TENSORFLOW)
    account = Account(boto3.client, "learning")
    account.s3.create_bucket(Bucket="learning", CreateBucketConfiguration={"LocationConstraint": account.s3.meta.region_name})
    return account


@pytest.fixture(scope="module")
def channels(account, cifar10):
    directory = pathlib.Path(WHOLE) if WHOLE else cifar10
    for channel in ("train", "validation", "eval"):
        account.s3.upload_file(str(directory / channel / f"{channel}.tfrecords"), "learning", f"data/{channel}/{channel}.tfrecords")
    return [(channel, f"s3://learning/data/{channel}") for channel in ("train", "validation", "eval")]


def curve(account, channels, script):
    """Training loss and accuracy, validation loss and accuracy of every epoch, as rank 0 prints them."""
    name = account.mpi({script.name: script.read_text()}, script.name, {**SETTINGS, "seed": 1, "model_dir": "/opt/ml/model"}, channels=channels,
                       AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
                       StoppingCondition={"MaxRuntimeInSeconds": SECONDS})
    job, log = account.end(name, SECONDS), account.log(name, "algo-1")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log[-40:])
    epochs = [list(map(float, found.groups())) for found in map(EPOCH.search, log) if found]
    assert len(epochs) == SETTINGS["epochs"], log[-40:]
    for epoch, values in enumerate(epochs, 1):
        print(f"{script.name:20} epoch {epoch:2}  loss %.4f  accuracy %.4f  val_loss %.4f  val_accuracy %.4f" % tuple(values))
    return epochs


@needs_mpi
def test_cpp_and_python_learn_the_same(account, channels):
    means = []
    for script in (EXAMPLE / "keras_cifar10.cpp", EXAMPLE / "source/keras_cifar10.py"):
        accuracies = [100 * accuracy for _, accuracy, _, _ in curve(account, channels, script)]
        assert accuracies[-1] > accuracies[0] + 5, "nothing was learnt"
        means.append(statistics.mean(accuracies))
    assert means[0] == pytest.approx(means[1], abs=POINTS)
