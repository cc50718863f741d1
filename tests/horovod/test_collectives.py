"""Collectives of numpy's arrays, against numpy."""
import json

import pytest


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_every_collective_of_every_type(ranks_agree, ranks):
    ranks_agree("numpy_collectives.py", ranks=ranks)


def test_hosts_that_share_nothing(ranks_agree):
    ranks_agree("numpy_collectives.py", "apart", hosts=["algo-1:1", "algo-2:1"], share=False)


def test_a_timeline_is_written(ranks_agree, tmp_path):
    ranks_agree("numpy_collectives.py", HOROVOD_TIMELINE=str(tmp_path / "timeline.json"))
    events = json.loads((tmp_path / "timeline.json").read_text())
    assert {"NEGOTIATE_ALLREDUCE", "ALLREDUCE", "ALLGATHER", "BROADCAST"} <= {event.get("name") for event in events}
