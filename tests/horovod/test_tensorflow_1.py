"""horovod.keras and horovod.tensorflow.keras with the notebook's generation: TensorFlow 1.15, Keras 2.3, Python 3.7."""
import os

import numpy as np
import pytest

PYTHON = os.environ.get("HEADRACE_TENSORFLOW_1_PYTHON")


@pytest.mark.skipif(PYTHON is None, reason="TensorFlow 1.15 wants Python 3.7; name one that has it in HEADRACE_TENSORFLOW_1_PYTHON")
@pytest.mark.parametrize("kind", ["keras", "tf.keras"])
def test_two_ranks_train_as_one_with_both_batches(ranks_agree, tmp_path, kind):
    for ranks in (1, 2):
        ranks_agree("tensorflow_1_training.py", kind, tmp_path / f"{ranks}.npz", ranks=ranks, python=PYTHON, TF2_BEHAVIOR="0")
    one, two = (np.load(tmp_path / f"{ranks}.npz") for ranks in (1, 2))
    for name in one.files:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name)
