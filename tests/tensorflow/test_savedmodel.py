"""TensorFlow runs what Headrace exports, with the same answers.

usage: pytest tests/tensorflow/test_savedmodel.py    HEADRACE_BIN: where the programs are (build/release/bin)
"""

import os
import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))
MODELS = ["cnn", "everything"]
TOLERANCE = 1e-5  # of scores between 0 and 1


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return directory


def load(directory, name):
    return np.load(directory / name)


def largest_difference(found, wanted):
    assert found.shape == wanted.shape
    assert np.isfinite(found).all()
    return np.abs(found - wanted).max()


@pytest.mark.parametrize("name", MODELS)
def test_load_runs_the_signature(exported, name):
    directory = exported / name
    loaded = tf.saved_model.load(str(directory / "1"))
    signature = loaded.signatures["serving_default"]
    inputs = load(directory, "inputs.npy")
    assert signature.structured_input_signature[1]["image"].shape.as_list() == [None, *inputs.shape[1:]]
    scores = signature(image=tf.constant(inputs))["scores"].numpy()
    assert scores.std(axis=0).max() > 1e-3, "the answers should depend on the input"
    difference = largest_difference(scores, load(directory, "scores.npy"))
    print(f"{name}: largest difference {difference:.2e}")
    assert difference <= TOLERANCE


@pytest.mark.parametrize("name", MODELS)
def test_tensorflow_1_loads_and_restores(exported, name):
    directory = exported / name
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(directory / "1"))
        signature = meta.signature_def["serving_default"]
        assert signature.method_name == "tensorflow/serving/predict"
        scores = session.run(
            signature.outputs["scores"].name,
            {signature.inputs["image"].name: load(directory, "inputs.npy")},
        )
        difference = largest_difference(scores, load(directory, "scores.npy"))
        assert difference <= TOLERANCE
        # The saving side of the graph works too: what TensorFlow saves again are the same bytes.
        saver = tf.compat.v1.train.import_meta_graph(meta, import_scope="again")
        assert saver.saver_def.version == 2
        prefix = str(directory / "again" / "variables")
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        session.run(meta.saver_def.save_tensor_name, {meta.saver_def.filename_tensor_name: prefix})
    ours = (directory / "1/variables/variables.data-00000-of-00001").read_bytes()
    theirs = tf.train.load_checkpoint(prefix)
    mine = tf.train.load_checkpoint(str(directory / "1/variables/variables"))
    assert theirs.get_variable_to_shape_map() == mine.get_variable_to_shape_map()
    for key in mine.get_variable_to_shape_map():
        assert np.array_equal(theirs.get_tensor(key), mine.get_tensor(key)), key
    assert len(ours) == sum(np.prod(s, dtype=int) for s in mine.get_variable_to_shape_map().values()) * 4


@pytest.mark.parametrize("name", MODELS)
def test_variables_keep_names_and_trainability(exported, name):
    loaded = tf.saved_model.load(str(exported / name / "1"))
    frozen = {v.name for v in loaded.variables if not v.trainable}
    assert frozen == {v.name for v in loaded.variables if "moving_" in v.name} and frozen


@pytest.mark.parametrize("name", MODELS)
def test_headrace_loads_it_again(exported, name):
    directory = exported / name
    assert largest_difference(load(directory, "reloaded.npy"), load(directory, "scores.npy")) <= 1e-6


def test_equal_models_give_equal_bytes(exported, tmp_path):
    subprocess.run([BIN / "export_models", tmp_path], check=True)
    for name in MODELS:
        for file in ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]:
            assert (exported / name / "1" / file).read_bytes() == (tmp_path / name / "1" / file).read_bytes()
