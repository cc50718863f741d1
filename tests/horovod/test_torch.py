"""horovod.torch."""
import numpy as np
import pytest

pytest.importorskip("torch")


def test_values_and_gradients(ranks_agree):
    ranks_agree("torch_collectives.py", ranks=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """By ranks: a directory with what they have trained."""
    return {ranks: tmp_path_factory.mktemp(f"ranks-{ranks}") for ranks in (1, 2)}


def test_ranks_train(ranks_agree, trained):
    for ranks, directory in trained.items():
        ranks_agree("torch_training.py", directory, ranks=ranks)


@pytest.mark.parametrize("variant", ["sgd", "adam", "groups", "predivide", "passes", "synchronized", "unused", "sparse"])
def test_two_ranks_train_as_one_with_both_batches(trained, variant):
    one, two = (np.load(trained[ranks] / f"{variant}.npz") for ranks in (1, 2))
    for name in one.files:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_group_that_is_started_again_goes_on(goes_on):
    goes_on("torch", "from epoch 1, 8 seen")
