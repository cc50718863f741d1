"""The Debian package on a bare Debian 12 with systemd: installed, used, upgraded under a running job, removed, purged."""
import json
import shutil
import socket
import subprocess
import time

import boto3
import pytest

import jobs
from conftest import ROOT, run

CONFIG = ("--config", "/etc/headrace/headrace.toml")
REGION = "us-west-2"
CPP = """
#include <cstdio>
#include <cstdlib>
#include <string>
#include "headrace/keras.h"
#include "headrace/savedmodel.h"
int main() {
  headrace::keras::Sequential model({headrace::keras::Dense(2, {.activation = "softmax", .input_shape = {3}})});
  model.compile(headrace::keras::SGD(), "categorical_crossentropy");
  headrace::savedmodel::Export(model, std::string(std::getenv("SM_MODEL_DIR")) + "/1");
  std::printf("parameters: %ld\\n", static_cast<long>(model.count_params()));
}
"""
SERVING = "520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-tensorflow-serving:1.12-cpu"
SLOW = "import time\nfor i in range(150):\n    print('second', i / 10, flush=True)\n    time.sleep(0.1)\nprint('to the end', flush=True)\n"


@pytest.fixture(scope="module")
def packages(package, tmp_path_factory):
    """The package of this build, and the same as its next version."""
    directory = tmp_path_factory.mktemp("packages")
    content = directory / "content"
    run("dpkg-deb", "-R", package, content)
    control = content / "DEBIAN/control"
    version = next(line.split()[1] for line in control.read_text().splitlines() if line.startswith("Version:"))
    control.write_text(control.read_text().replace(f"Version: {version}", f"Version: {version}.1"))
    second = directory / "next.deb"
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", content, second)
    return package, second


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """The installed headrace.service, seen by an AWS client."""

    def __init__(self, debian):
        self.debian = debian
        self.port = free_port()
        settings = debian.path / "etc/headrace/headrace.toml"
        settings.write_text(settings.read_text() + f'listen = "127.0.0.1:{self.port}"\ntls-listen = "off"\n')

    def headrace(self, *arguments):
        return self.debian.run("runuser", "-u", "headrace", "--", "headrace", *arguments, *CONFIG)

    def show(self, name):
        return self.debian.run("systemctl", "show", "-P", name, "headrace.service").strip()

    def wait(self, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise AssertionError(self.debian.run("journalctl", "--no-pager", "-u", "headrace", check=False).stdout)
            time.sleep(0.1)

    def client(self, name):
        shown = json.loads(self.headrace("env", "-o", "json"))
        return boto3.client(name, endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION,
                            aws_access_key_id=shown["AWS_ACCESS_KEY_ID"], aws_secret_access_key=shown["AWS_SECRET_ACCESS_KEY"])

    def start_job(self, program, text):
        s3 = self.client("s3")
        if "bucket" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        return jobs.create(self.client("sagemaker"), "bucket", jobs.upload_source(s3, "bucket", {program: text}), program)

    def predictions(self, endpoint, seconds=60):
        """Of one row, once the endpoint is in service."""
        deadline = time.monotonic() + seconds
        while True:
            shown = self.client("sagemaker").describe_endpoint(EndpointName=endpoint)
            if shown["EndpointStatus"] == "InService":
                answer = self.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, ContentType="application/json",
                                                                          Body=json.dumps([[1.0, 2.0, 3.0]]))
                return json.loads(answer["Body"].read())["predictions"]
            assert shown["EndpointStatus"] != "Failed" and time.monotonic() < deadline, shown
            time.sleep(0.2)

    def completed(self, name):
        job = jobs.wait(self.client("sagemaker"), name, 120)
        lines = jobs.log_lines(self.client("logs"), name)
        assert job["TrainingJobStatus"] == "Completed", json.dumps([job.get("FailureReason"), *lines], indent=1)
        return lines


@pytest.fixture(scope="module")
def service(bare_debian, packages):
    """The package installed as somebody does it, and started by systemd."""
    shutil.copy(packages[0], bare_debian.path / "root/headrace.deb")
    bare_debian.run("apt-get", "install", "-y", "--no-install-recommends", "/root/headrace.deb", "g++", "python3")
    service = Service(bare_debian)
    reason = bare_debian.boot()
    if reason:
        pytest.skip(reason)
    service.wait()
    return service


