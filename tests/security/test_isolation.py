"""What a tenant's training job may see and do on the machine: with a sandbox and without, for a server of root's and one of
nobody's."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import botocore.exceptions
import pytest

from platform_fixtures import HEADRACE, Server
from isolation import Tenant

NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


def start(*arguments, run_as=None):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace_isolation_"))
    folder.chmod(0o755)
    (folder / "data").mkdir()
    if run_as:
        os.chown(folder / "data", run_as["user"], run_as["group"])
    return Server(folder / "data", "--python", "/usr/bin/python3", *arguments, run_as=run_as)


def end(server):
    server.stop()
    shutil.rmtree(server.directory.parent, ignore_errors=True)


@pytest.fixture(scope="module", params=["own", "nobody"])
def server(request):
    """With sandboxes, as this user and, where root runs the tests, as nobody."""
    run_as = None
    if request.param == "nobody":
        if os.getuid() != 0:
            pytest.skip("only root can become somebody else")
        run_as = NOBODY
        try:
            subprocess.run([HEADRACE, "--version"], check=True, stdout=subprocess.DEVNULL, **NOBODY)
        except OSError:
            pytest.skip(f"{HEADRACE} lies where nobody else may look")
    server = start(run_as=run_as)
    if "run as plain processes" in server.log.read_text():
        end(server)
        pytest.skip("no sandbox on this machine")
    yield server
    end(server)


@pytest.fixture(scope="module")
def mallory(server):
    return Tenant(server, "mallory")


# A library that tells when it is loaded outside of the sandbox: there it can write beside the platform's data.
ESCAPE = r"""
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void escape(void) {
  const char* proof = getenv("PROOF");
  if (proof != NULL) { int fd = open(proof, O_WRONLY | O_CREAT, 0666); if (fd >= 0) close(fd); }
}
"""


@pytest.mark.parametrize("way", ["LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "PATH", "GCONV_PATH"])
def test_no_variable_of_a_job_runs_code_outside_its_sandbox(server, mallory, way, tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("no compiler")
    name = "escape-" + way.lower().replace("_", "-")
    place = server.directory / "jobs" / mallory.account / name / "hosts/algo-1/files/ml/code"
    proof = server.directory.parent / "data" / ("proof-" + way)
    (tmp_path / "x.c").write_text(ESCAPE)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "x.so", tmp_path / "x.c"], check=True)
    # As text, because sources are uploaded as text: the job unpacks it before the next process starts, so this job has
    # a setup.py, whose pip is a second process of the platform's in the same directory.
    import base64
    library = base64.b64encode((tmp_path / "x.so").read_bytes()).decode()
    script = f"#!/bin/sh\ntouch {proof}\nexec /usr/bin/bwrap \"$@\"\n"
    unpack = ("import base64, os, pathlib\nhere = pathlib.Path('/opt/ml/code')\n"
              f"library = base64.b64decode('{library}')\n"
              "for name in ('x.so', 'libc.so.6', 'libcap.so.2', 'libselinux.so.1', 'gconv-modules'): (here / name).write_bytes(library)\n")
    files = {"setup.py": unpack + "from setuptools import setup\nsetup(name='x', version='1', py_modules=['train'])\n",
             "train.py": "import os\nprint('inside', sorted(os.environ))\n", "bwrap": script, "headrace-job-init": script,
             "python3": script}
    values = {"LD_PRELOAD": f"{place}/x.so", "LD_AUDIT": f"{place}/x.so", "LD_LIBRARY_PATH": str(place), "PATH": f"{place}:/usr/bin:/bin",
              "GCONV_PATH": str(place)}
    job, log = mallory.run("train.py", files, name=name, Environment={way: values[way], "PROOF": str(proof)})
    assert not proof.exists(), (job.get("FailureReason"), log[-5:])


def test_variables_are_seen_by_the_program_alone(server, mallory):
    job, log = mallory.shell(
        "echo mine=$SECRET_OF_MINE; tr '\\0' '\\n' < /proc/1/environ | sed s/^/first:/; sleep 2",
        Environment={"SECRET_OF_MINE": "swordfish"})
    assert job["TrainingJobStatus"] == "Completed", job
    assert "mine=swordfish" in log
    assert not any(line.startswith("first:") and ("swordfish" in line or "AWS_" in line) for line in log)


def test_no_secret_stands_in_a_command_line(server, mallory):
    name = mallory.start("run.sh", {"run.sh": "echo ready; sleep 5"}, Environment={"SECRET_OF_MINE": "swordfish"})
    seen = ""
    sagemaker = mallory.client("sagemaker")
    while sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen += process.read_bytes().decode(errors="replace")
            except OSError:
                pass
    assert "bwrap" in seen
    assert "swordfish" not in seen
    assert mallory.keys["secret_access_key"] not in seen


LOOK = r"""
import os, stat, socket
for root in ('/etc', '/run', '/var', '/opt/headrace'):
    for folder, names, files in os.walk(root):
        for name in files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and not status.st_mode & 0o004: print('SECRET', path)
