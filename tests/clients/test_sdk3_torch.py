"""SDK v3 on several instances with torchrun, on a platform whose Python has PyTorch."""
import os
import time

import pytest

import platform_fixtures

pytest.importorskip("sagemaker.train")

TORCH = platform_fixtures.ROOT / "build/venv/torch/bin/python"
if not TORCH.exists():
    pytest.skip(f"there is no {TORCH} (scripts/setup --python)", allow_module_level=True)

PROGRAM = """
import os
import torch
import torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([dist.get_rank() + 1.0])
dist.all_reduce(total)
print(f"rank {dist.get_rank()} of {dist.get_world_size()} on {os.environ['SM_CURRENT_HOST']}: {total.item()}", flush=True)
dist.destroy_process_group()
"""


@pytest.fixture(scope="session")
def server(make_server):
    server = make_server("--python", str(TORCH))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(server.client_environment())
    return server


@pytest.mark.parity("`Compute(instance_count=2)` with `distributed=Torchrun(…)`", sdk=3)
def test_two_instances_with_the_sdks_own_driver(server, boto, tmp_path):
    """torchrun comes with the interpreter. The driver has the hosts of every job meet at algo-1:7777; two jobs do not meet each other's."""
    from sagemaker.core.helper.session_helper import Session, get_execution_role
    from sagemaker.core.training.configs import Compute, SourceCode
    from sagemaker.train import ModelTrainer
    from sagemaker.train.distributed import Torchrun

    (tmp_path / "train.py").write_text(PROGRAM)
    names = []
    for _ in range(2):
        trainer = ModelTrainer(
            sagemaker_session=Session(), role=get_execution_role(), base_job_name="torchrun-v3",
            training_image="763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training:2.5.1-cpu-py311",
            source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.large", instance_count=2, volume_size_in_gb=1),
            distributed=Torchrun(process_count_per_node=1))
        trainer.train(wait=False, logs=False)
        names.append(trainer._latest_training_job.training_job_name)
    for name in names:
        job, log = ended(boto, name)
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log)
        for rank in 0, 1:
            assert f"rank {rank} of 2 on algo-{rank + 1}: 3.0" in log, log


def ended(boto, name):
    deadline = time.monotonic() + 240
    while (job := boto("sagemaker").describe_training_job(TrainingJobName=name))["TrainingJobStatus"] == "InProgress":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    events = boto("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")["events"]
    return job, "\n".join(event["message"] for event in events)
