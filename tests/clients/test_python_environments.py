"""Which Python runs a job: environments of one framework each, added to a running server, seen in sandboxes, told in logs."""
import os
import pathlib
import sys
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from platform_fixtures import ROOT
sys.path.insert(0, str(ROOT / "tests/scenario"))
import jobs  # noqa: E402

TENSORFLOW = pathlib.Path(os.environ.get("HEADRACE_TENSORFLOW", ROOT / "build/venv/tensorflow/bin/python"))
IMAGE = "763104351884.dkr.ecr.us-west-2.amazonaws.com/"
USES_TENSORFLOW = "import tensorflow as tf\nprint('sum', tf.reduce_sum(tf.ones([2, 3])).numpy())\n"


def wheel(directory, package, version, module_text):
    """A wheel of one module, which pip installs without an index."""
    info = f"{package}-{version}.dist-info"
    files = {f"{package}.py": module_text, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(pathlib.Path(directory) / f"{package}-{version}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


class Account:
    """Jobs of an image with boto3, and `headrace python` on the server's data directory."""

    def __init__(self, server, boto, wheels, name="python"):
        self.server, self.wheels = server, wheels
        self.s3, self.sagemaker, self.logs = boto("s3"), boto("sagemaker"), boto("logs")
        self.bucket = f"{name}-{os.getpid()}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": self.s3.meta.region_name})

    def create(self, files, image, program="train.py", **more):
        if isinstance(files, str):
            files = {program: files}
        source = jobs.upload_source(self.s3, self.bucket, files)
        return jobs.create(self.sagemaker, self.bucket, source, program,
                           AlgorithmSpecification={"TrainingImage": IMAGE + image, "TrainingInputMode": "File"}, **more)

    def run(self, files, image, **more):
        """The job's end, and its log."""
        name = self.create(files, image, **more)
        job = jobs.wait(self.sagemaker, name, 120)
        return job, jobs.log_lines(self.logs, name)

    def completed(self, files, image, **more):
        job, log = self.run(files, image, **more)
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
        return log

    def refused(self, files, image):
        with pytest.raises(ClientError) as refused:
            self.create(files, image)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        return refused.value.response["Error"]["Message"]

    def python(self, *arguments, check=True, **variables):
        import subprocess
        done = subprocess.run([self.server.program, "python", *map(str, arguments), "--data-dir", self.server.directory],
                              capture_output=True, text=True,
                              env=self.server.client_environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.wheels), **variables))
        assert not check or done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="module")
