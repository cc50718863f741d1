"""Collectives of numpy's arrays, against numpy."""
import ast
import json
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "python/horovod/horovod"


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_every_collective_of_every_type(ranks_agree, ranks):
    ranks_agree("numpy_collectives.py", ranks=ranks)


def test_hosts_that_share_nothing(ranks_agree):
    ranks_agree("numpy_collectives.py", "apart", hosts=["algo-1:1", "algo-2:1"], share=False)


def test_a_timeline_is_written(ranks_agree, tmp_path):
    ranks_agree("numpy_collectives.py", HOROVOD_TIMELINE=str(tmp_path / "timeline.json"))
    events = json.loads((tmp_path / "timeline.json").read_text())
    assert {"NEGOTIATE_ALLREDUCE", "ALLREDUCE", "ALLGATHER", "BROADCAST"} <= {event.get("name") for event in events}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_the_oldest_python_reads_it(file):
    ast.parse(file.read_text(), str(file), feature_version=(3, 6))