for folder in ('/', '/usr', '/etc', '/bin', '/lib', '/opt', '/opt/headrace', '/opt/headrace/tools', '/sys', '/proc/sys/kernel',
               '/var', '/run'):
    try:
        open(folder + '/probe', 'w'); print('WROTE', folder)
    except OSError: pass
for line in open('/proc/self/status'):
    if line.startswith(('CapEff', 'CapPrm')) and int(line.split()[1], 16): print('CAPABLE', line)
# Of the data directory, what the job may write to: the fourth field is the mount's place in its file system.
for fields in map(str.split, open('/proc/self/mountinfo')):
    if '/jobs/' in fields[3] and 'rw' in fields[5].split(','): print('WRITABLE', fields[3].split('/hosts/')[-1])
for path in PLACES:
    if os.path.exists(path): print('SEEN', path)
for name in ('AWS_CA_BUNDLE', 'AWS_DATA_PATH'):
    if name in os.environ and not os.path.exists(os.environ[name]): print('MISSING', name, os.environ[name])
print('PROCESSES', len([p for p in os.listdir('/proc') if p.isdigit()]))
print('INHERITED', [os.readlink('/proc/self/fd/%d' % fd) for fd in range(3, 100) if os.path.exists('/proc/self/fd/%d' % fd)])
print('ETC', sorted(os.listdir('/etc')))
import ssl; ssl.create_default_context()
print('FINE')
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_a_job_sees_its_own_and_what_programs_need(server, mallory, isolated):
    secrets = [str(server.directory / name) for name in ("keys", "meta.db", "jobs", "tls/ca-key.pem", "objects", "endpoints")]
    job, log = mallory.run("look.py", {"look.py": LOOK.replace("PLACES", repr(secrets))}, EnableNetworkIsolation=isolated)
    assert job["TrainingJobStatus"] == "Completed", job
    assert "FINE" in log
    assert not [line for line in log if line.startswith(("SECRET", "WROTE", "CAPABLE", "SEEN", "MISSING"))]
    # So spools, pulse, lock and artifacts, which the platform reads by their paths, are its own.
    assert {line for line in log if line.startswith("WRITABLE")} == {
        f"WRITABLE algo-1/files/{name}" for name in ("home", "ml", "tmp")}, log
    assert "INHERITED []" in log
    seen, = [line for line in log if line.startswith("ETC")]
    for hidden in ("shadow", "ssh", "sudoers", "machine-id", "gitconfig", "crontab"):
        assert f"'{hidden}'" not in seen