def account(make_server, tmp_path_factory):
    """A server of its own, whose default Python has no framework."""
    import boto3
    wheels = tmp_path_factory.mktemp("wheels")
    wheel(wheels, "xgboost", "1.7.6", "__version__ = '1.7.6'\n")
    wheel(wheels, "xgboost", "2.1.0", "__version__ = '2.1.0'\n")
    wheel(wheels, "companion", "1.0", "TEXT = 'came along'\n")
    server = make_server("--python", "/usr/bin/python3")
    session = boto3.Session(aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"], region_name="us-west-2",
                            aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"])
    return Account(server, lambda service: session.client(service, endpoint_url=server.url), wheels)


@pytest.fixture(scope="module")
def made(account):
    """An environment that Headrace has made: a venv with a package that pip has installed into it."""
    import json
    return json.loads(account.python("add", "xgboost==1.7", "companion", "-o", "json").stdout)


def test_a_program_whose_framework_nobody_has_is_refused_at_once(account):
    said = account.refused("import os\nimport torch\n", "pytorch-training:2.3.0-cpu-py311")
    assert said == ("HyperParameters.sagemaker_program: train.py imports torch, and no Python of this machine has it. The owner of this "
                    "machine can add one: headrace python add pytorch==2.3. Or the job brings it: name it in requirements.txt beside train.py.")


def test_a_program_that_does_not_need_the_framework_runs(account):
    log = account.completed("print('no tensors here')\n", "pytorch-training:2.3.0-cpu-py311")
    assert "no tensors here" in log
    assert any("the image asks for pytorch 2.3.0, and no Python of this machine has pytorch" in line for line in log), log


def test_an_import_that_fails_later_names_the_remedy(account):
    job, _ = account.run("def main():\n    import torch.nn\nmain()\n", "pytorch-training:2.3.0-cpu-py311")
    assert "AlgorithmError: exit code: 1" in job["FailureReason"]
    assert "the owner of this machine can add one that has it: headrace python add pytorch==2.3" in job["FailureReason"]
    job, _ = account.run("import yaml_that_is_not_here\n", "pytorch-training:2.3.0-cpu-py311")
    assert "name its package in requirements.txt beside the entry point: yaml_that_is_not_here" in job["FailureReason"]


def test_an_environment_is_made_and_the_next_job_has_it(account, made):
    assert made["name"] == "xgboost-1.7" and made["packages"]["xgboost"] == "1.7.6", made
    log = account.completed("import sys, xgboost, companion\nprint(xgboost.__version__, companion.TEXT, sys.executable)\n",
                            "sagemaker-xgboost:1.7-1")
    assert f"1.7.6 came along {made['interpreter']}" in log, log
    assert any(f"({made['interpreter']}, environment xgboost-1.7): xgboost 1.7.6" in line for line in log), log
    log = account.completed("import xgboost\n", "sagemaker-xgboost:1.5-1")
    assert "[headrace] the image asks for xgboost 1.5; the nearest version of this machine is 1.7.6" in log, log


def test_nobody_writes_to_an_environment_or_sees_what_lies_beside_it(account, made):
    program = """
import os, pathlib, sys
prefix = pathlib.Path(sys.prefix)
data = prefix.parents[1]
print("data:", sorted(os.listdir(data)), "python:", sorted(os.listdir(prefix.parent)))
for place in (prefix / "lib", prefix.parent, data):
    try:
        (place / "planted").write_text("x")
        print("written:", place)
    except OSError as error:
        print("not written:", type(error).__name__)
"""
    log = account.completed(program, "sagemaker-xgboost:1.7-1")
    assert "data: ['python'] python: ['xgboost-1.7']" in log, log
    assert "not written: OSError" in log and f"written: {pathlib.Path(made['interpreter']).parents[1]}/lib" not in log, log
    # Here the data directory lies below /tmp, so what is above the environment is the job's own /tmp.
    assert not [path for path in account.server.directory.rglob("planted") if "jobs" not in path.relative_to(account.server.directory).parts]


def test_the_list_tells_what_each_has(account, made):
    import json
    listed = json.loads(account.python("list", "--python", "/usr/bin/python3", "-o", "json").stdout)
    assert [one["name"] for one in listed][:2] == ["default", "xgboost-1.7"]
    assert listed[1]["made"] is True and listed[1]["packages"] == {"xgboost": "1.7.6"}
    assert "xgboost-1.7" in account.python("list").stdout
    doctor = account.server.headrace("doctor", "--data-dir", account.server.directory, "-o", "json", check=False)
    tried, = [check for check in json.loads(doctor.stdout) if check["check"] == "xgboost-1.7"]
    assert tried["verdict"] == "ok" and tried["detail"].endswith("imports xgboost 1.7.6, as jobs see it"), tried


def test_what_cannot_be_added_is_said_and_leaves_nothing(account):
    for arguments, message in [
            (["tensorflo"], "found 'tensorflo', wanted one of tensorflow, pytorch, sklearn, xgboost"),
            (["sklearn==1.2"], "scikit-learn==1.2.* could not be installed"),
            (["sklearn", "--interpreter", "/usr/bin/python3"], "does not import sklearn as a job sees it: ModuleNotFoundError"),
            (["sklearn", "--interpreter", "/bin/true"], "/bin/true is no Python interpreter"),
            (["sklearn", "--interpreter", "/nowhere/python3"], "there is no program /nowhere/python3"),
            (["xgboost", "--name", "../away"], "--name: found '../away'")]:
        failed = account.python("add", *arguments, check=False)
        assert failed.returncode == 1 and message in failed.stderr, (arguments, failed.stderr)
    left = set(os.listdir(account.server.directory / "python")) - {"environments.json", "lock", "xgboost-1.7"}
    assert not left


def test_two_versions_and_the_removal_of_one(account, made):
    account.python("add", "xgboost==2.1")
    log = account.completed("import xgboost\nprint('version', xgboost.__version__)\n", "sagemaker-xgboost:2.1-1")
    assert "version 2.1.0" in log
    assert account.python("add", "xgboost==2.1", check=False).stderr.count("there is an environment xgboost-2.1 already") == 1
    name = account.create("import time\nprint('runs', flush=True)\ntime.sleep(600)\n", "sagemaker-xgboost:2.1-1")
    deadline = time.monotonic() + 60
    while "runs" not in jobs.log_lines(account.logs, name) and time.monotonic() < deadline:
        time.sleep(0.1)
    busy = account.python("remove", "xgboost-2.1", check=False)
    assert busy.returncode == 1 and "jobs run on xgboost-2.1: remove it when they have ended" in busy.stderr
    account.sagemaker.stop_training_job(TrainingJobName=name)
    jobs.wait(account.sagemaker, name)
    account.python("remove", "xgboost-2.1")
    assert not (account.server.directory / "python/xgboost-2.1").exists()
    log = account.completed("import xgboost\nprint('version', xgboost.__version__)\n", "sagemaker-xgboost:2.1-1")
    assert "version 1.7.6" in log
    assert account.python("remove", "xgboost-2.1", check=False).returncode == 1


@pytest.mark.skipif(not TENSORFLOW.exists(), reason="the environment with TensorFlow is not there (scripts/setup --python)")
def test_tensorflow_is_registered_while_the_server_runs(account):
    """What the notebook does: image 1.15.2, and a machine that has TensorFlow 2 alone."""
    said = account.refused(USES_TENSORFLOW, "tensorflow-training:1.15.2-cpu-py3")
    assert "The owner of this machine can add one: headrace python add tensorflow." in said
    account.python("add", "tensorflow", "--interpreter", TENSORFLOW)
    log = account.completed(USES_TENSORFLOW, "tensorflow-training:1.15.2-cpu-py3")
    assert "sum 6.0" in log
    assert any("the image asks for tensorflow 1.15.2; the nearest version of this machine is 2." in line for line in log), log
    failed = account.python("add", "tensorflow==1.15", "--interpreter", TENSORFLOW, check=False)
    assert failed.returncode == 1 and "wanted 1.15" in failed.stderr
    account.python("remove", "tensorflow")
    assert TENSORFLOW.exists()


CARGO = "import setuptools_free_cargo as cargo\nprint('cargo:', cargo.TEXT, cargo.__file__)\n"


def with_requirements(account, requirements, channel=True, program=CARGO, **more):
    """A job whose requirements.txt pip finds in a channel's directory; without the channel there is nothing to install from."""
    channels = [("wheels", f"s3://{account.bucket}/wheels/")] if channel else []
    return account.run({"train.py": program, "requirements.txt": requirements}, "headrace", channels=channels,
                       Environment={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/opt/ml/input/data/wheels"}, **more)


@pytest.fixture(scope="module")
def cargo(account, tmp_path_factory):
    directory = tmp_path_factory.mktemp("cargo")
    wheel(directory, "setuptools_free_cargo", "1.0", "TEXT = 'first'\n")
    wheel(directory, "setuptools_free_cargo", "2.0", "TEXT = 'second'\n")
    for file in directory.iterdir():
        account.s3.upload_file(str(file), account.bucket, f"wheels/{file.name}")


def test_requirements_are_installed_once_for_the_jobs_of_an_account(account, cargo):
    job, log = with_requirements(account, "setuptools_free_cargo==1.0\n")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    assert any(line.startswith("Successfully installed") for line in log), log
    job, log = with_requirements(account, "setuptools_free_cargo==1.0\n", channel=False)
    assert "[headrace] the packages of requirements.txt are there from an earlier job" in log, log
    assert any(line.startswith("cargo: first") for line in log), log
    job, log = with_requirements(account, "setuptools_free_cargo==2.0\n")
    assert any(line.startswith("cargo: second") for line in log), log


def test_a_program_cannot_change_what_later_jobs_find(account, cargo):
    planting = """
import pathlib, setuptools_free_cargo as cargo
try:
    pathlib.Path(cargo.__file__).write_text("TEXT = 'planted'")
    print("planted")
except OSError as error:
    print("refused:", error.strerror)
"""
    for _ in range(2):  # the one that installs, and one that finds
        job, log = with_requirements(account, "setuptools_free_cargo\n", program=planting)
        assert "refused: Read-only file system" in log, log
    job, log = with_requirements(account, "setuptools_free_cargo\n", channel=False)
    assert any(line.startswith("cargo: second") for line in log), log


def test_another_account_installs_for_itself(account, cargo):
    """What an account's setup.py may have done to an installation is seen by that account alone."""
    import boto3
    import json
    keys = json.loads(account.server.headrace("keys", "create", "neighbour", "--data-dir", account.server.directory, "-o", "json").stdout)
    session = boto3.Session(aws_access_key_id=keys["access_key_id"], aws_secret_access_key=keys["secret_access_key"], region_name="us-west-2")
    with_requirements(account, "setuptools_free_cargo==1.0\n")
    neighbour = Account(account.server, lambda service: session.client(service, endpoint_url=account.server.url), account.wheels, "neighbour")
    job, log = with_requirements(neighbour, "setuptools_free_cargo==1.0\n", channel=False)
    assert job["TrainingJobStatus"] == "Failed" and "pip install -r requirements.txt failed" in job["FailureReason"], log


def test_what_requirements_do_not_say_themselves_is_installed_each_time(account, cargo):
    for text in ("first", "second"):
        files = {"train.py": "import local_part\nprint('part:', local_part.TEXT)\n", "requirements.txt": "./part\n",
                 "part/pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
                 "part/backend.py": f"""
import zipfile
def build_wheel(directory, settings=None, metadata=None):
    info = "local_part-1.0.dist-info"
    with zipfile.ZipFile(directory + "/local_part-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("local_part.py", "TEXT = '{text}'\\n")
        archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: local_part\\nVersion: 1.0\\n")
        archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "/RECORD", "")
    return "local_part-1.0-py3-none-any.whl"
"""}
        log = account.completed(files, "headrace", Environment={"PIP_NO_INDEX": "1"})
        assert f"part: {text}" in log, log


def test_packages_of_an_environment_satisfy_requirements(account, made):
    """Nothing is installed again that the environment has; a version that it has not is seen before its own."""
    program = "import companion, xgboost\nprint('versions', companion.TEXT, xgboost.__version__)\n"
    files = {"train.py": program, "requirements.txt": "companion\nxgboost>=1.7\n"}
    log = account.completed(files, "sagemaker-xgboost:1.7-1", Environment={"PIP_NO_INDEX": "1"})
    assert "versions came along 1.7.6" in log, log
    for file in account.wheels.glob("xgboost-2*"):
        account.s3.upload_file(str(file), account.bucket, f"newer/{file.name}")
    files["requirements.txt"] = "xgboost==2.1.0\n"
    log = account.completed(files, "sagemaker-xgboost:1.7-1", channels=[("newer", f"s3://{account.bucket}/newer/")],
                            Environment={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/opt/ml/input/data/newer"})
    assert "versions came along 2.1.0" in log, log


def test_the_toolkits_environment_is_imported_where_the_toolkit_is_not(account):
    program = """
from sagemaker_training import environment, params
env = environment.Environment()
print("environment:", env.hosts, env.current_host, env.is_master, env.hyperparameters, env.job_name == env["job_name"], env.model_dir,
      environment.num_cpus() == env.num_cpus, env.to_cmd_args(), sorted(env.channel_input_dirs))
import sagemaker_containers
from sagemaker_containers.beta import framework
print("older names:", sagemaker_containers.training_env().hyperparameters, framework.training_env().current_host, framework.env is environment)
"""
    log = account.completed(program, "headrace", hyperparameters={"epochs": 3})
    assert "environment: ['algo-1'] algo-1 True {'epochs': 3} True /opt/ml/model True ['--epochs', '3'] []" in log, log
    assert "older names: {'epochs': 3} algo-1 True" in log, log
    assert any("Headrace's own: " in line and "sagemaker_training" in line for line in log), log


def test_what_a_source_installs_is_not_hidden_by_what_stands_in_for_it(account):
    log = account.completed({
        "setup.py": "from setuptools import setup\nsetup(name='x', version='1', package_dir={'': 'lib'}, packages=['sagemaker_training'])\n",
        "lib/sagemaker_training/__init__.py": "TEXT = 'came with setup.py'\n",
        "train.py": "import horovod, sagemaker_training\nprint(sagemaker_training.TEXT, 'beside', horovod.__file__)\n"}, "any:1.0")
    assert any("sagemaker_training: the one that is installed now, not Headrace's own" in line for line in log), log
    assert any("came with setup.py beside" in line and "python/horovod/" in line for line in log), log
