"""Jobs of several instances that a framework's own means distribute: the SDKs' torch_distributed, pytorchddp, parameter_server and
multi_worker_mirrored_strategy, with boto3."""
import os
import pathlib
import sys

import pytest

from platform_fixtures import ROOT
sys.path.insert(0, str(ROOT / "tests/scenario"))
from distributed import Account  # noqa: E402

ENVIRONMENTS = pathlib.Path(os.environ.get("HEADRACE_ENVIRONMENTS", ROOT / "build/venv"))
TENSORFLOW, TORCH = ENVIRONMENTS / "tensorflow/bin/python", ENVIRONMENTS / "torch/bin/python"
needs_tensorflow = pytest.mark.skipif(not TENSORFLOW.exists(), reason="the environment with TensorFlow is not there (scripts/setup --python)")
needs_torch = pytest.mark.skipif(not TORCH.exists(), reason="the environment with PyTorch is not there (scripts/setup --peers)")


@pytest.fixture(scope="module")
def account(make_server, tmp_path_factory):
    """A server that knows TensorFlow and PyTorch where they are here, and has a default Python with neither."""
    import boto3
    server = make_server("--python", "/usr/bin/python3")
    session = boto3.Session(aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"], region_name="us-west-2",
                            aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"])
    bucket = f"rendezvous-{os.getpid()}"
    session.client("s3", endpoint_url=server.url).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    for framework, interpreter in [("tensorflow", TENSORFLOW), ("pytorch", TORCH)]:
        if interpreter.exists():
            server.headrace("python", "add", framework, "--interpreter", interpreter, "--data-dir", server.directory)
    return Account(lambda service: session.client(service, endpoint_url=server.url), bucket)


def run(account, program, distribution, image, hosts=2, **more):
    name = account.start({"train.py": program}, "train.py", hosts=hosts,
                         AlgorithmSpecification={"TrainingImage": f"763104351884.dkr.ecr.us-west-2.amazonaws.com/{image}", "TrainingInputMode": "File"},
                         hyperparameters={f"sagemaker_{distribution}_enabled": True, "sagemaker_instance_type": "ml.m5.large"}, **more)
    job = account.end(name, 180)
    return job, [account.log(name, f"algo-{number}") for number in range(1, hosts + 1)]


def completed(*arguments, **more):
    job, logs = run(*arguments, **more)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), logs)
    return logs


# What is at MASTER_ADDR and MASTER_PORT, without PyTorch: rank 0 adds what the others send.
CONTRACT = """
import os, socket, sys, time
rank, world, master = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
assert os.environ["LOCAL_RANK"] == "0" and os.environ["NODE_RANK"] == str(rank) and os.environ["SM_CURRENT_HOST"] == "algo-%d" % (rank + 1)
if rank == 0:
    door = socket.create_server(master)
    total = 0
    for _ in range(world - 1):
        with door.accept()[0] as peer:
            total += int(peer.recv(16))
    print("sum", total, flush=True)
else:
    while True:
        try:
            with socket.create_connection(master) as peer:
                peer.send(b"%d" % rank)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
"""
# A package of this name is all that is looked for.
STAND_IN = {"torch/__init__.py": "__version__ = '2.3.0'\n"}


def contract_job(account, hosts):
    return account.start({"train.py": CONTRACT, **STAND_IN}, "train.py", hosts=hosts,
                         hyperparameters={"sagemaker_torch_distributed_enabled": True})


def test_ranks_meet_at_the_masters_port(account):
    """Two jobs at once, on the same loopback, do not meet each other's."""
    names = [contract_job(account, 2), contract_job(account, 2)]
    for name in names:
        job = account.end(name, 120)
        log = account.log(name, "algo-1")
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
        assert "sum 1" in log, log


def test_a_job_that_cannot_be_distributed_says_why(account):
    job, _ = run(account, "print('ran')\n", "torch_distributed", "any:latest")
    assert job["TrainingJobStatus"] == "Failed"
    assert "sagemaker_torch_distributed_enabled: the Python that runs has no torch" in job["FailureReason"], job["FailureReason"]
    assert "headrace python add pytorch" in job["FailureReason"]


