"""headrace jobs, logs and metrics against a server with a job, its log and its metric."""
import json
import os
import subprocess
import time
import uuid

import pytest

from platform_fixtures import HEADRACE
from seed import METRIC_DEFINITIONS

GROUP, NAMESPACE = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module")
def job(boto):
    s3, name = boto("s3"), f"commands-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    boto("sagemaker").create_training_job(
        TrainingJobName=name, RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": f"s3://{name}/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/true"],
                                "MetricDefinitions": [{"Name": "train:loss", "Regex": "loss: ([0-9.]+)"}]},
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


# What keras_cifar10 has printed in a job; the last epoch's line redrawn, as on a terminal.
TRAINING_LOG = """\
Epoch 1/3
 1/25 [>.............................] - ETA: 3s - loss: 3.1406 - accuracy: 0.0938
25/25 [==============================] - 2s 66ms/step - loss: 2.8487 - accuracy: 0.1694 - val_loss: 7.5822 - val_accuracy: 0.0755 - lr: 0.0010
Epoch 2/3
25/25 [==============================] - 1s 50ms/step - loss: 2.2153 - accuracy: 0.2037 - val_loss: 2.4737 - val_accuracy: 0.1172 - lr: 0.0010
Epoch 3/3
\r13/25 [==============>...............] - ETA: 0s - loss: 2.1 - accuracy: 0.2\r\
25/25 [==============================] - 1s 51ms/step - loss: 2.0414 - accuracy: 0.2412 - val_loss: 2.1272 - val_accuracy: 0.2135 - lr: 0.0010
Test loss: 2.1389
Test accuracy: 0.2075
[headrace] metric train:loss: 4 values
"""


def dry_run(definitions, log, tmp_path, *more):
    (tmp_path / "definitions.json").write_text(json.dumps(definitions))
    return subprocess.run([HEADRACE, "metrics", "--definitions", tmp_path / "definitions.json", "--log", "-", *more],
                          input=log, capture_output=True, text=True)


def test_the_notebooks_definitions_in_a_dry_run(tmp_path):
    ran = dry_run(METRIC_DEFINITIONS, TRAINING_LOG, tmp_path, "-o", "json")
    assert ran.returncode == 0, ran.stderr
    found = {one["name"]: (one["values"], one["first"], one["last"]) for one in json.loads(ran.stdout)["definitions"]}
    assert found == {"train:loss": (4, 3.1406, 2.0414), "train:accuracy": (4, 0.0938, 0.2412), "validation:accuracy": (3, 0.0755, 0.2135),
                     "validation:loss": (3, 7.5822, 2.1272), "sec/steps": (3, 66, 51)}


def test_a_dry_run_says_what_is_wrong(tmp_path):
    definitions = [{"Name": "loss", "Regex": r"loss: ([0-9\.]+)"}, {"Name": "seconds", "Regex": r" - (\\d+)s "}]
    ran = dry_run(definitions, TRAINING_LOG, tmp_path)
    assert ran.returncode == 1 and "1 of 2 metric definitions found no value" in ran.stderr
    assert r"with one each (' - (\d+)s ') 3 lines would have given a value" in ran.stdout
    ran = dry_run([{"name": "loss", "regex": "loss: (.*)"}], TRAINING_LOG, tmp_path)
    assert ran.returncode == 2 and "MetricDefinitions[0]: found the key 'name', wanted 'Name'" in ran.stderr
    ran = dry_run({"AlgorithmSpecification": {"metric_definitons": definitions}}, TRAINING_LOG, tmp_path)
    assert ran.returncode == 2 and "found the key 'metric_definitons', wanted 'MetricDefinitions'" in ran.stderr


def test_a_dry_run_on_a_job(server, job, tmp_path):
    """Other definitions on a job's log, and the job's own on it."""
    (tmp_path / "definitions.json").write_text(json.dumps([{"Name": "loss", "Regex": "loss: ([0-9.]+)"}]))
    ran = server.headrace("metrics", job, "--definitions", str(tmp_path / "definitions.json"), "-o", "json")
    assert json.loads(ran.stdout)["definitions"][0]["last"] == 0.5
    ran = server.headrace("metrics", job, "--check", "-o", "json")
    report = json.loads(ran.stdout)
    assert [(one["name"], one["values"]) for one in report["definitions"]] == [("train:loss", 1)] and report["lines"] >= 1
