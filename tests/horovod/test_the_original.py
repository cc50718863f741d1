"""The answers of Horovod 0.28.1 itself, which ends at TensorFlow 2.15 and Python 3.10, beside ours, by the same interpreter."""
import os

import numpy as np
import pytest

PYTHON = os.environ.get("HEADRACE_REAL_HOROVOD_PYTHON")


@pytest.mark.skipif(PYTHON is None, reason="name an interpreter that has horovod==0.28.1 in HEADRACE_REAL_HOROVOD_PYTHON")
def test_it_answers_the_same(ranks_agree, tmp_path):
    ranks_agree("recorded_answers.py", tmp_path / "ours", python=PYTHON)
    ranks_agree("recorded_answers.py", tmp_path / "real", python=PYTHON, ours=False)
    for rank in (0, 1):
        ours, real = (np.load(tmp_path / f"{whose}-{rank}.npz") for whose in ("ours", "real"))
        assert ours.files == real.files
        for name in sorted(set(ours.files) - {"version"}):
            assert ours[name].dtype == real[name].dtype, name
            np.testing.assert_allclose(ours[name], real[name], rtol=1e-6, err_msg=name)