def test_its_exposure_is_low(tmp_path):
    """Of the unit file alone, whether or not systemd runs."""
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    shutil.copy(ROOT / "packaging/headrace.service", units)
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--root={tmp_path}", "--threshold=29", "--no-pager",
                           "headrace.service"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_service_runs_as_its_own_user(service):
    assert service.show("ActiveState") == "active"
    assert service.show("User") == "headrace"
    assert service.debian.run("stat", "-c", "%U %a", "/var/lib/headrace").strip() == "headrace 700"
    assert service.debian.run("systemctl", "is-enabled", "headrace").strip() == "enabled"


def test_what_clients_are_told_to_read_is_readable_for_everybody(service):
    told = json.loads(service.headrace("env", "-o", "json"))
    data, config = told["AWS_DATA_PATH"], told["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"]
    read = service.debian.run("runuser", "-u", "nobody", "--", "cat", config, f"{data}/sts/2011-06-15/endpoint-rule-set-1.json")
    assert "TelemetryOptOut" in read and told["AWS_ENDPOINT_URL"] in read, read


def test_bash_completes_its_commands(service):
    script = ("source /usr/share/bash-completion/completions/headrace; COMP_WORDS=(headrace comp); COMP_CWORD=1; "
              "_headrace; echo \"${COMPREPLY[@]}\"")
    assert service.debian.run("bash", "-c", script).strip() == "completion"


def test_doctor_finds_all_that_jobs_need(service):
    found = {check["check"]: check for check in json.loads(service.headrace("doctor", "-o", "json"))}
    for name in ("sandbox", "compiler", "python"):
        assert found[name]["verdict"] == "ok", found[name]


def test_a_job_runs_in_a_sandbox_under_the_hardened_service(service):
    lines = service.completed(service.start_job("train.py", "import os\nprint('sees keys:', os.path.exists('/var/lib/headrace/keys'))\n"))
    assert "sees keys: False" in lines, lines
    assert not [line for line in lines if "plain process" in line], lines


def test_a_model_trained_in_cpp_is_served(service):
    name = service.start_job("train.cpp", CPP)
    lines = service.completed(name)
    assert "parameters: 8" in lines, lines
    sagemaker = service.client("sagemaker")
    data = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=jobs.ROLE, PrimaryContainer={"Image": SERVING, "ModelDataUrl": data})
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[
        {"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m4.xlarge"}])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert len(service.predictions("e")) == 1


def test_an_upgrade_loses_no_job(service, packages):
    name = service.start_job("train.py", SLOW)
    sagemaker = service.client("sagemaker")
    deadline = time.monotonic() + 60
    while sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] != "Training":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    before = service.show("MainPID")
    settings = service.debian.run("cat", "/etc/headrace/headrace.toml")
    shutil.copy(packages[1], service.debian.path / "root/next.deb")
    service.debian.run("apt-get", "install", "-y", "/root/next.deb")
    service.wait()
    assert service.show("MainPID") not in ("0", before)
    # The supervisor may still make a sandbox, in which bubblewrap wants /tmp.
    supervisor = service.debian.run("sh", "-c", "grep -al supervise /proc/[0-9]*/cmdline | grep -v self").split("/")[2]
    service.debian.run("nsenter", "-t", supervisor, "-m", "mkdir", "/tmp/there")
    assert service.debian.run("cat", "/etc/headrace/headrace.toml") == settings
    lines = service.completed(name)
    assert [line for line in lines if line.startswith("second ")] == [f"second {i / 10}" for i in range(150)]
    assert "to the end" in lines
    assert len(service.predictions("e")) == 1  # endpoints come back with the server


def test_removal_ends_all_and_keeps_the_data_until_a_purge(service):
    debian = service.debian
    service.start_job("train.py", SLOW)
    deadline = time.monotonic() + 60
    while "supervise" not in debian.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    debian.run("apt-get", "remove", "-y", "headrace")
    uid = debian.run("id", "-u", "headrace").strip()
    assert uid not in debian.run("sh", "-c", "grep -h ^Uid: /proc/[0-9]*/status").split()
    assert debian.run("test", "-e", "/usr/bin/headrace", check=False).returncode != 0
    assert debian.run("sh", "-c", "ls /var/lib/headrace/meta.db /etc/headrace/headrace.toml").count("\n") == 2
    debian.run("apt-get", "purge", "-y", "headrace")
    for path in ("/var/lib/headrace", "/etc/headrace", "/lib/systemd/system/headrace.service"):
        assert debian.run("test", "-e", path, check=False).returncode != 0, path
    assert debian.run("getent", "passwd", "headrace", check=False).returncode != 0
