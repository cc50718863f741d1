"""Model servers belong to the platform: nobody else reaches them, they inherit nothing, and take no more than their share."""
import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.request

import botocore.exceptions
import pytest

from platform_fixtures import BIN, Server
from isolation import Tenant, archive_of

IMAGES = json.dumps({"instances": [[[[0.5] * 3] * 32] * 32]})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return archive_of(directory / "cnn/1", "1")


@pytest.fixture(scope="module", params=["sandbox", "plain"])
def server(request, tmp_path_factory):
    plain = ["--sandbox", "false", "--allow-unsandboxed-tenants", "true"] if request.param == "plain" else []
    server = Server(tmp_path_factory.mktemp("platform") / "data", "--idle-seconds", "3", *plain)
    server.plain = bool(plain)
    if not plain and "run as plain processes" in server.log.read_text():
        server.stop()
        pytest.skip("no sandbox on this machine")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def alice(server, model):
    alice = Tenant(server, "alice")
    endpoint = alice.endpoint("private", model)
    assert endpoint["EndpointStatus"] == "InService", endpoint
    return alice


def processes_below(root):
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(stat.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            pass
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def sockets_of(process):
    links = []
    for link in pathlib.Path(f"/proc/{process}/fd").glob("*"):
        try:
            links.append(os.readlink(link))
        except OSError:
            pass
    return {link for link in links if link.startswith("socket:")}


def tcp_ports_of(process):
    """What a process listens at, of all interfaces."""
    own = {re.search(r"\d+", link)[0] for link in sockets_of(process)}
    ports = []
    for table in ("tcp", "tcp6"):
        try:
            lines = pathlib.Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        ports += [line.split()[1] for line in lines if line.split()[3] == "0A" and line.split()[9] in own]
    return ports


ASK = r"""
import glob, json, os, socket, urllib.request
ports = sorted({int(l.split()[1].split(':')[1], 16) for l in open('/proc/net/tcp').readlines()[1:] if l.split()[3] == '0A'})
for port in ports:
    for path in ('/v1/models', '/ping', '/invocations'):
        try: print('ANSWER', port, path, urllib.request.urlopen('http://127.0.0.1:%d%s' % (port, path), timeout=2).status)
        except Exception as error: pass
print('ABSTRACT', [l.split()[-1] for l in open('/proc/net/unix') if 'http.sock' in l and '@' in l])
for found in glob.glob('/run/**', recursive=True) + glob.glob(PLACE + '/endpoints/**', recursive=True):
    if found.endswith('.sock'): print('SOCKET', found)
print('FINE')
"""


def test_no_job_of_another_account_reaches_a_model_server(server, alice):
    assert alice.invoke("private", IMAGES)["predictions"]
    mallory = Tenant(server, "mallory")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        mallory.invoke("private", IMAGES)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    job, log = mallory.run("ask.py", {"ask.py": ASK.replace("PLACE", repr(str(server.directory)))})
    assert job["TrainingJobStatus"] == "Completed", job
    assert "FINE" in log
    # Others on this machine may listen, too: what counts is what this platform has started.
    started = {int(at.split(":")[1], 16) for process in processes_below(server.process.pid) for at in tcp_ports_of(process)}
    assert not [line for line in log if line.startswith("ANSWER") and int(line.split()[1]) in started]
    assert "ABSTRACT []" in log
    if not server.plain:  # without a sandbox a job is the server's user, and only permissions are left
        assert not [line for line in log if line.startswith("SOCKET")]


def test_model_servers_listen_at_no_port(server, alice):
    servers = [process for process in processes_below(server.process.pid)
               if b"model-server" in pathlib.Path(f"/proc/{process}/cmdline").read_bytes()]
    assert servers
    for process in servers:
        assert tcp_ports_of(process) == []
    for path in server.directory.glob("endpoints/*/*/*/*/i-*/http.sock"):
        assert path.parent.stat().st_mode & 0o077 == 0
    if not server.plain:
        interfaces = pathlib.Path(f"/proc/{servers[-1]}/net/dev").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


def test_model_servers_inherit_no_socket_of_the_api(server, alice, model):
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
    for client in clients:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(4096)
    assert alice.endpoint("while-connected", model)["EndpointStatus"] == "InService"
    own = sockets_of(server.process.pid)
    for process in processes_below(server.process.pid):
        assert not own & sockets_of(process), process
    # So an idle connection is closed in front of its client, who takes a new one.
    for client in clients:
        client.settimeout(20)
        assert client.recv(1) == b""
        client.close()
    assert alice.invoke("private", IMAGES)["predictions"]


def test_a_killed_server_starts_again_at_once(server, alice):
    port = server.port
    for _ in range(10):
        alice.await_endpoint("private")
        server.kill()
        server.start(port)
        assert server.port == port
    alice.await_endpoint("private")
    assert alice.invoke("private", IMAGES)["predictions"]


def threads_of_model_servers(server):
    most = 0
    for process in processes_below(server.process.pid):
        try:
            if b"model-server" in pathlib.Path(f"/proc/{process}/cmdline").read_bytes():
                most = max(most, len(list(pathlib.Path(f"/proc/{process}/task").iterdir())))
        except OSError:
            pass
    return most


@pytest.mark.parametrize("environment", [
    {"SAGEMAKER_TFS_NUM_BATCH_THREADS": "48", "SAGEMAKER_TFS_INTRA_OP_PARALLELISM": "48"},
    {"SAGEMAKER_TFS_NUM_BATCH_THREADS": "99999999999999999999"},
    {"SAGEMAKER_TFS_DEFAULT_MODEL_NAME": "--rest_api_port=1", "LD_PRELOAD": "/opt/ml/model/x.so", "PATH": "/opt/ml/model"}])
def test_a_models_environment_takes_no_more_than_its_instances_cores(server, alice, model, environment):
    name = "t" + str(abs(hash(str(environment))) % 10**9)
    endpoint = alice.endpoint(name, model, environment)
    if "SAGEMAKER_TFS_DEFAULT_MODEL_NAME" not in environment:
        assert endpoint["EndpointStatus"] == "InService", endpoint
        logs = alice.client("logs")
        group = "/aws/sagemaker/Endpoints/" + name
        deadline = time.monotonic() + 20
        while True:
            messages = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
            if any("are more threads than the" in message for message in messages):
                break
            assert time.monotonic() < deadline, messages
            time.sleep(0.2)
    assert threads_of_model_servers(server) < 40
    alice.client("sagemaker").delete_endpoint(EndpointName=name)


def test_instances_are_bounded(server, alice):
    sagemaker = alice.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName="many", ProductionVariants=[
        {"VariantName": "v", "ModelName": "private", "InitialInstanceCount": 1000, "InstanceType": "ml.m5.24xlarge"}])
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        sagemaker.create_endpoint(EndpointName="many", EndpointConfigName="many")
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
