"""What happens when ranks disagree, are missing, die, or leave: an error with names, in bounded time, never a hang."""
import concurrent.futures

import pytest

QUICK = {"HOROVOD_STALL_CHECK_TIME_SECONDS": "1", "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": "3"}


@pytest.mark.parametrize("ranks", [2, 3])
def test_what_ranks_disagree_about_is_an_error_on_each(mpirun, ranks):
    done = mpirun("rank_faults", "mismatch", ranks=ranks)
    assert done.code == 0, done.output
    wanted = [('allreduce "dtype"', "dtype float64", "float32"), ('allreduce "shape"', "shape (5, 2)", "(4, 2)"),
              ('allreduce "op"', "op max", "sum"), ('broadcast "root"', "root 1", "0"),
              ('allgather "columns"', "shape (4, 3)", "(4, 2)"), ('"kind"', "type allgather", "allreduce")]
    for rank in range(ranks):
        lines = done.of_rank(rank)
        for (name, *values), line in zip(wanted, lines):
            assert name in line and f"rank {ranks - 1} (" in line and all(value in line for value in values), line
        assert lines[len(wanted)] == "no error", done.output


def test_a_name_under_way_is_refused(mpirun):
    done = mpirun("rank_faults", "same_name")
    assert done.code == 0, done.output
    assert '"later": this rank has one of that name already under way' in done.output


def check_missing(done, kind):
    [error, *_] = done.of_rank(0)
    assert "3 s" in error and "rank 1 (algo-2)" in error, done.output
    assert "for rank 1 (algo-2)" in done.output.split(error)[0], "there was no warning before"
    if kind == "planned":
        assert 'step 4 of plan "gradients", bucket "dense"' in error and "in batch 3" in error, error


def check_stopped(done, kind):
    assert done.code != 0
    assert "rank 1 (algo-2)" in done.of_rank(0)[0], done.output


def check_on_another_machine(done, kind):
    assert "rank 1 (algo-2)" in done.of_rank(0)[0] and "3 s" in done.of_rank(0)[0], done.output


def test_a_rank_that_is_missing_or_stopped_is_named_and_then_an_error(mpirun):
    """On this machine and on another one; four at once, because each waits for seconds, and has three to find all ranks at its start."""
    longer = {**QUICK, "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": "5"}
    cases = [(check, kind, how, share, limits)
             for kind in ("planned", "named")
             for check, how, share, limits in ((check_missing, "missing", True, QUICK), (check_stopped, "stopped", True, longer),
                                               (check_on_another_machine, "missing", False, QUICK),
                                               (check_on_another_machine, "stopped", False, QUICK))]
    with concurrent.futures.ThreadPoolExecutor(4) as at_once:
        runs = [at_once.submit(mpirun, "rank_faults", f"{kind}_{how}", hosts=["algo-1:1", "algo-2:1"], share=share, **limits)
                for _, kind, how, share, limits in cases]
        for (check, kind, *_), run in zip(cases, runs):
            done = run.result()
            assert done.seconds < 30, done.output
            check(done, kind)


@pytest.mark.parametrize("kind", ["planned", "named"])
def test_a_killed_rank_is_noticed_at_once(mpirun, kind):
    done = mpirun("rank_faults", f"{kind}_killed", hosts=["algo-1:1", "algo-2:1"])
    assert done.code != 0 and done.seconds < 20, done.output
    assert "the process of rank 1 (algo-2)" in done.output and "has ended" in done.output, done.output


@pytest.mark.parametrize("hosts, share", [(None, True), (["algo-1:1", "algo-2:1", "algo-3:1"], True), (["algo-1:2", "algo-2:1"], False)])
@pytest.mark.parametrize("kind", ["planned", "named"])
def test_a_rank_that_gives_up_tells_all_ranks_why(mpirun, kind, hosts, share):
    """On its own machine and on others. mpirun ends those that have not ended when the first has; on a busy machine one of the three
    may not have printed by then what it knows."""
    done = mpirun("rank_faults", f"{kind}_aborted", ranks=3, hosts=hosts, share=share)
    assert done.code != 0 and done.seconds < 20, done.output
    said = {rank: done.of_rank(rank)[0] for rank in range(3) if done.of_rank(rank)}
    assert len(said) >= 2, done.output
    for rank, line in said.items():
        assert line == "record 7 is corrupt" if rank == 2 else line.startswith("rank 2 (") and line.endswith("): record 7 is corrupt"), done.output


@pytest.mark.parametrize("hosts", [None, ["algo-1:1", "algo-2:1"]])
@pytest.mark.parametrize("kind", ["planned", "named"])
def test_a_rank_that_leaves_is_an_error_for_those_that_wait(mpirun, kind, hosts):
    done = mpirun("rank_faults", f"{kind}_shutdown", hosts=hosts, share=hosts is None)
    assert done.seconds < 30, done.output
    assert "has called shutdown()" in done.of_rank(0)[0], done.output
    assert done.code == 0, done.output


def test_uneven_ranks_join(mpirun):
    done = mpirun("rank_faults", "join", ranks=3)
    assert done.code == 0, done.output
    assert done.of_rank(0)[0] == "3 batches, last joined 2", done.output
    assert "has called join()" in done.of_rank(2)[0], done.output
    assert done.of_rank(2)[1] == "7 batches, last joined 2", done.output
