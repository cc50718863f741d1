"""The server itself: how clients find it, who may use it, how it starts, refuses and ends."""
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys

import boto3
import pytest
from botocore.exceptions import ClientError

from platform_fixtures import HEADRACE


def client_of(service, environment, **more):
    """A client with keys of its own; its address is the one given, or that of the session's server."""
    return boto3.client(service, region_name="us-west-2", aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"], **more)


def sts(environment):
    """Of the session's server only: the rules in AWS_DATA_PATH decide where STS is, whatever the client is told."""
    return client_of("sts", environment)


def run(*arguments, **more):
    return subprocess.run([HEADRACE, *map(str, arguments)], capture_output=True, text=True, timeout=30, **more)


def test_env_is_all_that_a_shell_needs(server):
    shown = run("env", "--data-dir", server.directory)
    assert shown.stdout.startswith("export AWS_ENDPOINT_URL='http://127.0.0.1:")
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(["sh", "-c", f"eval \"$({HEADRACE} env --data-dir {server.directory})\"; exec {sys.executable} -c \"{program}\""],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 12


def test_the_hard_wired_sts_address_of_the_sdks_is_ours(server):
    """As sagemaker.session does it: an endpoint URL that names AWS, whatever the variables say."""
    program = ("import boto3; c = boto3.client('sts', region_name='us-west-2', endpoint_url='https://sts.us-west-2.amazonaws.com'); "
               "print(c.get_caller_identity()['Arn'])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=server.client_environment())
    assert done.returncode == 0, done.stderr
    assert ":assumed-role/" in done.stdout


def test_the_tls_listener_has_a_certificate_of_our_authority(server):
    address = json.loads((server.directory / "server.json").read_text())["tls_endpoint"]
    context = ssl.create_default_context(cafile=server.environment["AWS_CA_BUNDLE"])
    connection = http.client.HTTPSConnection(address.removeprefix("https://"), context=context, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    logs = client_of("logs", server.environment, endpoint_url=address, verify=server.environment["AWS_CA_BUNDLE"])
    assert "logGroups" in logs.describe_log_groups()


def test_principals_come_and_go_while_the_server_runs(server):
    made = json.loads(run("keys", "create", "alice", "--data-dir", server.directory, "-o", "json").stdout)
    keys = {"AWS_ACCESS_KEY_ID": made["access_key_id"], "AWS_SECRET_ACCESS_KEY": made["secret_access_key"]}
    alice = sts(keys).get_caller_identity()
    assert alice["Account"] == made["account_id"]
    assert alice["Account"] != sts(server.environment).get_caller_identity()["Account"]
    listed = json.loads(run("keys", "list", "--data-dir", server.directory, "-o", "json").stdout)
    assert {"default", "alice"} <= {principal["name"] for principal in listed}
    again = run("keys", "create", "alice", "--data-dir", server.directory)
    assert again.returncode == 1 and "alice" in again.stderr
    run("keys", "revoke", "alice", "--data-dir", server.directory, check=True)
    with pytest.raises(ClientError) as refused:
        sts(keys).get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_requests_without_or_with_a_wrong_signature_are_refused(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for path in ("/", "/bucket/key", "/endpoints/e/invocations"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 403, path
    wrong = {**server.environment, "AWS_SECRET_ACCESS_KEY": "x" * 40}
    with pytest.raises(ClientError) as refused:
        sts(wrong).get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_metrics_and_access_log_tell_of_requests_without_secrets(server):
    s3 = boto3.client("s3", endpoint_url=server.url, region_name="us-west-2")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "none", "Key": "none"})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", url[url.index("/none"):])
    answer = connection.getresponse()
    answer.read()
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    assert "headrace_http_requests_total{" in text and "headrace_http_open_connections" in text
    log = (server.directory / "log/access.log").read_text()
    line = next(line for line in reversed(log.splitlines()) if "/none/none" in line)
    assert answer.headers["x-amz-request-id"] in line
    assert "Signature=..." in line
    assert server.environment["AWS_SECRET_ACCESS_KEY"] not in log


def test_a_data_directory_takes_one_server(server):
    second = run("serve", "--data-dir", server.directory, "--listen", "127.0.0.1:0")
    assert second.returncode == 1
    assert "runs here already" in second.stderr


def test_an_open_address_wants_explicit_keys(tmp_path):
    arguments = ("serve", "--data-dir", tmp_path / "d", "--listen", "0.0.0.0:0")
    refused = run(*arguments)
    assert refused.returncode == 1 and "headrace keys create" in refused.stderr
    run("keys", "create", "bob", "--data-dir", tmp_path / "d", check=True)
    process = subprocess.Popen([HEADRACE, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert "headrace serves" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_wrong_settings_are_named(tmp_path):
    wrong = run("serve", "--data-dir", tmp_path, "--listen", "nowhere")
    assert wrong.returncode == 1 and "--listen: found 'nowhere'" in wrong.stderr
    wrong = run("serve", "--data-dir", tmp_path, env={**os.environ, "HEADRACE_POOL_THREADS": "0"})
    assert wrong.returncode == 1 and "HEADRACE_POOL_THREADS: found '0'" in wrong.stderr
    assert run("serve", "--no-such-flag").returncode == 2


def test_keys_stay_over_restarts_and_kills(make_server):
    server = make_server()
    before = dict(server.environment)
    logs = client_of("logs", before, endpoint_url=server.url)
    logs.create_log_group(logGroupName="/kept")
    server.kill()
    server.start(server.port)
    assert server.environment["AWS_ACCESS_KEY_ID"] == before["AWS_ACCESS_KEY_ID"]
    assert server.environment["AWS_ENDPOINT_URL"] == before["AWS_ENDPOINT_URL"]
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/kept"]


def test_what_the_owner_alone_may_read(server):
    assert (server.directory.stat().st_mode & 0o777) == 0o700
    for name in ("keys", "meta.db", "tls/ca-key.pem", "tls/server-key.pem"):
        assert ((server.directory / name).stat().st_mode & 0o077) == 0, name


def test_doctor_says_what_is_there(server):
    done = run("doctor", "--data-dir", server.directory, "-o", "json")
    checks = {check["check"]: check["verdict"] for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert checks["port"] == "ok" and checks["data directory"] == "ok"


def test_stops_at_once_when_idle(make_server):
    server = make_server()
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/healthz")
    connection.getresponse().read()  # the connection stays open and idle
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(5) == 0
