"""headrace jobs, logs and metrics against a server with a job, its log and its metric."""
import json
import os
import subprocess
import time
import uuid

import pytest

from platform_fixtures import HEADRACE

GROUP, NAMESPACE = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module")
def job(boto):
    s3, name = boto("s3"), f"commands-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    boto("sagemaker").create_training_job(
        TrainingJobName=name, RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": f"s3://{name}/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/true"]},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}, StoppingCondition={"MaxRuntimeInSeconds": 600})
    logs = boto("logs")
    try:
        logs.create_log_group(logGroupName=GROUP)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    stream = {"logGroupName": GROUP, "logStreamName": f"{name}/algo-9-1"}
    logs.create_log_stream(**stream)
    logs.put_log_events(**stream, logEvents=[{"timestamp": int(time.time() * 1000), "message": "epoch 1 loss: 0.5"}])
    boto("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[
        {"MetricName": "train:loss", "Dimensions": [{"Name": "TrainingJobName", "Value": name}], "Value": 0.5}])
    return name


def test_jobs(server, job):
    assert job in [one["TrainingJobName"] for one in json.loads(server.headrace("jobs", "list", "-o", "json").stdout)]
    described = json.loads(server.headrace("jobs", "describe", job, "-o", "json").stdout)
    assert described["TrainingJobName"] == job
    assert server.headrace("jobs", "describe", job).stdout.startswith(f"{job}  {described['TrainingJobStatus'][:4]}")


def test_logs(server, job):
    assert "epoch 1 loss: 0.5" in server.headrace("logs", job).stdout.splitlines()


def test_metrics(server, job):
    results = json.loads(server.headrace("metrics", job, "-o", "json").stdout)
    assert {result["Label"]: result["Values"] for result in results}["train:loss"] == [0.5]


def test_what_is_not_there(server):
    for command in (("jobs", "describe"), ("jobs", "stop"), ("logs",), ("metrics",)):
        refused = server.headrace(*command, "absent", check=False)
        assert refused.returncode == 1 and "Requested resource not found." in refused.stderr


def test_run_compiles_once_and_hands_arguments_and_exit_codes_on(server, tmp_path):
    program = tmp_path / "program.cpp"
    program.write_text("#include <cstdio>\n#include \"headrace/data.h\"\n"
                       "int main(int argc, char** argv) { std::printf(\"%d %s\\n\", argc, argv[1]); return 3; }\n")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def run():
        return subprocess.run([HEADRACE, "run", program, "--epochs"], capture_output=True, text=True, env=environment)
    first, second = run(), run()
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) == (3, "2 --epochs\n")
    assert len([path for path in (tmp_path / "cache").rglob("program") if path.is_file()]) == 1
    program.write_text("int main() { return missing; }\n")
    wrong = run()
    assert wrong.returncode != 0 and "was not declared in this scope" in wrong.stderr
