"""Models that train on several ranks, under mpirun, on CIFAR-10's own images."""
import json
import pathlib
import struct

import pytest

from conftest import BIN

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "data/cifar10-sample"
STEPS = 8


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    import subprocess
    directory = tmp_path_factory.mktemp("cifar10")
    subprocess.run([BIN / "headrace", "dataset", "cifar10", "--data-dir", directory, "--sample"], check=True, capture_output=True)
    return directory / "train/train.tfrecords"


@pytest.fixture
def train(mpirun, records, tmp_path):
    def run(*what, ranks=2, steps=STEPS, hosts=None, fails=False, **environment):
        done = mpirun("train_on_shards", records, tmp_path, str(steps), *what, ranks=ranks, hosts=hosts, OMP_NUM_THREADS="1", **environment)
        assert (done.code != 0) == fails, done.output
        return done

    def weights(rank, ranks):
        data = (tmp_path / f"weights-{rank}-of-{ranks}.f32").read_bytes()
        return data

    run.weights = weights
    return run


def floats(data):
    return struct.unpack(f"{len(data) // 4}f", data)


def difference(found, wanted):
    """Of all weights together: the largest, relative to the largest weight."""
    found, wanted = floats(found), floats(wanted)
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) / max(map(abs, wanted))


@pytest.mark.parametrize("what", [[], ["batch-normalization"]], ids=["plain", "SyncBatchNormalization"])
def test_shards_give_the_weights_of_one_process(train, what):
    steps = 6  # each makes more of what rounding has begun
    alone = train(*what, ranks=1, steps=steps)
    for ranks in (2, 3):
        together = train(*what, ranks=ranks, steps=steps)
        first = train.weights(0, ranks)
        assert all(train.weights(rank, ranks) == first for rank in range(ranks)), "not the same bits on all ranks"
        assert difference(first, train.weights(0, 1)) < 1e-5
        loss = [together.of_rank(rank)[-1] for rank in range(ranks)]
        assert len(set(loss)) == 1, "metrics are not averages"
        assert float(loss[0].split()[1]) == pytest.approx(float(alone.of_rank(0)[-1].split()[1]), rel=1e-5)


def test_the_same_bits_run_to_run_and_on_hosts_of_one_machine(train):
    train("batch-normalization")
    first = train.weights(0, 2)
    train("batch-normalization", hosts=["algo-1:1", "algo-2:1"])
    assert train.weights(0, 2) == first and train.weights(1, 2) == first


def test_rank_zero_alone_prints(train):
    assert train().output.count("Epoch 1/1") == 1


def test_uneven_data_ends_together(train):
    train("late", "batch-normalization", ranks=3)
    assert len({train.weights(rank, 3) for rank in range(3)}) == 1


def test_a_failing_rank_ends_all_with_its_message(train):
    done = train("fail", fails=True)
    assert "rank 1: error: record 7 is corrupt" in done.output
    assert "record 7 is corrupt" in done.of_rank(0)[-1], done.output
    assert done.seconds < 10


def test_ranks_that_differ_end_at_once(train):
    done = train("seeds", fails=True)
    for rank in range(2):
        assert "the values of conv2d/kernel" in done.of_rank(rank)[-1], done.output
    done = train("shapes", fails=True)
    for rank in range(2):
        assert "conv2d_1/kernel: found float32 (3, 3, 16, 24) on rank 1 (" in done.of_rank(rank)[-1], done.output
        assert ") and float32 (3, 3, 16, 32) on rank 0 (" in done.of_rank(rank)[-1], done.output


def test_a_group_with_a_dead_rank_goes_on_from_the_last_commit(train, tmp_path):
    train("elastic", "batch-normalization")
    whole = train.weights(0, 2)
    for file in (tmp_path / "commits").iterdir():
        file.unlink()
    dead = train("elastic", "batch-normalization", "die", fails=True)
    assert dead.seconds < 20
    assert [file.name for file in (tmp_path / "commits").iterdir()] == ["elastic-1-3.h5"]
    again = train("elastic", "batch-normalization")
    assert "from epoch 1, batch 3" in again.output
    assert train.weights(0, 2) == whole and train.weights(1, 2) == whole, "not the bits of a run that was not interrupted"


def test_the_timeline_shows_buckets_that_leave_while_backward_runs(train, tmp_path):
    path = tmp_path / "timeline.json"
    train(HOROVOD_TIMELINE=str(path), HOROVOD_TIMELINE_MARK_CYCLES="1")
    events = json.loads(path.read_text())
    rows = {event["pid"]: event["args"]["name"] for event in events if event.get("name") == "process_name"}
    open_phases, backward, left_early, reduced = {}, False, set(), 0
    for event in events:
        row = rows.get(event.get("pid"))
        if event["ph"] == "B":
            open_phases.setdefault(row, []).append(event["name"])
            if event["name"] == "BACKWARD":
                backward = True
            if event["name"] == "ALLREDUCE" and backward:
                left_early.add(row)
        elif event["ph"] == "E":
            if open_phases[row].pop() == "BACKWARD":
                backward = False
            reduced += "shape" in event.get("args", {})
    assert not any(open_phases.values()), "a phase without an end"
    assert any("dense" in row for row in left_early), rows
    assert reduced >= STEPS * 2
    names = {event["name"] for event in events if event["ph"] == "B"}
    assert {"NEGOTIATE_BROADCAST", "BROADCAST", "ALLGATHER", "ALLREDUCE", "BACKWARD", "WAIT_FOR_OTHER_RANKS"} <= names
    assert sum(event["ph"] == "i" for event in events) == STEPS + 1, "a cycle a step"
