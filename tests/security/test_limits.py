"""One job cannot stop the others: what a program takes of memory, processes, disk and log is bounded, whoever supervises it can
be trusted to end it, and nobody's queue keeps the others waiting."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

import pytest

from platform_fixtures import Server

ROLE = "arn:aws:iam::000000000000:role/job"
GROUP = "/aws/sagemaker/TrainingJobs"
TERMINAL = ("Completed", "Failed", "Stopped")
PATIENCE = 90


class Account:
    """One principal's view of a server with small limits."""

    def __init__(self, server, **keys):
        import boto3
        self.server = server
        environment = server.environment
        self.keys = keys or {"aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
                             "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"]}
        self.client = lambda service: boto3.client(service, endpoint_url=server.url, region_name=environment["AWS_REGION"], **self.keys)
        self.sagemaker, self.logs = self.client("sagemaker"), self.client("logs")
        self.account = self.client("sts").get_caller_identity()["Account"]
        self.bucket = f"limits-{self.account}"
        region = environment["AWS_REGION"]
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": region})

    @property
    def sandboxed(self):
        return "plain process" not in self.server.log.read_text()

    def create(self, name, script, kind="ml.m5.large", seconds=600, **more):
        self.sagemaker.create_training_job(
            TrainingJobName=name, RoleArn=ROLE, OutputDataConfig={"S3OutputPath": f"s3://{self.bucket}/out"},
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh", "-c"],
                                    "ContainerArguments": [script]},
            ResourceConfig={"InstanceType": kind, "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": seconds}, **more)

    def describe(self, name):
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def wait(self, name, until=lambda job: job["TrainingJobStatus"] in TERMINAL):
        deadline = time.monotonic() + PATIENCE
        while True:
            job = self.describe(name)
            if until(job):
                return job
            assert time.monotonic() < deadline, (job["TrainingJobStatus"], job["SecondaryStatus"])
            time.sleep(0.05)

    def run(self, name, script, **more):
        self.create(name, script, **more)
        return self.wait(name)

    def log(self, name):
        lines = []
        try:
            streams = self.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=name + "/")["logStreams"]
        except self.logs.exceptions.ResourceNotFoundException:
            return lines  # nobody has written a line yet
        for stream in streams:
            for page in self.logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, logStreamNames=[stream["logStreamName"]]):
                lines += [event["message"] for event in page["events"]]
        return lines

    def wait_for_line(self, name, line):
        deadline = time.monotonic() + PATIENCE
        while not any(line in found for found in self.log(name)):
            assert time.monotonic() < deadline, self.log(name)
            time.sleep(0.1)

    def directory(self, name):
        return self.server.directory / "jobs" / self.account / name


@pytest.fixture(scope="module")
def tight(make_server):
    return make_server("--job-memory-mib", "256", "--job-tasks", "64", "--job-disk-mib", "64", "--job-log-mib", "1", "--job-cpus", "2",
                       "--job-hang-seconds", "3", "--job-stop-grace-seconds", "2")


@pytest.fixture(scope="module")
def owner(tight):
    return Account(tight)


