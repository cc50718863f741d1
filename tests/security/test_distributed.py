"""Jobs of several hosts: launch doors and shared memory are the job's own, and a door gives no more than its sandbox has."""
import json
import pathlib
import shutil

import pytest

from tenants import Tenant

pytestmark = [pytest.mark.skipif(shutil.which("mpirun") is None, reason="Open MPI (openmpi-bin) is not installed")]

TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
MPI = {"sagemaker_mpi_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "1"}

# Rank 0 knocks at the door of algo-2 in ways that no agent does; rank 1 waits for it.
KNOCKING = r"""
import array, os, socket, struct, sys, time
rank, door = int(os.environ["OMPI_COMM_WORLD_RANK"]), "/opt/headrace/doors/algo-2"
done = os.environ["HEADRACE_SHARED_MEMORY_DIR"] + "/done"
def knock():
    visitor = socket.socket(socket.AF_UNIX)
    visitor.settimeout(10)
    visitor.connect(door)
    return visitor
def request(command, kind=1, size=None):
    return b"HRDOOR1\n" + struct.pack("<II", kind, len(command) if size is None else size) + command
if rank == 1:
    while not os.path.exists(done): time.sleep(0.02)
    sys.exit(0)
try:
    open(door + "x", "w")
    print("the directory of doors can be written")
except OSError as error:
    print("doors:", error.strerror, flush=True)
for wrong in (b"GET / HTTP/1.1\r\n\r\n", request(b"", 1), request(b"x", 3), request(b"x" * 10, 1, 1 << 31), request(b"a\0b")):
    visitor = knock()
    visitor.sendall(wrong)
    print("answer to no request:", visitor.recv(16), flush=True)
crowd = [knock() for _ in range(6)]  # who say nothing
for visitor in crowd: visitor.close()
with knock() as visitor:  # descriptors are not taken along
    pipe = os.pipe()
    visitor.sendmsg([request(b"ls -l /proc/self/fd >&2; hostname >&2; ls -a /opt/headrace >&2; exit 5")],
                    [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pipe[1]]))])
    print("status", struct.unpack("<i", visitor.recv(4))[0] >> 8, flush=True)
with knock() as visitor:  # who goes takes along what was started
    visitor.sendall(request(b"exec sleep 4711"))
    time.sleep(0.3)
time.sleep(0.3)
with knock() as visitor:
    visitor.sendall(request(b"cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 471[1]' >&2; exit 0"))
    print("again", struct.unpack("<i", visitor.recv(4))[0], flush=True)
open(done, "w").close()
"""


@pytest.fixture(scope="module")
def server(make_server):
    return make_server("--job-cpus", "8")  # places for two jobs of two hosts, whatever the machine has


@pytest.fixture(scope="module")
def owner(server):
    return Tenant.owner(server)


def source(tenant, program):
    import tenants
    bucket = tenant.bucket()
    tenant.client("s3").put_object(Bucket=bucket, Key="s.tar.gz", Body=tenants.archive(**{"run__py": program}))
    return bucket, {"sagemaker_program": '"run.py"', "sagemaker_submit_directory": json.dumps(f"s3://{bucket}/s.tar.gz")}


def start(tenant, program):
    bucket, parameters = source(tenant, program)
    request = tenant.request("", HyperParameters={**MPI, **parameters}, ResourceConfig=TWO,
                             OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"})
    request["AlgorithmSpecification"] = {key: value for key, value in request["AlgorithmSpecification"].items()
                                         if not key.startswith("Container")}
    tenant.client("sagemaker").create_training_job(**request)
    return request["TrainingJobName"]


def test_a_door_takes_bounded_requests_and_gives_its_own_sandbox(owner):
    job = owner.wait(name := start(owner, KNOCKING))
    log = owner.log(name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    said = [line.split("stdout>:", 1)[1] for line in log if line.startswith("[1,mpirank:0,algo-1]<stdout>:")]
    assert said[0] in ("doors: Read-only file system", "doors: Permission denied")
    assert said[1:6] == ["answer to no request: b''"] * 5
    assert said[6:] == ["status 5", "again 0"], said
    assert "algo-2" in log, "what was asked for ran on algo-2"
    listing = [line for line in log if "->" in line]
    assert listing and not any("pipe" in line.split("->")[1] for line in listing if " 3 ->" in line), listing
    assert "0" in log, "what was started has gone with the asker"


def test_another_jobs_doors_and_memory_are_out_of_reach(server, owner):
    waits = "import time\nprint('up', flush=True)\ntime.sleep(600)\n"
    victim = start(owner, waits)
    owner.wait_for_line(victim, "[1,mpirank:1,algo-2]<stdout>:up")
    directory = next(pathlib.Path(server.directory, "jobs").glob(f"*/{victim}"))
    shared = json.loads((directory / "hosts/algo-1/job.json").read_text())["shared_memory"]
    assert pathlib.Path(shared).is_dir() and oct(pathlib.Path(shared).stat().st_mode & 0o777) == "0o700"
    try:
        spying = (f"import os, socket\nfor path in ('{directory}', '{shared}', '{directory}/doors/algo-2'): print(os.path.exists(path))\n"
                  "print(os.listdir('/dev/shm'), sorted(os.listdir('/opt/headrace')))\n"
                  f"try: socket.socket(socket.AF_UNIX).connect('{directory}/doors/algo-2')\nexcept OSError as error: print(error.strerror)\n")
        bucket, parameters = source(owner, spying)
        request = owner.request("", HyperParameters=parameters, OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"})
        request["AlgorithmSpecification"] = {"TrainingImage": request["AlgorithmSpecification"]["TrainingImage"], "TrainingInputMode": "File"}
        owner.client("sagemaker").create_training_job(**request)
        job = owner.wait(request["TrainingJobName"])
        log = owner.log(request["TrainingJobName"])
        assert job["TrainingJobStatus"] == "Completed", (job, log)
        assert log.count("False") == 3 and ("No such file or directory" in log or "AF_UNIX path too long" in str(log)), log
        assert any(line.startswith("[] ") and "doors" not in line and "shared" not in line for line in log), log
        assert owner.describe(victim)["TrainingJobStatus"] == "InProgress"
    finally:
        owner.client("sagemaker").stop_training_job(TrainingJobName=victim)
        owner.wait(victim)
