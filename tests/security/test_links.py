"""What a tenant's processes leave below /opt/ml (links, FIFOs, deep trees) is followed by nobody outside the sandbox."""
import io
import os
import pathlib
import signal
import stat
import tarfile
import time
import uuid

import pytest

from isolation import Tenant, jobs

SETUP = r'''
import os, shutil, time
target = open('/opt/ml/code/target').read().strip()
place = open('/opt/ml/code/place').read().strip()
pause = float(open('/opt/ml/code/pause').read())
if not os.path.islink(place):
    shutil.rmtree(place, ignore_errors=True)
    os.symlink(target, place)
time.sleep(pause)
from setuptools import setup
setup(name='x', version='1', py_modules=['run'])
'''


@pytest.fixture(scope="module")
def mallory(server):
    return Tenant(server, "links-" + uuid.uuid4().hex[:8])


@pytest.fixture
def outside(tmp_path):
    """A directory of the machine's, and its only file."""
    (tmp_path / "secret").write_text("a secret of the host")
    (tmp_path / "train_0").write_text("a file of the host")
    yield tmp_path
    assert sorted(os.listdir(tmp_path)) == ["secret", "train_0"]
    assert all(stat.S_ISREG(os.lstat(tmp_path / name).st_mode) for name in os.listdir(tmp_path))
    assert (tmp_path / "train_0").read_text() == "a file of the host"


@pytest.fixture(scope="module")
def has_pip(mallory):
    job, lines = mallory.shell("python3 -c 'import setuptools' && python3 -m pip --version && echo can install")
    if "can install" not in lines:
        pytest.skip(f"the jobs' Python cannot install: {lines}")


def channel(tenant, mode):
    tenant.client("s3").put_object(Bucket=tenant.bucket, Key="d/authorized_keys", Body=b"mallory's line\n")
    return [{"ChannelName": "train", "InputMode": mode, "DataSource": {"S3DataSource": {
        "S3DataType": "S3Prefix", "S3Uri": f"s3://{tenant.bucket}/d/"}}}]


def planting(outside, place, pause=0):
    return {"setup.py": SETUP, "run.py": "print('ran')", "target": str(outside), "place": place, "pause": str(pause)}


@pytest.mark.usefixtures("has_pip")
@pytest.mark.parametrize("place", ["/opt/ml/input/data", "/opt/ml/input", "/opt/ml/pipe_state"])
def test_no_fifo_is_made_where_setup_py_put_a_link(mallory, outside, place):
    job, _ = mallory.run("run.py", planting(outside, place), InputDataConfig=channel(mallory, "Pipe"))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ") and place in job["FailureReason"]


@pytest.mark.usefixtures("has_pip")
@pytest.mark.parametrize("place", ["/opt/ml/input/data/train", "/opt/ml/input/config", "/opt/ml/code"])
def test_another_attempt_begins_with_new_directories(server, mallory, outside, place):
    """The supervisor dies while setup.py runs; what setup.py has left is not what the next attempt stages into."""
    files = planting(outside, place, pause=20)
    files["setup.py"] = SETUP.replace("time.sleep", "print('planted', flush=True); time.sleep")
    name = mallory.start("run.py", files, InputDataConfig=channel(mallory, "File"),
                         RetryStrategy={"MaximumRetryAttempts": 1})
    directory = next(pathlib.Path(server.directory, "jobs").glob(f"*/{name}"), None)
    deadline = time.monotonic() + 30
    while directory is None or not pathlib.Path(directory, "hosts/algo-1/files/ml" + place.removeprefix("/opt/ml")).is_symlink():
        assert time.monotonic() < deadline
        time.sleep(0.05)
        directory = next(pathlib.Path(server.directory, "jobs").glob(f"*/{name}"), None)
    assert (directory / "hosts/algo-1/program-started").exists(), "written before the first process of the tenant's"
    os.kill(int((directory / "hosts/algo-1/supervisor.lock").read_text()), signal.SIGKILL)
    while not (directory / "hosts/algo-1/attempt-1").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    mallory.client("sagemaker").stop_training_job(TrainingJobName=name)
    jobs.wait(mallory.client("sagemaker"), name)
    assert "authorized_keys" not in os.listdir(outside)


@pytest.mark.parametrize("plant", [
    "ln -s {outside}/secret /opt/ml/output/failure; exit 1",
    "mkfifo /opt/ml/output/failure; exit 1",
    "rm -rf /opt/ml/output; ln -s {outside} /opt/ml/output; exit 1",
    "mkdir -p /opt/ml/output/failure/secret; exit 1"])
