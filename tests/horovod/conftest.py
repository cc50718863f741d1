"""Programs of several ranks in Python, run by this very Python: they import python/horovod, over this build's library."""
import pathlib
import sys

import numpy as np
import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = TESTS / "horovod/programs"
sys.path.insert(0, str(TESTS))
from mpirun import BIN, mpirun  # noqa: E402,F401


@pytest.fixture
def run(mpirun):  # noqa: F811
    """run("program.py", arguments..., ranks=2), as tests/mpirun.py's. ours: with python/horovod, not what the interpreter has."""
    def start(program, *arguments, ranks=2, python=sys.executable, ours=True, **options):
        if ours:
            options.update(PYTHONPATH=str(TESTS.parent / "python/horovod"), HEADRACE_LIBRARY_DIR=str(BIN.parent / "lib"))
        return mpirun(python, PROGRAMS / program, *arguments, ranks=ranks, TF_CPP_MIN_LOG_LEVEL="2", **options)
    return start


@pytest.fixture
def ranks_agree(run):
    """The same, for programs that check by themselves and print "rank R: all agree"."""
    def start(program, *arguments, ranks=2, **options):
        done = run(program, *arguments, ranks=ranks, **options)
        assert done.code == 0, done.output
        for rank in range(ranks):
            assert f"rank {rank}: all agree" in done.output, done.output
        return done
    return start


@pytest.fixture
def goes_on(run, ranks_agree, tmp_path):
    """goes_on(framework, beginning): a group that dies in epoch 1 and is started again begins so, as its ranks print, and ends with the
    weights of one that did not die."""
    def check(framework, beginning):
        weights = {}
        for name, crash in (("whole", []), ("interrupted", ["1"])):
            directory, out = tmp_path / name, tmp_path / f"{name}.npz"
            directory.mkdir()
            if crash:
                died = run("elastic_training.py", framework, directory, out, *crash)
                assert died.code != 0 and not out.exists(), died.output
            done = ranks_agree("elastic_training.py", framework, directory, out)
            weights[name] = np.load(out)
        for name in weights["whole"].files:
            np.testing.assert_array_equal(weights["interrupted"][name], weights["whole"][name])
        for rank in (0, 1):  # mpirun may put the end of one rank's line behind another's
            assert f"rank {rank}: {beginning}" in done.output, done.output
    return check
