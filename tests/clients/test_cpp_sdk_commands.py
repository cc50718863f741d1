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
    # Scripts rely on these members.
    assert set(trained) == {"TrainingJobName", "TrainingJobStatus", "S3ModelArtifacts", "TrainingTimeInSeconds", "FinalMetrics"}
    assert set(deployed) == {"EndpointName", "ModelDataUrl"}
    assert json.loads(server.headrace("upload", program, f"{uri}/again", "-o", "json").stdout) == {"S3Uri": f"{uri}/again/{program.name}"}
    assert json.loads(server.headrace("invoke", endpoint, exported / "cnn/inputs.npy", "-o", "json").stdout) == {
        "ContentType": "application/json", "InvokedProductionVariant": "AllTraffic", "Body": answer}
    plotted = server.headrace("metrics", name, "--plot").stdout
    assert plotted.startswith("loss\n") and "\u2800" in plotted and name in plotted
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


def test_batch_transform_and_downloads(server, exported, program, boto, bucket, tmp_path):
    server.headrace("train", program, "--input", f"model={exported}/cnn", "--name", "to-transform", "--no-logs", "-o", "json")
    model = json.loads(server.headrace("download", "to-transform", tmp_path / "model", "-o", "json").stdout)["Files"]
    assert model == [f"{tmp_path}/model/model.tar.gz"]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/images.npy").write_bytes((exported / "cnn/inputs.npy").read_bytes())
    said = json.loads(server.headrace("transform", "to-transform", tmp_path / "in", "--to", f"s3://{bucket}/answers", "-o", "json").stdout)
    assert said["S3OutputPath"] == f"s3://{bucket}/answers"
    job = boto("sagemaker").describe_transform_job(TransformJobName=said["TransformJobName"])
    assert job["TransformJobStatus"] == "Completed" and job["TransformInput"]["ContentType"] == "application/x-npy"
    assert not boto("sagemaker").list_models(NameContains=job["ModelName"])["Models"], "made for the job alone"
    for refused in ["--name", "no_name"], ["--content-type", "application/x-nothing"]:  # before it begins; in its midst
        assert server.headrace("transform", "to-transform", tmp_path / "in", *refused, check=False).returncode == 1
    assert not boto("sagemaker").list_models(NameContains="to-transform")["Models"], "nor when the job comes to nothing"
    files = json.loads(server.headrace("download", f"s3://{bucket}/answers", tmp_path / "out", "-o", "json").stdout)["Files"]
    assert files == [f"{tmp_path}/out/images.npy.out"]
    answer = json.loads((tmp_path / "out/images.npy.out").read_text())
    assert answer["predictions"] == [pytest.approx(row, rel=1e-3, abs=1e-5) for row in scores(exported / "cnn/scores.npy")]


def test_an_endpoint_is_evaluated_and_deleted_with_all_that_is_its(server, exported, program, boto, bucket, cifar10, tmp_path):
    server.headrace("train", program, "--input", f"model={exported}/cnn", "--name", "to-evaluate", "--no-logs")
    server.headrace("deploy", "to-evaluate", "--name", "evaluated")
    endpoint = boto("sagemaker").describe_endpoint(EndpointName="evaluated")
    data = cifar10 / "eval/eval.tfrecords"
    there = json.loads(server.headrace("evaluate", "--endpoint", "evaluated", "--data", data, "-o", "json").stdout)
    here = json.loads(server.headrace("evaluate", "--model", exported / "cnn/1", "--data", data, "-o", "json").stdout)
    assert there["endpoint"] == "evaluated" and there["confusion_matrix"] == here["confusion_matrix"]
    assert server.headrace("evaluate", "--data", data, check=False).returncode == 2, "neither model nor endpoint"
    for name in ("a", "b"):
        boto("s3").upload_file(str(data), bucket, f"data/{name}.tfrecords")
    stored = f"s3://{bucket}/report"
    server.headrace("evaluate", "--endpoint", "evaluated", "--data", f"s3://{bucket}/data/a.tfrecords", "--report", stored)
    report = json.loads(boto("s3").get_object(Bucket=bucket, Key="report/report.json")["Body"].read())
    assert report == {**there, "data": f"s3://{bucket}/data/a.tfrecords"}
    refused = server.headrace("evaluate", "--endpoint", "evaluated", "--data", f"s3://{bucket}/data/", check=False)
    assert refused.returncode == 1 and "found 2 objects, wanted one TFRecord file" in refused.stderr
    image = server.headrace("images", data, tmp_path, "--count", "1", "--as", "npy").stdout.strip()
    assert len(json.loads(server.headrace("invoke", "evaluated", image).stdout)["predictions"][0]) == CLASSES
    server.headrace("endpoints", "delete", "evaluated", "--all")
    name = endpoint["EndpointConfigName"]
    assert not boto("sagemaker").list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert not boto("sagemaker").list_models(NameContains="evaluated")["Models"]


CLIENT_COMMANDS = (("jobs", "list"), ("endpoints", "list"), ("upload", __file__), ("jobs", "describe", "no-such-job"),
                   ("logs", "no-such-job"), ("metrics", "no-such-job"), ("deploy", "no-such-job"), ("invoke", "none", __file__, "--content-type", "x"))


def ways(server, arguments, **variables):
    """What each command says, in a shell that has only these variables of AWS's, with the server's data directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADRACE_"))}
    done = [subprocess.run([HEADRACE, *command, *arguments], capture_output=True, text=True,
                           env={**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", **variables}) for command in CLIENT_COMMANDS]
    return [one.stdout + one.stderr for one in done]


def test_all_commands_speak_to_the_same_server(server, tmp_path):
    """Keys for AWS in the shell send nothing there; a configured endpoint is taken, from variables and profiles alike."""
    (tmp_path / "config").write_text("[profile aws]\nregion = eu-west-1\n[profile elsewhere]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    (tmp_path / "credentials").write_text("".join(
        f"[{name}]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n" for name in ("aws", "elsewhere")))
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    here = ("--data-dir", server.directory)
    usual = ways(server, here)
    assert usual[2].startswith("s3://sagemaker-us-west-2-") and "Requested resource not found" in usual[3]
    for variables in ({"AWS_PROFILE": "aws"}, {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"},
                      {"AWS_PROFILE": "elsewhere", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}):
        assert ways(server, here, **files, **variables) == usual, variables
    for variables in ({"AWS_PROFILE": "elsewhere"}, {"AWS_PROFILE": "aws", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}):
        for said in ways(server, here, **files, **variables):
            assert "127.0.0.1:9" in said, (variables, said)
    for said in ways(server, ("--aws",), **{**files, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}):
        assert "no region" in said or "NoCredentials" in said or "credentials" in said, said


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