TORCH_PROGRAM = """
import os, sys, torch, torch.distributed as distributed
distributed.init_process_group("gloo")
rank = distributed.get_rank()
if "fail" in sys.argv and rank == 1: raise ValueError("bad luck")
value = torch.tensor([rank + 1.0])
distributed.all_reduce(value)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
loss = model(torch.ones(4, 2)).sum()
loss.backward()
print("rank", rank, "of", distributed.get_world_size(), "sum", value.item(), "launched", distributed.is_torchelastic_launched(), flush=True)
distributed.barrier()
distributed.destroy_process_group()
# DistributedDataParallel keeps the group, and with it Gloo's threads, past destroy_process_group(). A thread of Gloo's that frees a
# tensor while Python takes itself apart aborts the process (pytorch/pytorch#190489), so Python is not taken apart here.
os._exit(0)
"""


@needs_torch
def test_pytorchs_process_group_spans_the_hosts(account):
    logs = completed(account, TORCH_PROGRAM, "pytorch_ddp", "pytorch-training:2.3-cpu-py311")
    for rank, log in enumerate(logs):
        assert f"rank {rank} of 2 sum 3.0 launched True" in log, log


@needs_torch
def test_a_failed_rank_ends_the_job_with_its_host(account):
    name = account.start({"train.py": TORCH_PROGRAM}, "train.py",
                         AlgorithmSpecification={"TrainingImage": "pytorch-training:2.3-cpu-py311", "TrainingInputMode": "File"},
                         hyperparameters={"sagemaker_torch_distributed_enabled": True, "how": "fail"})
    job = account.end(name, 120)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: algo-2: exit code: 1") and "ValueError: bad luck" in job["FailureReason"], job


@needs_tensorflow
def test_mirrored_workers_train_one_model(account):
    logs = completed(account, """
import json, os
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
task = json.loads(os.environ["TF_CONFIG"])["task"]
with strategy.scope():
    total = strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(lambda: tf.constant(task["index"] + 1.0)), axis=None)
print("worker", task["index"], "of", strategy.num_replicas_in_sync, "sum", float(total), flush=True)
""", "multi_worker_mirrored_strategy", "tensorflow-training:2.14.1-cpu-py310")
    for index, log in enumerate(logs):
        assert f"worker {index} of 2 sum 3.0" in log, log


@needs_tensorflow
def test_parameter_servers_hold_what_master_and_worker_add(account):
    """TensorFlow 1's way: each host has a server of parameters, the first one is the master."""
    logs = completed(account, """
import json, os, time
import tensorflow as tf
tf = tf.compat.v1
tf.disable_eager_execution()
config = json.loads(os.environ["TF_CONFIG"])
cluster, task = tf.train.ClusterSpec(config["cluster"]), config["task"]
server = tf.train.Server(cluster, job_name=task["type"], task_index=task["index"])
with tf.device("/job:ps/task:1"):
    count = tf.get_variable("count", initializer=tf.constant(0.0))
add = count.assign_add(1.0)
master = "grpc://" + config["cluster"]["ps"][1]
with tf.Session(master) as session:
    if task["type"] == "master":
        session.run(count.initializer)
    while session.run(tf.report_uninitialized_variables([count])).size:
        time.sleep(0.1)
    session.run(add)
    while session.run(count) < 2:
        time.sleep(0.1)
print(task["type"], "saw", 2, flush=True)
""", "parameter_server", "tensorflow-training:1.15.2-cpu-py3")
    assert "master saw 2" in logs[0] and "worker saw 2" in logs[1], logs


def test_a_stop_gives_every_host_its_grace(account):
    program = CONTRACT.replace("import os", "import signal, os", 1) + """
def stop(*_):
    time.sleep(1)
    open(os.environ["SM_MODEL_DIR"] + "/saved-%d" % rank, "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("waits for its end", flush=True)
time.sleep(600)
"""
    name = account.start({"train.py": program, **STAND_IN}, "train.py", hyperparameters={"sagemaker_torch_distributed_enabled": True})
    for host in ("algo-1", "algo-2"):
        account.wait_for_line(name, host, "waits for its end")
    account.sagemaker.stop_training_job(TrainingJobName=name)
    job = account.end(name)
    assert job["TrainingJobStatus"] == "Stopped", job
    assert account.archive(name) == {"saved-0": "saved", "saved-1": "saved"}
