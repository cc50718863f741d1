"""The server itself: how clients find it, who may use it, how it starts, refuses and ends."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from platform_fixtures import HEADRACE, botocore_version


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


# A shell that already has what leads AWS clients elsewhere.
MISLED = {"AWS_SESSION_TOKEN": "other", "AWS_PROFILE": "none-such", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
          "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_CA_BUNDLE": "/nonexistent/bundle.pem"}
SHELLS = [shell for shell in ("sh", "dash", "bash", "zsh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_readmes_two_lines_pasted_at_once(shell, tmp_path):
    endpoint = "" if botocore_version() >= (1, 31) else ", endpoint_url=__import__('os').environ['AWS_ENDPOINT_URL']"
    program = ("import boto3; print(boto3.client('sts').get_caller_identity()['Account'], "
               f"len(boto3.client('s3'{endpoint}).list_buckets()['Buckets']))")
    script = (f"{HEADRACE} serve --data-dir {tmp_path}/d --listen 127.0.0.1:0 >{tmp_path}/log 2>&1 &\n"
              f"eval \"$({HEADRACE} env --data-dir {tmp_path}/d)\" && {sys.executable} -c \"{program}\"\n"
              "code=$?; kill $!; wait $!; exit $code\n")
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **MISLED})
    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "log").read_text()
    assert done.stdout.split()[1] == "0"


@pytest.mark.parametrize("shell", SHELLS)
def test_without_a_server_eval_fails_and_clients_reach_nobody(shell, tmp_path):
    script = (f"eval \"$({HEADRACE} env --wait 0 --data-dir {tmp_path})\"; echo \"code $?\"; "
              "echo \"$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID ${AWS_ENDPOINT_URL_S3-unset} ${AWS_PROFILE-unset} ${AWS_CA_BUNDLE-unset}\"")
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": "AKIAREAL", **MISLED}
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, timeout=30, env=environment)
    assert done.stdout.splitlines() == ["code 1", "http://127.0.0.1:1/headrace-env-failed headrace-env-failed unset unset unset"]
    assert "no server runs here" in done.stderr and "leads nowhere" in done.stderr
    ends = subprocess.run([shell, "-ec", f"eval \"$({HEADRACE} env --wait 0 --data-dir {tmp_path})\"; echo on"],
                          capture_output=True, text=True, timeout=30, env=environment)
    assert ends.returncode == 1 and "on" not in ends.stdout
    assert run("env", "--wait", "0", "--data-dir", tmp_path).returncode == 1


def test_it_is_healthy_only_when_env_works(tmp_path):
    for start in range(8):  # the first start, and later ones, which find the last server's files
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen([HEADRACE, "serve", "--data-dir", tmp_path / "d", "--listen", f"127.0.0.1:{port}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                        if answer.status == 200:
                            break
                except OSError:
                    assert process.poll() is None
            shown = run("env", "--wait", "0", "--data-dir", tmp_path / "d", "-o", "json")
            assert shown.returncode == 0, shown.stderr
            variables = json.loads(shown.stdout)
            assert variables["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{port}"
            for service, operation in (("s3", "list_buckets"), ("sagemaker", "list_training_jobs"), ("sagemaker", "list_endpoints"),
                                       ("logs", "describe_log_groups"), ("cloudwatch", "list_metrics")):
                getattr(client_of(service, variables, endpoint_url=variables["AWS_ENDPOINT_URL"]), operation)()
        finally:
            process.kill() if start % 2 else process.terminate()
            process.wait(20)


def test_a_dead_servers_address_is_not_told(make_server):
    server = make_server()
    server.kill()
    shown = run("env", "--wait", "0", "--data-dir", server.directory)
    assert shown.returncode == 1 and str(server.port) not in shown.stdout


def test_the_variables_break_no_client(server):
    """AWS_CA_BUNDLE ends Go programs with clients of their own, whatever the endpoint's scheme; on request it is there, with the
    system's authorities in it."""
    assert "AWS_CA_BUNDLE" not in server.environment
    secure = json.loads(run("env", "--tls", "--data-dir", server.directory, "-o", "json").stdout)
    assert secure["AWS_ENDPOINT_URL"].startswith("https://localhost:")
    authorities = pathlib.Path(secure["AWS_CA_BUNDLE"]).read_text().count("BEGIN CERTIFICATE")
    system = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    assert authorities == 1 + (system.read_text().count("BEGIN CERTIFICATE") if system.exists() else 0)
    program = ("import boto3; print(boto3.client('s3', endpoint_url=__import__('os').environ['AWS_ENDPOINT_URL'])"
               ".list_buckets()['ResponseMetadata']['HTTPStatusCode'])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **secure})
    assert done.stdout.strip() == "200", done.stderr


def test_rclone_works_in_the_shell_of_env(server):
    if not shutil.which("rclone"):
        pytest.skip("rclone is not installed")
    settings = {"RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_H_TYPE": "s3", "RCLONE_CONFIG_H_PROVIDER": "Other",
                "RCLONE_CONFIG_H_ENV_AUTH": "true", "RCLONE_CONFIG_H_ENDPOINT": server.url, "RCLONE_CONFIG_H_REGION": "us-west-2"}
    done = subprocess.run(["rclone", "lsd", "H:"], capture_output=True, text=True, env=server.client_environment(**settings))
    assert done.returncode == 0, done.stderr


def test_the_sdks_report_nothing_to_amazon(server):
    config = pathlib.Path(server.environment["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"]).read_text()
    assert "TelemetryOptOut: true" in config


def test_browsers_see_what_this_is(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for method, path, status in (("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/any/thing", 403)):
        connection.request(method, path, headers={"Accept": "text/html,application/xhtml+xml"})
        answer = connection.getresponse()
        page = answer.read().decode()
        assert answer.status == status and answer.headers["Content-Type"].startswith("text/html")
        assert method == "HEAD" or "headrace env" in page


def test_the_link_of_a_jobs_metrics_is_the_consoles(server):
    """What follows '#' never reaches a server: the page's script reads it. Nothing is shown to whoever has not signed in."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/cloudwatch/home?region=us-west-2", headers={"Accept": "text/html"})
    answer = connection.getresponse()
    assert answer.status == 200 and "/console/assets/" in answer.read().decode()
    connection.request("GET", "/cloudwatch/home?region=us-west-2", headers={"Accept": "*/*"})  # a client's object of that name
    assert connection.getresponse().status == 403


@pytest.mark.parametrize("service, call, status", [
    ("dynamodb", lambda client: client.list_tables(), 400), ("ecr", lambda client: client.describe_repositories(), 400),
    ("sns", lambda client: client.list_topics(), 400), ("ec2", lambda client: client.describe_instances(), 400),
    ("lambda", lambda client: client.list_functions(), 404), ("route53", lambda client: client.list_hosted_zones(), 404),
    ("sagemaker-featurestore-runtime", lambda client: client.get_record(FeatureGroupName="f", RecordIdentifierValueAsString="r"), 404)])
def test_what_is_not_here_says_so(server, service, call, status):
    client = client_of(service, server.environment, endpoint_url=server.url, config=Config(retries={"max_attempts": 0}, inject_host_prefix=False))
    with pytest.raises(ClientError) as refused:
        call(client)
    answer = refused.value.response
    assert "This is Headrace" in answer["Error"]["Message"], answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


def test_the_tls_listener_has_a_certificate_of_our_authority(server):
    authority = str(server.directory / "tls/ca.pem")
    address = json.loads((server.directory / "server.json").read_text())["tls_endpoint"]
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(address.removeprefix("https://"), context=context, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    logs = client_of("logs", server.environment, endpoint_url=address, verify=authority)
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
    assert checks["port"] == "ok" and checks["data directory"] == "ok" and checks["installation"] == "ok"
    assert {"descriptors", "cgroup", "places", "sandbox", "compiler", "python"} <= set(checks)


def test_doctor_tries_what_jobs_need(server, tmp_path):
    """A python that answers --version and can do no more, and a compiler that is none."""
    liar = tmp_path / "python3"
    liar.write_text("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nexit 1\n")
    liar.chmod(0o755)
    done = run("doctor", "--data-dir", server.directory, "--python", liar, "--compiler", "true", "-o", "json")
    checks = {check["check"]: check for check in json.loads(done.stdout)}
    assert checks["python"]["verdict"] == "warning" and checks["compiler"]["verdict"] == "warning"
    assert "does not compile" in checks["compiler"]["detail"]


def test_stops_at_once_when_idle(make_server):
    server = make_server()
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/healthz")
    connection.getresponse().read()  # the connection stays open and idle
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(5) == 0
