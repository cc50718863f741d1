"""The story from the shell: headrace upload, train, deploy, invoke; and Ctrl-C while a job runs."""
import json
import os
import pty
import select
import struct
import subprocess
import time

import pytest

from platform_fixtures import BIN, HEADRACE

CLASSES = 10
# A job that hands its model channel on as its model.
PROGRAM = """#!/bin/sh
echo "epochs $*"
echo "loss: 0.25"
cp -r "$SM_CHANNEL_MODEL"/. "$SM_MODEL_DIR"
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return directory


def scores(path):
    """The rows of a float32 .npy that our own tool has written."""
    data = path.read_bytes()
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    values = struct.unpack(f"<{(len(data) - begin) // 4}f", data[begin:])
    return [list(values[i:i + CLASSES]) for i in range(0, len(values), CLASSES)]


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "source/hand_on.sh"
    path.parent.mkdir()
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return path


def test_the_story_in_four_lines(server, exported, program, boto, bucket):
    uri = f"s3://{bucket}/models"
    assert server.headrace("upload", exported / "cnn/1", f"{uri}/1").stdout == f"{uri}/1\n"
    trained = json.loads(server.headrace(
        "train", program.parent, "--entry-point", program.name, "--input", f"model={uri}", "-p", "epochs=3", "-p", "name=a b", "-p", "fast=true",
        "--metric", "loss=loss: ([0-9.]+)", "--tag", "Project=x", "-o", "json").stdout)
    assert trained["TrainingJobStatus"] == "Completed" and trained["FinalMetrics"] == {"loss": 0.25}
    name = trained["TrainingJobName"]
    assert name.startswith("hand-on-2")
    job = boto("sagemaker").describe_training_job(TrainingJobName=name)
    assert {key: job["HyperParameters"][key] for key in ("epochs", "name", "fast")} == {"epochs": "3", "name": '"a b"', "fast": "true"}
    deployed = json.loads(server.headrace("deploy", name, "-o", "json").stdout)
    endpoint = deployed["EndpointName"]
    assert endpoint.startswith("hand-on-2") and deployed["ModelDataUrl"] == trained["S3ModelArtifacts"]
    assert boto("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    answer = json.loads(server.headrace("invoke", endpoint, exported / "cnn/inputs.npy").stdout)
    assert answer["predictions"] == [pytest.approx(row, rel=1e-3, abs=1e-5) for row in scores(exported / "cnn/scores.npy")]
    boto("sagemaker").delete_endpoint(EndpointName=endpoint)


def test_local_inputs_and_pipes(server, tmp_path, boto):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/part").write_text("from the shell\n")
    program = tmp_path / "count.sh"
    program.write_text('#!/bin/sh\ncat "/opt/ml/input/data/train_0" > /opt/ml/model/copy\n')
    program.chmod(0o755)
    done = server.headrace("train", program, "--input", f"train={tmp_path}/data", "--pipe", "-o", "json")
    job = json.loads(done.stdout)
    assert job["TrainingJobStatus"] == "Completed"
    described = boto("sagemaker").describe_training_job(TrainingJobName=job["TrainingJobName"])
    assert described["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    assert described["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"].endswith(f"/{job['TrainingJobName']}/input/train")


def test_failures_are_named(server, tmp_path):
    program = tmp_path / "fails.sh"
    program.write_text("#!/bin/sh\necho no good >&2\nexit 3\n")
    program.chmod(0o755)
    done = server.headrace("train", program, check=False)
    assert done.returncode == 1 and "failed: " in done.stderr and "no good" in done.stdout
    for arguments, words in ((("train", tmp_path), "--entry-point"), (("train", program, "-p", "x"), "wanted NAME=VALUE"),
                             (("invoke", "e", tmp_path / "x.bin"), "--content-type")):
        done = server.headrace(*arguments, check=False)
        assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "Requested resource not found" in server.headrace("deploy", "no-such-job", check=False).stderr


@pytest.mark.parametrize("answer", ["y", "n"])
def test_ctrl_c_asks_whether_to_stop_the_job(server, tmp_path, boto, answer):
    program = tmp_path / "waits.sh"
    program.write_text("#!/bin/sh\necho it waits\nexec sleep 300\n")
    program.chmod(0o755)
    name = f"asks-{answer}-{time.time_ns()}"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(HEADRACE, [HEADRACE, "train", program, "--name", name], server.client_environment())

    def read_until(words, seconds=60):
        shown, deadline = "", time.monotonic() + seconds
        while words not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    shown += os.read(terminal, 4096).decode()
                except OSError:  # the program has ended
                    break
        return shown
    try:
        read_until("it waits")
        os.write(terminal, b"\x03")
        read_until(f"Stop training job {name}?")
        os.write(terminal, f"{answer}\n".encode())
        rest = read_until("Billable seconds" if answer == "y" else "attach()")
        status = boto("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
        assert status == ("Stopped" if answer == "y" else "InProgress"), rest
    finally:
        os.close(terminal)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if answer == "n":
            boto("sagemaker").stop_training_job(TrainingJobName=name)
    assert code == (0 if answer == "y" else 1)
