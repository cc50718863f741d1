"""Training jobs of several instances with boto3: hosts, their logs, metrics, data and artifacts; ranks that mpirun starts."""
import json
import os
import pathlib
import subprocess
import sys
import time

import boto3
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from distributed import GROUP, MPI_PROGRAM, Account, needs_mpi  # noqa: E402

def new_account(boto):
    bucket = f"distributed-{os.getpid()}"
    boto("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": boto("s3").meta.region_name})
    return Account(boto, bucket)


@pytest.fixture(scope="module")
def account(boto):
    return new_account(boto)


@needs_mpi
def test_ranks_of_a_cpp_program_run_on_their_hosts(account):
    name = account.mpi({"train.cpp": MPI_PROGRAM}, "train.cpp", metrics=[{"Name": "loss", "Regex": r".*loss: ([0-9\.]+) - .*"}])
    job = account.end(name, 120)
    log = account.log(name, "algo-1")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    assert "[1,mpirank:0,algo-1]<stdout>:rank 0 of 2 on algo-1 loss: 3.5 - shared 1" in log
    assert "[1,mpirank:1,algo-2]<stdout>:rank 1 of 2 on algo-2 loss: 3.5 - shared 1" in log
    assert {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]} == {"loss": 3.5}
    assert account.archive(name) == {"weights": "3"}
    assert [transition["Status"] for transition in job["SecondaryStatusTransitions"]] == [
        "Starting", "Downloading", "Training", "Uploading", "Completed"]


@needs_mpi
def test_several_ranks_of_one_host_share_its_sandbox(account):
    name = account.mpi({"train.cpp": MPI_PROGRAM}, "train.cpp", {"sagemaker_mpi_num_of_processes_per_host": 2})
    job = account.end(name, 120)
    log = account.log(name, "algo-1")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
    for rank, host in enumerate(["algo-1", "algo-1", "algo-2", "algo-2"]):
        assert f"[1,mpirank:{rank},{host}]<stdout>:rank {rank} of 4 on {host} loss: 10.5 - shared 1" in log


# Rank 1 fails once rank 0 has printed: it waits for a socket of rank 0's. mpirun would otherwise kill a rank that is still starting.
RANK_1_FAILS = """
import os, socket, sys, time
rank = int(os.environ["OMPI_COMM_WORLD_RANK"])
print("rank", rank, "arguments", sys.argv[1:], flush=True)
met, name = socket.socket(socket.AF_UNIX), "\\0" + os.environ["TRAINING_JOB_NAME"]
if rank == 0:
    met.bind(name)
    met.listen()
    time.sleep(600)
while met.connect_ex(name) != 0:
    time.sleep(0.01)
raise ValueError("bad luck")
"""


@needs_mpi
def test_python_ranks_run_and_an_exception_of_one_ends_all(account):
    name = account.mpi({"train.py": RANK_1_FAILS}, "train.py", {"epochs": 3})
    job = account.end(name)
    log = account.log(name, "algo-1")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: rank 1 on algo-2: exit code: 1") and "ValueError: bad luck" in job["FailureReason"]
    assert "[1,mpirank:0,algo-1]<stdout>:rank 0 arguments ['--epochs', '3']" in log, log  # put together, however it was written


@needs_mpi
@pytest.mark.skipif(subprocess.run(["/usr/bin/python3", "-c", "import mpi4py"], capture_output=True).returncode != 0,
                    reason="mpi4py (python3-mpi4py) is not installed")
