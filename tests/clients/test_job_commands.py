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
    # Two looks at a job that runs may see two statuses.
    boto("sagemaker").get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig={"Delay": 1})
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


LOG_OF_TWO_EPOCHS = [(0, "Epoch 1/2"), (3000, "25/25 [====] - 3s 100ms/step - loss: 1.5"), (3000, "Epoch 2/2"),
                     (4000, "25/25 [====] - 1s 40ms/step - loss: 0.5"), (4200, "5/5 [====] - 0s 1ms/step")]


def ended_job(boto, name, log, losses, **hyperparameters):
    """A job that has ended, with this log and one value of train:loss a second."""
    sagemaker, s3 = boto("sagemaker"), boto("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    sagemaker.create_training_job(
        TrainingJobName=name, RoleArn="arn:aws:iam::123456789012:role/MyRole", OutputDataConfig={"S3OutputPath": f"s3://{name}/out"},
        AlgorithmSpecification={"TrainingImage": "headrace", "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/true"]},
        HyperParameters=hyperparameters, StoppingCondition={"MaxRuntimeInSeconds": 600},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1})
    deadline = time.monotonic() + 60
    while (described := sagemaker.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] != "Completed":
        assert described["TrainingJobStatus"] == "InProgress" and time.monotonic() < deadline, described
        time.sleep(0.05)
    created = int(described["CreationTime"].timestamp() * 1000)
    stream = {"logGroupName": GROUP, "logStreamName": f"{name}/algo-1-1"}
    boto("logs").create_log_stream(**stream)
    boto("logs").put_log_events(**stream, logEvents=[{"timestamp": created + 2000 + at, "message": line} for at, line in log])
    boto("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[
        {"MetricName": "train:loss", "Dimensions": [{"Name": "TrainingJobName", "Value": name}], "Value": loss, "StorageResolution": 1,
         "Timestamp": created / 1000 + second + 1} for second, loss in enumerate(losses)])
    return name


@pytest.fixture(scope="module")
def ended_jobs(boto):
    suffix = uuid.uuid4()
    return [ended_job(boto, f"fast-{suffix}", LOG_OF_TWO_EPOCHS, [2, 1, 0.5], **{"batch-size": "256"}),
            ended_job(boto, f"silent-{suffix}", [(0, "hello")], [2, 1.5])]


def test_compare(server, ended_jobs, tmp_path):
    prices, picture = ("--instance-prices", "ml.m5.large=3600"), tmp_path / "jobs.svg"
    shown = json.loads(server.headrace("jobs", "compare", *ended_jobs, *prices, "--picture", str(picture), "-o", "json").stdout)
    fast, silent = shown["jobs"]
    assert [fast["name"], silent["name"]] == ended_jobs and fast["status"] == "Completed" and fast["instances"] == "1 x ml.m5.large"
    assert (fast["first_step_seconds"], fast["epochs_seconds"], fast["epoch_seconds"]) == (pytest.approx(2, abs=0.01), [3, 1], 2)
    assert fast["images_per_second"] == pytest.approx(256 / 0.07)
    assert fast["images_per_second_source"] == "log: Keras's time a step; hyperparameter batch-size x 1 rank"
    assert fast["billable_seconds"] >= 1 and fast["cost"] == fast["billable_seconds"]
    assert silent["images_per_second"] is None and silent["epoch_seconds"] is None and silent["epochs_seconds"] == []
    assert silent["first_step_seconds_source"] == "metric: the first train:loss"
    curves = {curve["job"]: curve["values"] for curve in shown["curves"] if curve["metric"] == "train:loss"}
    assert curves == {ended_jobs[0]: [2, 1, 0.5], ended_jobs[1]: [2, 1.5]}
    assert "</svg>" in picture.read_text()


def test_compare_for_people(server, ended_jobs, tmp_path):
    picture = tmp_path / "jobs.png"
    text = server.headrace("jobs", "compare", *ended_jobs, "--picture", str(picture)).stdout
    assert "images/s" in text and "3657" in text and "cost: no price: the setting instance-prices is empty" in text
    assert "train:loss" in text.splitlines() and any("\u2800" < character <= "\u28ff" for character in text)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_compare_refuses(server, ended_jobs):
    for arguments, code, said in ((["absent"], 1, "Requested resource not found."), ([ended_jobs[0], "--picture", "jobs.gif"], 2, ".svg or .png"),
                                  ([ended_jobs[0], "--instance-prices", "ml.m5.large"], 1, "instance-prices: found 'ml.m5.large'")):
        refused = server.headrace("jobs", "compare", *arguments, check=False)
        assert refused.returncode == code and said in refused.stderr


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
