"""horovod.tensorflow."""
import pytest

pytest.importorskip("tensorflow")


def test_values_and_gradients(ranks_agree):
    ranks_agree("tensorflow_collectives.py", ranks=3)