def test_mpi4py_where_it_is_installed(make_server):
    """Rank 1 fails before an allreduce that rank 0 is in: without mpi4py's own starter both would wait for ever."""
    server = make_server("--python", "/usr/bin/python3")
    session = boto3.Session(aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"], region_name="us-west-2",
                            aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"])
    account = new_account(lambda service: session.client(service, endpoint_url=server.url))
    program = ("from mpi4py import MPI\nimport sys\nworld = MPI.COMM_WORLD\nprint('sum', world.allreduce(1), flush=True)\n"
               "if 'fail' in sys.argv and world.rank == 1: raise ValueError('bad luck')\nworld.allreduce(1)\n")
    name = account.mpi({"train.py": program}, "train.py")
    job = account.end(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "[1,mpirank:1,algo-2]<stdout>:sum 2" in account.log(name, "algo-1")
    job = account.end(account.mpi({"train.py": program}, "train.py", {"how": "fail"}))
    assert job["TrainingJobStatus"] == "Failed" and "ValueError: bad luck" in job["FailureReason"], job.get("FailureReason")


def test_hosts_without_mpi_run_the_program_each(account):
    program = """
import json, os, time
host = os.environ["SM_CURRENT_HOST"]
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
assert config["current_host"] == host and config["hosts"] == json.loads(os.environ["SM_HOSTS"]) == ["algo-1", "algo-2"]
assert config["network_interface_name"] == os.environ["SM_NETWORK_INTERFACE_NAME"] == "lo"
assert config["instance_groups"] == [{"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large",
                                      "hosts": ["algo-1", "algo-2"]}], config
assert os.uname().nodename == host
cores = os.sched_getaffinity(0)
print(host, "cores", sorted(cores), "files", sorted(os.listdir(os.environ["SM_CHANNEL_TRAIN"])), flush=True)
open(os.environ["SM_MODEL_DIR"] + "/" + host, "w").write(host)
open(os.environ["SM_MODEL_DIR"] + "/shared", "w").write(host)
open(os.environ["SM_OUTPUT_DATA_DIR"] + "/" + host, "w").write(host)
time.sleep(0.3)
"""
    for part in range(3):
        account.s3.put_object(Bucket=account.bucket, Key=f"train/part-{part}", Body=b"x")
    name = account.start({"train.py": program}, "train.py", InputDataConfig=[{
        "ChannelName": "train", "DataSource": {"S3DataSource": {
            "S3DataType": "S3Prefix", "S3Uri": f"s3://{account.bucket}/train/", "S3DataDistributionType": "ShardedByS3Key"}}}])
    job = account.end(name)
    logs = [account.log(name, host) for host in ("algo-1", "algo-2")]
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), logs)
    said = [next(line for line in log if " cores " in line) for log in logs]
    assert said[0].startswith("algo-1") and said[0].endswith("['part-0', 'part-2']"), said
    assert said[1].startswith("algo-2") and said[1].endswith("['part-1']"), said
    cores = [set(json.loads(line.split("cores ")[1].split(" files")[0])) for line in said]
    assert not cores[0] & cores[1], "each host has cores of its own"
    assert account.archive(name) == {"algo-1": "algo-1", "algo-2": "algo-2", "shared": "algo-1"}
    assert account.archive(name, "output") == {"algo-1": "algo-1", "algo-2": "algo-2"}
    assert "[headrace] warning: model.tar.gz: shared: algo-2 has left another file than algo-1, whose is stored" in logs[0], logs[0]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/model.tar.gz")


def test_use_is_measured_host_by_host(account):
    name = account.start({"train.py": "import time\nend = time.time() + 6\nwhile time.time() < end: pass\n"}, "train.py")
    assert account.end(name)["TrainingJobStatus"] == "Completed"
    for host in "algo-1", "algo-2":
        found = account.cloudwatch.list_metrics(Namespace=GROUP, Dimensions=[{"Name": "Host", "Value": f"{name}/{host}"}])
        assert {metric["MetricName"] for metric in found["Metrics"]} >= {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}


