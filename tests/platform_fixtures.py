"""A `headrace serve` of its own for each test session, and its environment. The program under test: $HEADRACE_BIN."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))
HEADRACE = BIN / "headrace"
START_SECONDS = 20


class Server:
    """A running platform on ports of its own; `restart` and `kill` are for tests of recovery."""

    def __init__(self, directory, *arguments, run_as=None, program=HEADRACE, variables=None):
        """run_as: subprocess's user, group and extra_groups. program: another installation's `headrace`. variables: in its
        environment besides those of this process."""
        self.program = program
        self.run_as = run_as or {}
        self.variables = variables or {}
        self.directory = pathlib.Path(directory)
        self.arguments = arguments
        self.log = self.directory.with_suffix(".log")
        self.process = None
        self.start()

    def start(self, port=0):
        self.process = subprocess.Popen(
            [self.program, "serve", "--data-dir", self.directory, "--listen", f"127.0.0.1:{port}", *self.arguments],
            stdout=open(self.log, "ab"), stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **self.variables}, **self.run_as)
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"headrace serve ended with {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
            shown = subprocess.run([self.program, "env", "--data-dir", self.directory, "-o", "json"], capture_output=True, text=True)
            if shown.returncode == 0:
                self.environment = json.loads(shown.stdout)
                if self.answers():
                    return
            if time.monotonic() > deadline:
                raise RuntimeError(f"headrace serve does not answer: {shown.stderr}\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def answers(self):
        import urllib.request
        try:
            with urllib.request.urlopen(self.url + "/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    @property
    def url(self):
        return self.environment["AWS_ENDPOINT_URL"]

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()

    def client_environment(self, **more):
        """The environment of a client program: nothing of the machine's own AWS settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADRACE_"))}
        return {**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true", **self.environment, **more}

    def headrace(self, *arguments, check=True):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, env=self.client_environment())
        assert done.returncode == 0 or not check, f"headrace {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def add_python(self, requirement, interpreter):
        """Jobs of this framework's images run on this Python from now on."""
        self.headrace("python", "add", requirement, "--interpreter", interpreter, "--data-dir", self.directory)


@pytest.fixture(scope="session")
def make_server():
    """make_server(arguments…): one more server, with a fresh data directory; stopped at the end."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="headrace_clients_"))
    servers = []

    def make(*arguments, **more):
        servers.append(Server(root / f"data{len(servers)}", *arguments, **more))
        return servers[-1]

    yield make
    for server in servers:
        if server.process.poll() is None:
            server.stop()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def server(make_server):
    """The platform that tests share; its variables are set in this process."""
    server = make_server()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(server.client_environment())
    return server


def botocore_version():
    """(1, 43), say: for what older clients cannot do. AWS_ENDPOINT_URL is known since 1.31, default checksums since 1.36."""
    import botocore
    return tuple(map(int, botocore.__version__.split(".")[:2]))


@pytest.fixture(scope="session")
def boto(server):
    """boto("s3"): a client of the shared server, with boto3's defaults."""
    import boto3
    endpoint = {"endpoint_url": server.url} if botocore_version() < (1, 31) else {}
    return lambda service, **more: boto3.client(service, **{**endpoint, **more})


@pytest.fixture(scope="session")
def boto_resource(server):
    """boto_resource("s3"): the same for resources."""
    import boto3
    endpoint = {"endpoint_url": server.url} if botocore_version() < (1, 31) else {}
    return lambda service: boto3.resource(service, **endpoint)


@pytest.fixture(scope="session")
def aws(server):
    """aws("s3", "ls"): the AWS CLI of this environment; returns its standard output."""
    program = pathlib.Path(sys.executable).parent / "aws"
    if not program.exists():
        pytest.skip("this environment has no AWS CLI")

    def run(*arguments, check=True):
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                              env=server.client_environment(AWS_PAGER="", AWS_DEFAULT_OUTPUT="json"))
        if check and done.returncode != 0:
            raise AssertionError(f"aws {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout if check else done
    return run


@pytest.fixture(scope="session")
def cifar10(tmp_path_factory):
    """The sample's TFRecords: a directory with train/, validation/ and eval/."""
    directory = tmp_path_factory.mktemp("cifar10")
    subprocess.run([HEADRACE, "dataset", "cifar10", "--sample", "--data-dir", directory], check=True, stdout=subprocess.DEVNULL)
    return directory
