"""Ranks on machines with addresses of their own, started through a hostfile and an agent as mpirun starts them through ssh."""
import shutil
import time

import pytest

from machines import CannotMake, Machines


@pytest.fixture
def machines(tmp_path):
    """machines(count, slots): skips the test where they cannot be made."""
    made = []

    def make(count, slots=1):
        for program in ("mpirun", "bwrap"):
            if shutil.which(program) is None:
                pytest.skip(f"there is no {program} on this machine")
        directory = tmp_path / f"cluster-{len(made)}"
        directory.mkdir()
        try:
            made.append(Machines(count, slots, directory))
        except CannotMake as why:
            pytest.skip(f"no network namespaces here: {why}")
        return made[-1]

    yield make
    for one in made:
        one.remove()


def lines_of(output, rank):
    return [line.removeprefix(f"rank {rank}: ") for line in output.splitlines() if line.startswith(f"rank {rank}: ")]


# All types between two machines; "few" of them where more than the machine's processors wait for each other.
@pytest.mark.parametrize("count, slots, types", [(2, 1, []), (3, 1, ["few"]), (2, 2, ["few"])])
def test_collectives_agree_with_mpi(machines, count, slots, types):
    ranks = count * slots
    code, output = machines(count, slots).run("collectives_against_mpi", *types, ranks=ranks)
    assert code == 0, output
    for rank in range(ranks):
        assert lines_of(output, rank)[-1].endswith("answers agree"), output


def test_a_machine_whose_network_is_cut_is_named_and_ends_the_job(machines):
    two = machines(2)
    started = None
    with two.start("rank_faults", "steps", ranks=2, HOROVOD_STALL_CHECK_TIME_SECONDS="1", HOROVOD_STALL_SHUTDOWN_TIME_SECONDS="3") as mpirun:
        lines = []
        for line in mpirun.stdout:
            lines.append(line)
            if started is None and "ten steps" in line:
                two.unplug(2)
                started = time.monotonic()
    output = "".join(lines)
    assert mpirun.returncode != 0 and time.monotonic() - started < 20, output
    [error] = [line for line in lines_of(output, 0) if "machine-2" in line]
    assert "rank 1 (machine-2)" in error and 'plan "gradients"' in error, output
