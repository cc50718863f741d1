"""A server without root's rights: jobs run in the sandbox where the kernel gives user namespaces, else as plain processes
with a warning in their logs."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import boto3
import pytest

import jobs
from platform_fixtures import HEADRACE, Server

NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


@pytest.fixture
def server():
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else; run the other tests without root instead")
    try:
        subprocess.run([HEADRACE, "--version"], check=True, stdout=subprocess.DEVNULL, **NOBODY)
    except OSError:
        pytest.skip(f"{HEADRACE} lies where nobody else may look")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace_unprivileged_"))
    folder.chmod(0o755)
    (folder / "data").mkdir()
    os.chown(folder / "data", NOBODY["user"], NOBODY["group"])
    server = Server(folder / "data", "--python", "/usr/bin/python3", run_as=NOBODY)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_jobs_of_an_unprivileged_server(server):
    environment = server.environment
    session = boto3.Session(aws_access_key_id=environment["AWS_ACCESS_KEY_ID"], aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                            region_name=environment["AWS_DEFAULT_REGION"])
    s3, sagemaker, logs = [session.client(name, endpoint_url=server.url) for name in ("s3", "sagemaker", "logs")]
    s3.create_bucket(Bucket="plain", CreateBucketConfiguration={"LocationConstraint": environment["AWS_DEFAULT_REGION"]})
    s3.put_object(Bucket="plain", Key="train/a", Body=b"hello\n")
    source = jobs.upload_source(s3, "plain", {"train.py": (
        "import os\n"
        "print(open(os.environ['SM_CHANNEL_TRAIN'] + '/a').read().strip(), 'as', os.getuid() != 0)\n"
        "open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('m')\n"
        f"print('hidden:', not os.path.exists('{server.directory}/meta.db'))\n")})
    name = jobs.create(sagemaker, "plain", source, "train.py", channels=[("train", "s3://plain/train")])
    job = jobs.wait(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    lines = jobs.log_lines(logs, name)
    assert "hello as True" in lines
    warned = any("the job runs as a plain process, not in a sandbox" in line for line in lines)
    assert warned or "hidden: True" in lines
    assert s3.head_object(Bucket="plain", Key=f"output/{name}/output/model.tar.gz")["ContentLength"] > 0