def test_one_host_that_fails_ends_the_others(account):
    program = ("import os, sys, time\nprint('up', flush=True)\n"
               "if os.environ['SM_CURRENT_HOST'] == 'algo-2': sys.exit('no luck on algo-2')\ntime.sleep(600)\n")
    began = time.monotonic()
    name = account.start({"train.py": program}, "train.py")
    job = account.end(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: algo-2: exit code: 1"), job["FailureReason"]
    assert "no luck on algo-2" in job["FailureReason"]
    assert time.monotonic() - began < 15


@needs_mpi
@pytest.mark.parametrize("how, said", [("sys.exit(3)", "exit code: 3"), ("os.kill(os.getpid(), 9)", "killed by SIGKILL, exit code: 137")])
def test_one_rank_that_fails_ends_the_job_with_its_name(account, how, said):
    program = ("import os, sys, time\nrank = int(os.environ['OMPI_COMM_WORLD_RANK'])\n"
               "print('last words of', rank, flush=True)\ntime.sleep(0.5)\n"
               f"if rank == 1:\n    {how}\ntime.sleep(600)\n")
    name = account.mpi({"train.py": program}, "train.py")
    job = account.end(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"AlgorithmError: rank 1 on algo-2: {said}"), job["FailureReason"]
    assert "last words of 1" in job["FailureReason"]


@needs_mpi
def test_a_stop_gives_every_rank_its_time(account):
    """Rank 0 saves for three seconds after SIGTERM; rank 1 ends at once. mpirun alone would give rank 0 none of them."""
    program = ("import os, signal, sys, time\nrank = int(os.environ['OMPI_COMM_WORLD_RANK'])\n"
               "def save(*_):\n    time.sleep(3)\n    open('/opt/ml/model/saved', 'w').write('all of it')\n    print('saved', flush=True)\n    sys.exit(0)\n"
               "if rank == 0: signal.signal(signal.SIGTERM, save)\nprint('up', flush=True)\n"
               "while True: time.sleep(0.1)\n")
    name = account.mpi({"train.py": program}, "train.py")
    account.wait_for_line(name, "algo-1", "[1,mpirank:0,algo-1]<stdout>:up")
    account.wait_for_line(name, "algo-1", "[1,mpirank:1,algo-2]<stdout>:up")
    account.sagemaker.stop_training_job(TrainingJobName=name)
    job = account.end(name)
    log = account.log(name, "algo-1")
    assert job["TrainingJobStatus"] == "Stopped", (job.get("FailureReason"), log)
    assert "[1,mpirank:0,algo-1]<stdout>:saved" in log
    assert account.archive(name) == {"saved": "all of it"}


def test_groups_of_instances_have_their_own_types_and_channels(account):
    program = """
import json, os
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
print(os.environ["SM_CURRENT_HOST"], config["current_group_name"], config["current_instance_type"], os.environ["SM_CHANNELS"],
      os.environ["SM_CURRENT_INSTANCE_GROUP_HOSTS"], os.environ["SM_IS_HETERO"], flush=True)
"""
    account.s3.put_object(Bucket=account.bucket, Key="groups/x", Body=b"x")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{account.bucket}/groups/"}
    name = account.start({"train.py": program}, "train.py", ResourceConfig={"VolumeSizeInGB": 1, "InstanceGroups": [
        {"InstanceGroupName": "loaders", "InstanceType": "ml.m5.large", "InstanceCount": 1},
        {"InstanceGroupName": "trainers", "InstanceType": "ml.c5.large", "InstanceCount": 1}]}, InputDataConfig=[
            {"ChannelName": "all", "DataSource": {"S3DataSource": source}},
            {"ChannelName": "some", "DataSource": {"S3DataSource": {**source, "InstanceGroupNames": ["trainers"]}}}])
    job = account.end(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert 'algo-1 loaders ml.m5.large ["all"] ["algo-1"] true' in account.log(name, "algo-1")
    assert 'algo-2 trainers ml.c5.large ["all","some"] ["algo-2"] true' in account.log(name, "algo-2")


@pytest.mark.parametrize("more, said", [
    ({"EnableNetworkIsolation": True}, "could not reach each other"),
    ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 65, "VolumeSizeInGB": 1}}, "less than or equal to 64"),
    ({"ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1, "InstanceGroups": [
        {"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 1}]}}, "together with InstanceGroups"),
    ({"hyperparameters": {"sagemaker_mpi_enabled": True, "sagemaker_mpi_custom_mpi_options": "-H other"}}, "-H"),
])
def test_what_several_instances_cannot_have_is_refused(account, more, said):
    with pytest.raises(account.sagemaker.exceptions.ClientError) as refused:
        account.start({"train.py": ""}, "train.py", **more)
    assert said in str(refused.value)
