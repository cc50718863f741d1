"""Collectives of numpy's arrays, against numpy."""
import pytest


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_every_collective_of_every_type(ranks_agree, ranks):
    ranks_agree("numpy_collectives.py", ranks=ranks)


def test_hosts_that_share_nothing(ranks_agree):
    ranks_agree("numpy_collectives.py", hosts=["algo-1:1", "algo-2:1"], share=False)