def test_programs_of_all_kinds_work_inside(server, mallory):
    """The list of what is seen has what compilers, interpreters and libraries of threads need."""
    job, log = mallory.shell("\n".join([
        "set -e", "id -un; getent hosts localhost; date; nproc; python3 -c 'import ssl, socket, ctypes.util, sqlite3, lzma'",
        "python3 -m pip --version", "cat > p.cc <<'X'", "#include <omp.h>", "#include <cstdio>",
        'int main() { int n = 0;', '#pragma omp parallel for reduction(+:n)', 'for (int i = 0; i < 100; ++i) n += i;',
        'std::printf("sum %d\\n", n); }', "X", "g++ -std=c++20 -fopenmp -o p p.cc && ./p",
        "echo 'int main(void) { return 0; }' > q.c && gcc -o q q.c && ./q && echo built"]))
    if not any("sum" in line for line in log) and any("g++: " in line or "No module named pip" in line for line in log):
        pytest.skip("no compiler or no pip on this machine")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    assert "sum 4950" in log and "built" in log


def test_the_kernels_administrators_calls_are_refused(server, mallory):
    job, log = mallory.shell("unshare -Ur true 2>/dev/null && echo ROOT; unshare -m true 2>/dev/null && echo MOUNTS;"
                             "mount -t tmpfs none /tmp 2>/dev/null && echo MOUNTED; cat /proc/keys /proc/kcore 2>/dev/null | wc -c; exit 0")
    assert job["TrainingJobStatus"] == "Completed", job
    assert not {"ROOT", "MOUNTS", "MOUNTED"} & set(log)
    assert "0" in [line.strip() for line in log]


def test_without_a_sandbox_only_the_owner_runs_anything():
    server = start("--sandbox", "false")
    try:
        owner, mallory = Tenant(server), Tenant(server, "mallory")
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            mallory.shell("echo here")
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert "allow-unsandboxed-tenants" in error["Message"] and "headrace doctor" in error["Message"]
        job, log = owner.shell("echo here; ls /opt/ml/code")
        assert job["TrainingJobStatus"] == "Completed", job
        assert any("the job runs as a plain process, not in a sandbox" in line for line in log)
        if os.getuid() == 0:  # its /opt/ml is the job's own all the same
            assert "run.sh" in log
            assert not os.path.exists("/opt/ml/code")
    finally:
        end(server)


def test_tenants_are_trusted_only_when_the_setting_says_so():
    server = start("--sandbox", "false", "--allow-unsandboxed-tenants", "true")
    try:
        job, log = Tenant(server, "mallory").shell("echo here; tr '\\0' '\\n' < /proc/$PPID/cmdline")
        assert job["TrainingJobStatus"] == "Completed", job
        assert "here" in log
        assert any("can do what the server's user can" in line for line in log)
    finally:
        end(server)


@pytest.mark.parametrize("missing, there", [("headrace-job-init", "headrace-supervise"), ("headrace-supervise", "headrace-job-init")])
def test_a_server_whose_installation_is_not_whole_does_not_start(tmp_path, missing, there):
    for folder in ("bin", "libexec"):
        (tmp_path / folder).mkdir()
    shutil.copy(HEADRACE, tmp_path / "bin/headrace")
    shutil.copy(HEADRACE.parent / there, tmp_path / "libexec" / there)
    started = subprocess.run([tmp_path / "bin/headrace", "serve", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0",
                              "--tls-listen", "off"], capture_output=True, text=True, timeout=60)
    assert started.returncode != 0
    assert f"{missing} is missing" in started.stderr and "install it again" in started.stderr
    doctor = subprocess.run([tmp_path / "bin/headrace", "doctor", "-o", "json"], capture_output=True, text=True, timeout=60)
    found = next(check for check in json.loads(doctor.stdout) if check["check"] == "installation")
    assert found["verdict"] == "failed" and f"{missing} (" in found["detail"] and there not in found["detail"]


def test_an_interpreter_below_tmp_works():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace_interpreter_", dir="/tmp"))
    made = subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder / "venv"], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no venv: {made.stderr[-200:]}")
    (folder / "venv/lib/python3").mkdir(parents=True, exist_ok=True)
    data = pathlib.Path(tempfile.mkdtemp(prefix="headrace_isolation_"))
    server = Server(data / "data", "--python", str(folder / "venv/bin/python3"))
    try:
        owner = Tenant(server)
        job, log = owner.run("where.py", {"where.py": "import sys; print('from', sys.prefix)"})
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
        assert f"from {folder}/venv" in log
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
