"""RetryStrategy and hvd::elastic together: a job whose rank dies in mid-epoch is started again as a whole, goes on from the last
commit, and ends with the bits of a job that nothing happened to."""
import io
import os
import signal
import tarfile
import time

import pytest

from distributed import Account, needs_mpi
from mpi_jobs import PROGRAM_WITH_FAULTS, Job

pytestmark = needs_mpi


@pytest.fixture(scope="module")
def account(boto):
    bucket = f"elastic-{os.getpid()}"
    boto("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": boto("s3").meta.region_name})
    return Account(boto, bucket)


@pytest.fixture(scope="module")
def start(server, account):
    def start(name, **fault):
        return Job(server, account, PROGRAM_WITH_FAULTS, {"directory": "/opt/ml", "elastic": 1, **fault}, RetryStrategy={"MaximumRetryAttempts": 2},
                   CheckpointConfig={"S3Uri": f"s3://{account.bucket}/commits/{name}"})
    return start


@pytest.fixture(scope="module")
def undisturbed(start, account):
    """The weights of both ranks."""
    return weights(account, start("undisturbed"))


def weights(account, job):
    ended = account.end(job.name, 180)
    assert ended["TrainingJobStatus"] == "Completed", (ended.get("FailureReason"), account.log(job.name, "algo-1"))
    body = account.s3.get_object(Bucket=account.bucket, Key=f"output/{job.name}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return [archive.extractfile(f"weights-{rank}").read() for rank in (0, 1)]


def check(account, job, undisturbed):
    assert weights(account, job) == undisturbed, "not the bits of a job that was not interrupted"
    described = account.sagemaker.describe_training_job(TrainingJobName=job.name)
    assert [each["Status"] for each in described["SecondaryStatusTransitions"]].count("Restarting") == 1
    log = account.log(job.name, "algo-1")
    assert [line.split("from ")[1] for line in log if "rank 1: from" in line] == ["epoch 0, batch 0", "epoch 1, batch 2"], log
    commits = account.s3.list_objects_v2(Bucket=account.bucket, Prefix="commits/").get("Contents", [])
    return {each["Key"] for each in commits}


def test_ranks_agree(undisturbed):
    assert undisturbed[0] == undisturbed[1]


def test_a_rank_that_dies_in_mid_epoch(start, account, undisturbed):
    commits = check(account, start("died", at="step", rank=1, how="kill"), undisturbed)
    assert [key for key in commits if "/died/" in key] == ["commits/died/elastic-3-0.h5"], "the last commit alone is kept"


def test_and_the_server_is_killed_meanwhile(server, start, account, undisturbed):
    job = start("server", at="step", rank=1, how="wait")
    job.wait_for("fault: wait at step")
    victim, port = job.find("rank", "algo-2"), server.port
    server.kill()
    os.kill(victim, signal.SIGKILL)
    time.sleep(0.5)
    server.start(port)
    check(account, job, undisturbed)