def test_the_failure_file_is_the_jobs_own(mallory, outside, plant):
    job, _ = mallory.shell(plant.format(outside=outside))
    assert job["TrainingJobStatus"] == "Failed"
    assert "secret of the host" not in job["FailureReason"]


@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
@pytest.mark.parametrize("plant", [
    "rm -rf /opt/ml/model; ln -s {outside} /opt/ml/model",
    "ln -s {outside} /opt/ml/model/directory; ln -s {outside}/secret /opt/ml/model/file; echo mine > /opt/ml/model/mine",
    "mkfifo /opt/ml/model/fifo; echo mine > /opt/ml/model/mine",
    "rm -rf /opt/ml/output; ln -s {outside} /opt/ml/output; echo mine > /opt/ml/model/mine"])
def test_nothing_of_the_hosts_is_packed(mallory, outside, plant, compression):
    job, lines = mallory.shell(plant.format(outside=outside), OutputDataConfig={
        "S3OutputPath": f"s3://{mallory.bucket}/out", "CompressionType": compression})
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
    s3 = mallory.client("s3")
    for found in s3.list_objects_v2(Bucket=mallory.bucket, Prefix=f"out/{job['TrainingJobName']}/").get("Contents", []):
        body = s3.get_object(Bucket=mallory.bucket, Key=found["Key"])["Body"].read()
        if found["Key"].endswith(".tar.gz"):
            with tarfile.open(fileobj=io.BytesIO(body)) as archive:
                body = b"".join(archive.extractfile(member).read() for member in archive if member.isreg())
        assert b"of the host" not in body, found["Key"]


@pytest.mark.parametrize("plant", [
    "rm -rf /opt/ml/checkpoints; ln -s {outside} /opt/ml/checkpoints",
    "ln -s {outside} /opt/ml/checkpoints/directory; ln -s {outside}/secret /opt/ml/checkpoints/file",
    "mkfifo /opt/ml/checkpoints/fifo"])
def test_nothing_of_the_hosts_becomes_a_checkpoint(mallory, outside, plant):
    prefix = uuid.uuid4().hex
    mallory.shell(plant.format(outside=outside) + "; sleep 1",
                  CheckpointConfig={"S3Uri": f"s3://{mallory.bucket}/{prefix}"})
    listed = mallory.client("s3").list_objects_v2(Bucket=mallory.bucket, Prefix=prefix).get("Contents", [])
    assert listed == []


def test_checkpoints_outlive_another_attempt(server, mallory):
    """The next attempt's directory is empty at first: that deletes nothing in S3."""
    prefix, s3 = uuid.uuid4().hex, mallory.client("s3")
    s3.put_object(Bucket=mallory.bucket, Key=f"{prefix}/before", Body=b"restored\n")
    name = mallory.start("run.sh", {"run.sh": "cat /opt/ml/checkpoints/before; sleep 30"},
                         CheckpointConfig={"S3Uri": f"s3://{mallory.bucket}/{prefix}"},
                         RetryStrategy={"MaximumRetryAttempts": 1})
    deadline = time.monotonic() + 30
    while "restored" not in jobs.log_lines(mallory.client("logs"), name):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    directory = next(pathlib.Path(server.directory, "jobs").glob(f"*/{name}"))
    os.kill(int((directory / "hosts/algo-1/supervisor.lock").read_text()), signal.SIGKILL)
    while jobs.log_lines(mallory.client("logs"), name).count("restored") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    mallory.client("sagemaker").stop_training_job(TrainingJobName=name)
    jobs.wait(mallory.client("sagemaker"), name)
    assert s3.get_object(Bucket=mallory.bucket, Key=f"{prefix}/before")["Body"].read() == b"restored\n"


@pytest.mark.parametrize("where", ["/opt/ml/model", "/opt/ml/output/data", "/tmp", "/opt/ml/checkpoints"])
def test_a_tree_deeper_than_any_path_is_packed_and_removed(server, mallory, where):
    name = "d" * 200
    script = f"cd {where} && python3 -c \"\nimport os\nfor i in range(100): os.mkdir('{name}'); os.chdir('{name}')\nopen('bottom', 'w').write('deep')\n\""
    job, lines = mallory.shell(script)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
    left = next(pathlib.Path(server.directory, "jobs").glob(f"*/{job['TrainingJobName']}"))
    assert not (left / "hosts/algo-1/files").exists()
