"""TensorBoard reads the event files that headrace::keras::TensorBoard writes."""

import os
import pathlib
import subprocess

import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory):
    """Epochs 0 to 3, then a run resumed at epoch 2; losses are the epoch + 0.5, resumed + 0.25; val_loss is twice."""
    directory = tmp_path_factory.mktemp("logs")
    subprocess.run(
        [BIN / "keras_test", "--gtest_filter=TensorBoard.WritesRunsForTrainingAndValidation"],
        env={**os.environ, "HEADRACE_TEST_DIRECTORY": str(directory)},
        check=True,
        capture_output=True,
    )
    return directory


def read(directory):
    accumulator = EventAccumulator(str(directory))
    accumulator.Reload()
    return accumulator


def scalars(accumulator, tag):
    return [(event.step, tensor_util.make_ndarray(event.tensor_proto).item()) for event in accumulator.Tensors(tag)]


def test_runs_have_keras_tags(log_dir):
    assert sorted(path.name for path in log_dir.iterdir()) == ["train", "validation"]
    assert read(log_dir / "train").Tags()["tensors"] == ["epoch_loss", "epoch_learning_rate"]
    assert read(log_dir / "validation").Tags()["tensors"] == ["epoch_loss"]


def test_points_are_those_of_the_resumed_run(log_dir):
    expected = [(0, 0.5), (1, 1.5), (2, 2.25), (3, 3.25), (4, 4.25)]
    assert scalars(read(log_dir / "train"), "epoch_loss") == expected
    assert scalars(read(log_dir / "validation"), "epoch_loss") == [(step, 2 * value) for step, value in expected]


def test_tags_belong_to_the_scalar_dashboard(log_dir):
    metadata = read(log_dir / "train").SummaryMetadata("epoch_loss")
    assert metadata.plugin_data.plugin_name == "scalars"
    assert metadata.data_class == 1
