"""A platform with jobs, and Debian's Chromium on its console."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from platform_fixtures import *  # noqa: E402,F401,F403
from platform_fixtures import BIN, ROOT  # noqa: E402

SCREENSHOTS = ROOT / "build/screenshots"
NARROW = {"width": 380, "height": 800}


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright
    program = shutil.which("chromium") or pytest.fail("there is no chromium: scripts/setup --browser installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


class Console:
    """One browser with cookies of its own; what its pages complain about fails the test."""

    def __init__(self, chromium, server, **options):
        self.server = server
        self.context = chromium.new_context(base_url=server.url, accept_downloads=True, **options)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.on("console", lambda message: self.complaints.append(message.text)
                     if message.type == "error" and "Failed to load resource" not in message.text else None)
        self.page.on("dialog", lambda dialog: dialog.accept())

    def sign_in(self, variables=None, place="/console/jobs"):
        variables = variables or self.server.environment
        self.page.goto(place)
        self.page.get_by_label("Access key ID").fill(variables["AWS_ACCESS_KEY_ID"])
        self.page.get_by_label("Secret access key").fill(variables["AWS_SECRET_ACCESS_KEY"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()
        return self.page

    def visit(self, place):
        """Goes to another place as a link does, without loading the page again."""
        self.page.evaluate("(place) => { history.pushState(null, '', place); dispatchEvent(new PopStateEvent('popstate')); }", f"/console/{place}")
        self.page.wait_for_timeout(400)

    def until(self, condition):
        """Waits for a condition in JavaScript. (wait_for_function's later looks are what the console's security policy forbids.)"""
        deadline = time.monotonic() + 10
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(20)

    def screenshot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def open_console(chromium, server):
    """open_console(): a browser that nobody is signed in with."""
    consoles = []

    def make(**options):
        consoles.append(Console(chromium, server, **options))
        return consoles[-1]

    yield make
    for console in consoles:
        console.context.close()
        assert not console.complaints


@pytest.fixture(scope="session")
def session_cookie(server):
    """A session of the server's owner, for all tests that are about something else than signing in."""
    keys = {"AccessKeyId": server.environment["AWS_ACCESS_KEY_ID"], "SecretAccessKey": server.environment["AWS_SECRET_ACCESS_KEY"]}
    request = urllib.request.Request(f"{server.url}/console/session", json.dumps(keys).encode(),
                                     {"Content-Type": "application/json", "X-Headrace-Console": "1", "Origin": server.url})
    with urllib.request.urlopen(request) as answer:
        name, value = answer.headers["Set-Cookie"].split(";")[0].split("=", 1)
    return {"name": name, "value": value, "domain": "127.0.0.1", "path": "/console", "httpOnly": True, "sameSite": "Strict"}


@pytest.fixture
def console(open_console, session_cookie):
    """A browser that the server's owner is signed in with, at the training jobs."""
    console = open_console()
    console.context.add_cookies([session_cookie])
    console.page.goto("/console/jobs")
    return console


def create_job(boto, name, script, **more):
    """A job whose program is a line of shell."""
    s3 = boto("s3")
    bucket = f"console-{random.randrange(10 ** 12)}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    boto("sagemaker").create_training_job(
        TrainingJobName=name, RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh", "-c", script],
                                "MetricDefinitions": [{"Name": "train:loss", "Regex": "loss: ([0-9.]+)"}, {"Name": "validation:loss", "Regex": "val_loss: ([0-9.]+)"}]},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, StoppingCondition={"MaxRuntimeInSeconds": 600}, **more)
    return bucket


def wait_for_job(boto, name):
    deadline = time.monotonic() + 60
    while boto("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ("InProgress", "Stopping"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="session")
def jobs(server, boto):
    """Three jobs that have ended, the last of them badly."""
    for name, learning_rate in (("console-a", "0.1"), ("console-b", "0.01")):
        create_job(boto, name, "for i in 1 2 3 4 5; do echo \"loss: 0.$((9-i))5 - val_loss: 0.$((9-i))9\"; sleep 0.05; done",
                   HyperParameters={"lr": f'"{learning_rate}"', "epochs": "5"})
    create_job(boto, "console-c", "echo gone wrong >&2; exit 3")
    for name in ("console-a", "console-b", "console-c"):
        wait_for_job(boto, name)
    return ["console-a", "console-b", "console-c"]


@pytest.fixture(scope="session")
def endpoint(server, boto, tmp_path_factory):
    """An endpoint with a small network for 32 x 32 pictures of ten classes."""
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    with tarfile.open(directory / "model.tar.gz", "w:gz") as archive:
        archive.add(directory / "cnn/1", "1")
    s3, sagemaker = boto("s3"), boto("sagemaker")
    s3.create_bucket(Bucket="console-models", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.upload_file(str(directory / "model.tar.gz"), "console-models", "model.tar.gz")
    sagemaker.create_model(ModelName="console-model", ExecutionRoleArn="arn:aws:iam::123456789012:role/MyRole", PrimaryContainer={
        "Image": "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu", "ModelDataUrl": "s3://console-models/model.tar.gz"})
    sagemaker.create_endpoint_config(EndpointConfigName="console-config", ProductionVariants=[
        {"VariantName": "AllTraffic", "ModelName": "console-model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}])
    sagemaker.create_endpoint(EndpointName="console-endpoint", EndpointConfigName="console-config")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="console-endpoint", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return "console-endpoint"
