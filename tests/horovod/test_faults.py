"""What happens when a rank differs, raises, dies or leaves: an error with names on all ranks, soon."""
import os
import pathlib
import re
import subprocess
import sys

import pytest


def test_what_ranks_disagree_about_is_an_error_on_each(run):
    done = run("faults.py", "differs")
    assert done.code == 0, done.output
    for rank in (0, 1):  # mpirun may put the end of one rank's line behind another's
        assert f'rank {rank}: allreduce "loss": rank 1 (' in done.output and f"rank {rank}: done" in done.output, done.output
    assert done.output.count("has shape (3)") == 2 and done.output.count("(2)") == 2, done.output


@pytest.mark.parametrize("ranks", [2, 3])
def test_an_exception_ends_all_with_its_text(run, ranks):
    done = run("faults.py", "raises", ranks=ranks)
    assert done.code != 0 and done.seconds < 20, done.output
    told = re.findall(rf"HorovodInternalError: rank {ranks - 1} \(\S+\): ValueError: record 7 is corrupt", done.output)
    assert len(told) == ranks - 1, done.output


def test_a_rank_that_dies_is_named(run):
    done = run("faults.py", "dies")
    assert done.code != 0 and done.seconds < 20, done.output
    assert "the process of rank 1 (" in done.output, done.output


def test_a_rank_that_leaves_is_named(run):
    done = run("faults.py", "leaves")
    assert done.code != 0 and done.seconds < 20, done.output
    assert "rank 1 (" in done.output and "has called shutdown()" in done.output, done.output


@pytest.mark.parametrize("case", ["broadcast", "step"])
def test_ranks_that_train_different_models_end_with_the_difference(run, case):
    pytest.importorskip("tensorflow")
    done = run("keras_differs.py", case)
    assert done.code != 0 and done.seconds < 60, done.output
    assert "rank 1 (" in done.output and "has shape (4, 3)" in done.output and "(4, 2)" in done.output, done.output


def test_what_starts_ranks_elsewhere_says_what_does_here():
    done = subprocess.run([sys.executable, "-m", "horovod.runner", "-np", "2", "python", "train.py"], text=True, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).resolve().parents[2] / "python/horovod")})
    assert done.returncode == 1 and "mpirun -np 2" in done.stderr, done
