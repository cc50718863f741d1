"""The table of faults in docs/horovod.md, cell by cell: a rank is killed or held in a training job of two instances, or its
machine's network is cut, wherever the program happens to be."""
import concurrent.futures
import os
import pathlib
import time

import pytest

from distributed import GROUP, Account, needs_mpi
from mpi_jobs import PROGRAM_WITH_FAULTS, QUICK_LIMITS, Job
from test_machines import machines  # noqa: F401

pytestmark = needs_mpi

BOUND = 8  # seconds, beside other tests; a rank that is held or cut off has its three before
# Where the rank fails; while rank 0 writes a file the other one waits for it.
PLACES = [("init", 1), ("step", 1), ("checkpoint", 0), ("export", 0), ("shutdown", 1)]


@pytest.fixture(scope="module")
def account(boto):
    bucket = f"fault-table-{os.getpid()}"
    boto("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": boto("s3").meta.region_name})
    return Account(boto, bucket)


def millis_of_fault(account, name):
    events = account.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"{name}/algo-1-")["events"]
    return next(event["timestamp"] for event in events if "fault: " in event["message"])


@pytest.mark.parametrize("at, rank", PLACES)
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_rank_that_is_killed_or_held(server, account, how, at, rank):
    # Those that wait for a rank before hvd::init() have waited since they began themselves, and programs begin when they can.
    limit = 8 if at == "init" else int(QUICK_LIMITS["HOROVOD_STALL_SHUTDOWN_TIME_SECONDS"])
    limits = {**QUICK_LIMITS, "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": str(limit)}
    checkpoints = f"s3://{account.bucket}/checkpoints/{how}-{at}"
    job = Job(server, account, PROGRAM_WITH_FAULTS, {"directory": "/opt/ml", "at": at, "rank": rank, "how": how}, Environment=limits,
              CheckpointConfig={"S3Uri": checkpoints})
    ended = account.end(job.name, 180)
    reason, log = ended.get("FailureReason", ""), account.log(job.name, "algo-1")
    assert ended["TrainingJobStatus"] == "Failed", log
    took = ended["TrainingEndTime"].timestamp() - millis_of_fault(account, job.name) / 1000
    print(f"{how} at {at}: {took:.2f} s; {reason[:150]!r}")
    if how == "kill":
        assert reason.startswith(f"AlgorithmError: rank {rank} on algo-{rank + 1}: killed by SIGKILL"), reason
        assert took < BOUND, took
    else:  # the guard of the rank and those that wait for it have the same limit
        assert reason.startswith(f"AlgorithmError: rank {rank} on algo-{rank + 1}: held by SIGSTOP"), reason
        assert took < limit + BOUND, took
    if at in ("checkpoint", "export", "shutdown"):
        kept = account.s3.list_objects_v2(Bucket=account.bucket, Prefix=f"checkpoints/{how}-{at}/").get("Contents", [])
        assert not [each["Key"] for each in kept if each["Key"].endswith(".headrace-tmp")], "half a file of the killed process"
        whole = {pathlib.Path(each["Key"]).name for each in kept if each["Key"].endswith(".h5")}
        assert whole == ({"epoch-0.h5"} if at == "checkpoint" else {"epoch-0.h5", "epoch-1.h5", "epoch-2.h5"}), kept
    job.find_directory()
    job.none_left()


def cut_off(two, at, rank):
    cut = None
    with two.start("fault_phases", "--directory", str(two.directory), "--at", at, "--rank", str(rank), "--how", "wait", ranks=2,
                   **QUICK_LIMITS) as mpirun:
        lines = []
        for line in mpirun.stdout:
            lines.append(line)
            if cut is None and "fault: " in line:
                two.unplug(rank + 1)
                cut = time.monotonic()
    took = time.monotonic() - cut
    output = "".join(lines)
    print(f"cut at {at}: {took:.2f} s; {output[-300:]!r}")
    assert mpirun.returncode != 0, output
    assert took < 20 + BOUND, (took, output)


def test_a_machine_that_is_cut_off(machines):  # noqa: F811
    """Clusters for all places at once: mpirun waits for seconds until it gives a machine up."""
    clusters = [machines(2) for _ in PLACES]
    with concurrent.futures.ThreadPoolExecutor(len(PLACES)) as cells:
        for cell in [cells.submit(cut_off, two, at, rank) for two, (at, rank) in zip(clusters, PLACES)]:
            cell.result()
