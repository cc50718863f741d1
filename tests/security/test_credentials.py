"""The keys that a job's program is given, and every key that it gets with them, are good for the job and no longer."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest
from botocore.exceptions import ClientError

from tenants import ENDED, Tenant

PRINT = "echo KEY $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_SESSION_TOKEN; "


@pytest.fixture(scope="module")
def running(make_server):
    """A server of its own, which may be killed."""
    return make_server()


@pytest.fixture
def tenant(running):
    return Tenant.owner(running)


@pytest.fixture
def bucket(tenant):
    return tenant.bucket()


def start(tenant, bucket, script):
    return tenant.start(PRINT + script, OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"})


def key_of(tenant, job):
    tenant.wait_for_line(job, "KEY ")
    line = next(line for line in tenant.log(job) if line.startswith("KEY "))
    return Tenant(tenant.server, *line.split()[1:4])


def works(holder):
    try:
        holder.client("s3").list_buckets()
        return True
    except ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        return False


def derived(holder):
    """A session that the job makes itself."""
    arn = holder.client("sts").get_caller_identity()["Arn"]
    role = f"arn:aws:iam::{arn.split(':')[4]}:role/service-role/{arn.split('/')[1]}"
    made = holder.client("sts").assume_role(RoleArn=role, RoleSessionName="for-later", DurationSeconds=43200)["Credentials"]
    return Tenant(holder.server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


@pytest.mark.parametrize("script, status", [("sleep 2", "Completed"), ("sleep 2; exit 3", "Failed"), ("sleep 60", "Stopped")])
def test_end_with_the_job(tenant, bucket, script, status):
    job = start(tenant, bucket, script)
    key = key_of(tenant, job)
    later = derived(key)
    assert works(key) and works(later)
    presigned = key.client("s3").generate_presigned_url("list_buckets")
    if status == "Stopped":
        tenant.client("sagemaker").stop_training_job(TrainingJobName=job)
    assert tenant.wait(job)["TrainingJobStatus"] == status
    assert not works(key) and not works(later)
    import urllib.error
    import urllib.request
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(presigned, timeout=10)
    sagemaker = tenant.client("sagemaker")
    if hasattr(sagemaker, "delete_training_job"):
        sagemaker.delete_training_job(TrainingJobName=job)
    assert not works(key) and not works(later)


def test_end_while_the_server_is_down(running, tenant, bucket):
    job = start(tenant, bucket, "sleep 2")
    key = key_of(tenant, job)
    port = running.port
    running.kill()
    time.sleep(3)
    running.start(port)
    tenant.wait(job)
    assert not works(key)


def test_live_on_with_a_job_that_survives_the_server(running, tenant, bucket):
    job = start(tenant, bucket, "until [ -e /opt/ml/checkpoints/go ]; do sleep 0.1; done")
    key = key_of(tenant, job)
    port = running.port
    running.kill()
    running.start(port)
    assert tenant.describe(job)["TrainingJobStatus"] not in ENDED
    assert works(key)
    tenant.client("sagemaker").stop_training_job(TrainingJobName=job)
    tenant.wait(job)
    assert not works(key)


def test_end_with_the_accounts_keys(running, bucket):
    bob = Tenant.new(running, "bob")
    try:
        job = start(bob, bob.bucket(), "sleep 30")
    except ClientError as refused:
        if "sandbox" in str(refused):
            pytest.skip(f"jobs of others do not run on this machine: {refused}")
        raise
    key = key_of(bob, job)
    later = derived(key)
    assert works(key) and works(later)
    running.headrace("keys", "revoke", "bob", "--data-dir", running.directory)
    assert not works(key) and not works(later) and not works(bob)
    back = Tenant.new(running, "bob")  # the same account with a new key
    assert works(back) and not works(key)
    back.client("sagemaker").stop_training_job(TrainingJobName=job)
    back.wait(job)


def test_a_session_of_a_user_does_not_end_with_a_job_of_the_same_name(tenant, bucket):
    """Names of sessions and of jobs are anybody's to choose."""
    arn = tenant.client("sts").get_caller_identity()["Arn"]
    role = f"arn:aws:iam::{arn.split(':')[4]}:role/service-role/{arn.split('/')[1]}"
    job = start(tenant, bucket, "sleep 1")
    made = tenant.client("sts").assume_role(RoleArn=role, RoleSessionName=job)["Credentials"]
    tenant.wait(job)
    assert works(Tenant(tenant.server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]))


@pytest.mark.skipif(os.geteuid() != 0, reason="wants to be another user")
def test_others_read_what_clients_need_and_nothing_else(make_server):
    """With --client-files, in a place where everything else is open to everybody."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="headrace_others_"))
    try:
        place.chmod(0o755)
        server = make_server("--client-files", str(place / "clients"))
        shown = subprocess.run([server.program, "env", "--data-dir", server.directory, "--tls", "-o", "json"], capture_output=True, check=True)
        told = json.loads(shown.stdout)
        def anybody(*command):
            return subprocess.run(command, capture_output=True, text=True, user="nobody", group="nogroup", extra_groups=[])
        needed = [told["AWS_CA_BUNDLE"], told["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"], told["AWS_DATA_PATH"] + "/sts/2011-06-15/endpoint-rule-set-1.json"]
        assert all(path.startswith(f"{place}/clients/") for path in needed), needed
        read = anybody("cat", *needed)
        assert read.returncode == 0, read.stderr
        assert "TelemetryOptOut" in read.stdout and told["AWS_SECRET_ACCESS_KEY"] not in read.stdout and "PRIVATE KEY" not in read.stdout
        for kept in ("keys", "server.json", "meta.db", "tls/server-key.pem"):
            assert (server.directory / kept).exists()
            assert anybody("cat", server.directory / kept).returncode != 0, kept
    finally:
        shutil.rmtree(place)