@pytest.fixture(scope="module")
def neighbour(tight):
    key = json.loads(tight.headrace("keys", "create", "neighbour", "--data-dir", tight.directory, "-o", "json").stdout)
    return Account(tight, aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"])


def processes_of(directory):
    """Living processes that name the directory in their command line."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
                state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if str(directory).encode() in command and state != "Z":
                found.append(int(process.name))
    return found


def supervisor_of(owner, name):
    return int((owner.directory(name) / "hosts/algo-1/supervisor.lock").read_text())


def is_honest_job_fine(owner, name):
    assert owner.run(name, "echo fine")["TrainingJobStatus"] == "Completed"


def test_the_log_says_which_limits_hold_and_how(owner):
    owner.run("told", "true")
    line = next(line for line in owner.log("told") if line.startswith("[headrace] limits:"))
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 20)
    for text in ("memory 256.0 MiB (", "64 processes and threads (", "disk 64.0 MiB (measured)", "log 1.0 MiB", f"{files} open files a process"):
        assert text in line


def test_a_fork_bomb_is_bounded(owner):
    job = owner.run("forks", "i=0; while [ $i -lt 500 ]; do sleep 300 & i=$((i+1)); done; echo made $i", seconds=20)
    assert job["TrainingJobStatus"] in ("Failed", "Stopped", "Completed")
    assert "made 500" not in owner.log("forks") or "processes and threads" in job.get("FailureReason", "")
    if job["TrainingJobStatus"] == "Failed":
        assert "64" in job["FailureReason"] and "threads" in job["FailureReason"], job["FailureReason"]
    assert not processes_of(owner.directory("forks"))
    is_honest_job_fine(owner, "after-forks")


def test_a_fork_bomb_that_never_ends_can_be_stopped(owner):
    owner.create("bomb", "echo begun; f() { f | f & f; }; f; while :; do (f) & done")
    owner.wait_for_line("bomb", "begun")
    try:
        owner.sagemaker.stop_training_job(TrainingJobName="bomb")
    except owner.sagemaker.exceptions.ClientError as ended:
        assert "Failed" in str(ended) or "Completed" in str(ended) or "Stopped" in str(ended)
    owner.wait("bomb")
    assert not processes_of(owner.directory("bomb"))
    is_honest_job_fine(owner, "after-bomb")


@pytest.mark.parametrize("name,script", [
    ("heap", "x=$(head -c 600000000 /dev/zero | tr '\\0' x); sleep 60; echo ${#x}"),
    ("shm", "for i in 1 2 3 4 5 6; do head -c 100000000 /dev/zero > /dev/shm/$i; done; sleep 60"),
    ("elsewhere", "for d in /run /var/tmp /dev / /opt /mnt; do for i in 1 2 3 4 5 6; do"
                  " (head -c 100000000 /dev/zero > $d/$i) 2>/dev/null || break; done; done; echo NOWHERE"),
])
def test_memory_is_bounded_wherever_it_is(owner, name, script):
    if not owner.sandboxed and name != "heap":
        pytest.skip("without a sandbox a job has no /dev/shm or /run of its own")
    job = owner.run(f"memory-{name}", script, seconds=50)
    if name == "elsewhere" and "NOWHERE" in owner.log(f"memory-{name}"):
        return  # nothing else of a sandbox can be written to
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: out of " if name == "elsewhere" else "AlgorithmError: out of memory")


@pytest.mark.parametrize("name,script", [
    ("file", "head -c 200000000 /dev/zero > /opt/ml/model/big; sleep 60"),
    ("tmp", "head -c 200000000 /dev/zero > ${TMPDIR:-/tmp}/big; sleep 60"),
    ("nameless", "exec 9> ${TMPDIR:-/tmp}/big; rm ${TMPDIR:-/tmp}/big; head -c 200000000 /dev/zero >&9; sleep 60"),
    ("deep", "cd ${TMPDIR:-/tmp}; for i in $(seq 60); do mkdir dddddddddd; cd dddddddddd; head -c 3000000 /dev/zero > f; done; sleep 60"),
])
def test_the_disk_is_bounded(owner, name, script):
    job = owner.run(f"disk-{name}", script, seconds=50)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: out of disk: the job's files take "), job["FailureReason"]
    assert "allows 64.0 MiB" in job["FailureReason"]
    assert not (owner.directory(f"disk-{name}") / "hosts/algo-1/files").exists()


def test_holes_take_no_room(owner):
    job = owner.run("holes", "truncate -s 4T ${TMPDIR:-/tmp}/hole && sleep 1 && rm ${TMPDIR:-/tmp}/hole && echo fine")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_flood_of_lines_keeps_its_first_and_its_last(owner):
    script = "echo FIRST; yes 'loss=0.5 step 1' | head -n 300000; echo LAST"
    job = owner.run("flood", script)
    assert job["TrainingJobStatus"] == "Completed"
    lines = owner.log("flood")
    assert "FIRST" in lines and "LAST" in lines
    assert sum(len(line) + 26 for line in lines) < 1.3 * (1 << 20)
    assert any("job-log-mib" in line for line in lines)
    assert any(" were left out here" in line for line in lines)
    spools = sum(file.stat().st_size for file in owner.directory("flood").glob("hosts/algo-1/attempt-*/log.*"))
    assert spools < 3 << 20


def test_one_line_without_an_end_is_bounded(owner):
    job = owner.run("endless", "head -c 20000000 /dev/zero | tr '\\0' a; echo; echo LAST")
    assert job["TrainingJobStatus"] == "Completed"
    assert owner.log("endless").count("LAST") == 1


def test_spools_are_bounded_while_the_server_is_down(make_server):
    server = make_server("--job-log-mib", "1")
    account = Account(server)
    account.create("down", "echo begun; sleep 2; yes flood | head -c 30000000; echo LAST; sleep 1")
    account.wait_for_line("down", "begun")
    server.kill()
    deadline = time.monotonic() + PATIENCE
    while "\"e\":\"end\"" not in (account.directory("down") / "hosts/algo-1/attempt-0/events.jsonl").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert sum(file.stat().st_size for file in account.directory("down").glob("hosts/algo-1/attempt-*/log.*")) < 3 << 20
    server.start(server.port)
    assert account.wait("down")["TrainingJobStatus"] == "Completed"
    assert "LAST" in account.log("down")


def test_a_stopped_supervisor_is_noticed_and_ended(owner):
    owner.create("hung", "echo begun; sleep 300")
    owner.wait_for_line("hung", "begun")
    os.kill(supervisor_of(owner, "hung"), signal.SIGSTOP)
    job = owner.wait("hung")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: the job's supervisor process gave no sign of life for 3 s")
    assert not processes_of(owner.directory("hung"))
    is_honest_job_fine(owner, "after-hung")


def test_a_stopped_supervisor_does_not_keep_its_job_from_being_stopped(owner):
    owner.create("hung-stop", "echo begun; sleep 300")
    owner.wait_for_line("hung-stop", "begun")
    os.kill(supervisor_of(owner, "hung-stop"), signal.SIGSTOP)
    owner.sagemaker.stop_training_job(TrainingJobName="hung-stop")
    assert owner.wait("hung-stop")["TrainingJobStatus"] == "Stopped"
    is_honest_job_fine(owner, "after-hung-stop")


def test_a_program_that_ignores_sigterm_ends_within_the_grace(owner):
    owner.create("deaf", "trap '' TERM; (trap '' TERM; setsid sleep 300) & echo begun; while :; do sleep 1; done")
    owner.wait_for_line("deaf", "begun")
    owner.sagemaker.stop_training_job(TrainingJobName="deaf")
    assert owner.wait("deaf")["TrainingJobStatus"] == "Stopped"
    assert not processes_of(owner.directory("deaf"))


def test_a_huge_output_does_not_keep_a_job_from_being_stopped(owner):
    owner.create("packing", "truncate -s 4T /opt/ml/model/hole 2>/dev/null || truncate -s 4T $SM_MODEL_DIR/hole; echo made")
    owner.wait_for_line("packing", "made")
    try:
        owner.sagemaker.stop_training_job(TrainingJobName="packing")
    except owner.sagemaker.exceptions.ClientError:
        pass  # packed already: holes are nothing
    owner.wait("packing")
    is_honest_job_fine(owner, "after-packing")


def test_cores_are_free_while_files_are_deleted(owner):
    script = "cd ${TMPDIR:-/tmp}; i=0; while [ $i -lt 8000 ]; do : > f$i; i=$((i+1)); done; echo made"
    assert owner.run("many-files", script)["TrainingJobStatus"] == "Completed"
    is_honest_job_fine(owner, "after-many-files")
    assert not (owner.directory("many-files") / "hosts/algo-1/files").exists()


def test_a_long_queue_does_not_keep_another_account_waiting(owner, neighbour):
    owner.create("holds", "echo begun; sleep 300")  # all cores
    owner.wait_for_line("holds", "begun")
    for i in range(12):
        owner.create(f"queued-{i}", "sleep 0.3")
    neighbour.create("mine", "true")
    owner.sagemaker.stop_training_job(TrainingJobName="holds")
    neighbour.wait("mine")
    ended = [i for i in range(12) if owner.describe(f"queued-{i}")["TrainingJobStatus"] in TERMINAL]
    assert len(ended) <= 3
    for i in range(12):
        owner.wait(f"queued-{i}")


def test_a_job_that_fills_the_disk_makes_room_again(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mount = tmp_path_factory.mktemp("disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "small", mount], capture_output=True).returncode != 0:
        pytest.skip("no file systems may be mounted here")
    try:
        server = Server(mount / "data")
        account = Account(server)
        job = account.run("filler", "cat /dev/zero > ${TMPDIR:-/tmp}/z; sleep 60")
        assert job["TrainingJobStatus"] == "Failed"
        assert "out of disk" in job["FailureReason"]
        job = account.run("log-filler", "yes 0123456789 | head -c 200000000; echo LAST")
        assert job["TrainingJobStatus"] == "Completed"
        assert any(line.endswith("LAST") for line in account.log("log-filler"))
        account.client("s3").put_object(Bucket=account.bucket, Key="after", Body=b"x" * (1 << 20))
        is_honest_job_fine(account, "after-filler")
        server.stop()
    finally:
        subprocess.run(["umount", "-l", mount], check=True)
