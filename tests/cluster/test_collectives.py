"""Every collective against MPI's own answer, under mpirun."""
import pytest


def check(done, ranks):
    assert done.code == 0, done.output
    for rank in range(ranks):
        assert done.of_rank(rank)[-1].endswith("answers agree"), done.output


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_one_host(mpirun, ranks):
    check(mpirun("collectives_against_mpi", ranks=ranks, ONE_MACHINE="1"), ranks)


def test_two_hosts_of_one_machine_share_memory(mpirun):
    check(mpirun("collectives_against_mpi", hosts=["algo-1:1", "algo-2:1"], ONE_MACHINE="1"), 2)


def test_two_hosts_that_share_nothing(mpirun):
    """As on two machines: each host sees its own /dev/shm only."""
    check(mpirun("collectives_against_mpi", "few", hosts=["algo-1:1", "algo-2:1"], share=False), 2)


def test_machines_of_two_ranks(mpirun):
    check(mpirun("collectives_against_mpi", "few", ranks=3, hosts=["algo-1:2", "algo-2:1"], share=False), 3)


def test_three_machines(mpirun):
    check(mpirun("collectives_against_mpi", "few", ranks=3, hosts=["algo-1:1", "algo-2:1", "algo-3:1"], share=False), 3)
