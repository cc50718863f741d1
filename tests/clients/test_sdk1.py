"""The seed's notebook with its own SageMaker Python SDK (v1.72), unmodified but for the entry point's file ending."""
import datetime
import io
import re
import shutil
import tarfile
import time
from contextlib import redirect_stdout

import pytest

import evaluation
import seed

sagemaker = pytest.importorskip("sagemaker")
if not sagemaker.__version__.startswith("1."):
    pytest.skip("the story of SDK v1; other environments run their own", allow_module_level=True)


@pytest.fixture(scope="module")
def story(server, cifar10):
    """The cells up to and with the first fit(); later tests read what it left."""
    from sagemaker import get_execution_role
    from sagemaker.tensorflow import TensorFlow

    session = sagemaker.Session()
    role = get_execution_role()
    bucket = session.default_bucket()
    sagemaker.s3.S3Uploader.upload(str(cifar10), f"s3://{bucket}/{seed.PREFIX}/data")

    estimator = TensorFlow(
        base_job_name="cifar10-tf", entry_point="keras_cifar10.cpp", source_dir=str(seed.SOURCE_DIR), role=role,
        framework_version="1.15.2", py_version="py3", hyperparameters=dict(seed.COMPARABLE),
        train_instance_count=1, train_instance_type="ml.p3.2xlarge", tags=seed.TAGS,
        metric_definitions=seed.METRIC_DEFINITIONS)
    printed = io.StringIO()
    with redirect_stdout(printed):
        estimator.fit(inputs_of(bucket))
    return session, role, bucket, estimator, printed.getvalue()


def inputs_of(bucket):
    return {name: f"s3://{bucket}/{seed.PREFIX}/data/{name}" for name in ("train", "validation", "eval")}


@pytest.fixture(scope="module")
def piped(story, boto):
    """The notebook's second estimator: input_mode='Pipe'. Its job starts here, and is over soon: fit() itself looks only
    every thirty seconds."""
    from sagemaker.tensorflow import TensorFlow

    _, role, bucket, *_ = story
    estimator = TensorFlow(
        base_job_name="pipe-cifar10-tf", entry_point="keras_cifar10.cpp", source_dir=str(seed.SOURCE_DIR), role=role,
        framework_version="1.15.2", py_version="py3", hyperparameters=dict(seed.COMPARABLE),
        train_instance_count=1, train_instance_type="ml.p3.2xlarge", input_mode="Pipe",
        tags=[{"Key": "Project", "Value": "cifar10"}, {"Key": "TensorBoard", "Value": "pipe"}],
        metric_definitions=seed.METRIC_DEFINITIONS)
    estimator.fit(inputs_of(bucket), wait=False)
    wait_for_end(boto, estimator)
    printed = io.StringIO()
    with redirect_stdout(printed):
        estimator.latest_training_job.wait()  # as fit() does; raises unless it is Completed
    return estimator, printed.getvalue()


def describe(boto, estimator):
    return boto("sagemaker").describe_training_job(TrainingJobName=estimator.latest_training_job.name)


def wait_for_end(boto, estimator):
    """fit() itself looks only every thirty seconds."""
    deadline = time.monotonic() + 600
    while (job := describe(boto, estimator))["TrainingJobStatus"] == "InProgress" and time.monotonic() < deadline:
        time.sleep(0.2)
    return job


@pytest.mark.parity("`Session`, `default_bucket()`, `get_execution_role()`")
def test_session_finds_role_and_bucket(story, boto):
    session, role, bucket, *_ = story
    account = boto("sts").get_caller_identity()["Account"]
    assert bucket == f"sagemaker-{session.boto_region_name}-{account}"
    assert role.startswith(f"arn:aws:iam::{account}:role/")


@pytest.mark.parity("`S3Uploader`", "`TensorFlow(…).fit()` with the log")
def test_fit_streams_the_log(story):
    printed = story[4]
    assert "Epoch 1/2" in printed
    assert "val_accuracy" in printed
    assert "Training seconds:" in printed and "Billable seconds:" in printed
    assert "Completed - Training job completed" in printed


@pytest.mark.parity("`latest_training_job`, status transitions, final metrics")
def test_the_job_is_described(story, boto):
    _, role, bucket, estimator, _ = story
    job = boto("sagemaker").describe_training_job(TrainingJobName=estimator.latest_training_job.name)
    assert job["TrainingJobStatus"] == "Completed"
    assert job["RoleArn"] == role
    assert job["HyperParameters"]["epochs"] == "2"
    statuses = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{bucket}/")
    final = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert set(final) == set(seed.METRIC_NAMES)
    assert 0 < final["validation:accuracy"] < 1 and final["sec/steps"] > 0


@pytest.mark.parity("`metric_definitions` in CloudWatch")
def test_the_five_metrics_are_in_cloudwatch(story, boto):
    estimator = story[3]
    now = datetime.datetime.now(datetime.timezone.utc)
    queries = [{"Id": f"m{i}", "MetricStat": {
        "Metric": {"Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": name,
                   "Dimensions": [{"Name": "TrainingJobName", "Value": estimator.latest_training_job.name}]},
        "Period": 60, "Stat": "SampleCount"}} for i, name in enumerate(seed.METRIC_NAMES)]
    results = boto("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1))
    counts = {result["Id"]: sum(result["Values"]) for result in results["MetricDataResults"]}
    epochs = seed.HYPERPARAMETERS["epochs"]
    assert all(counts[f"m{i}"] >= epochs for i in range(5)), counts
    assert counts["m2"] == counts["m3"] == counts["m4"] == epochs  # those of an epoch's last line


def test_the_consoles_metrics_link_has_data(story, boto):
    """The notebook's link opens a graph of SEARCH expressions over the job's name."""
    name = story[3].latest_training_job.name
    now = datetime.datetime.now(datetime.timezone.utc)
    results = boto("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "e1", "Expression":
                            "SEARCH('{/aws/sagemaker/TrainingJobs,TrainingJobName} TrainingJobName=\"%s\"', 'Average', 60)" % name}],
        StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1))
    assert len(results["MetricDataResults"]) == 5
    assert all(result["Values"] for result in results["MetricDataResults"])


def test_the_model_is_a_saved_model(story, boto):
    artifacts = boto("sagemaker").describe_training_job(
        TrainingJobName=story[3].latest_training_job.name)["ModelArtifacts"]["S3ModelArtifacts"]
    bucket, key = artifacts[len("s3://"):].split("/", 1)
    body = boto("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert any(name.lstrip("./") == "1/saved_model.pb" for name in archive.getnames())


@pytest.mark.parity("`tags=`")
def test_tags_and_listing(story, boto):
    name = story[3].latest_training_job.name
    listed = boto("sagemaker").list_training_jobs(NameContains="cifar10-tf")["TrainingJobSummaries"]
    arn = next(job["TrainingJobArn"] for job in listed if job["TrainingJobName"] == name)
    assert {tag["Key"]: tag["Value"] for tag in boto("sagemaker").list_tags(ResourceArn=arn)["Tags"]}["Project"] == "cifar10"


@pytest.mark.parity("`TensorFlow.attach()`")
def test_attach_finds_the_job_again(story):
    from sagemaker.tensorflow import TensorFlow
    attached = TensorFlow.attach(story[3].latest_training_job.name)
    assert attached.hyperparameters()["epochs"] == "2"


def curve(printed):
    """Losses and accuracies of the log, in order: of training, of validation and of the test at the end."""
    return re.findall(r"(?:val_)?(?:loss|accuracy): [0-9.]+", "\n".join(
        line for line in printed.splitlines() if "val_loss" in line or "Test " in line))


@pytest.mark.parity("`input_mode='Pipe'`")
def test_the_pipe_job_learns_what_the_file_job_learns(story, piped, boto):
    """The same seed and algorithms, the same bytes in the same order: not a digit differs."""
    job = describe(boto, piped[0])
    assert job["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    assert "channel train: " in piped[1] and "epochs streamed" in piped[1]
    of_pipes, of_files = curve(piped[1]), curve(story[4])
    assert len(of_files) == 4 * seed.HYPERPARAMETERS["epochs"] + 2
    assert of_pipes == of_files
    final = [{metric["MetricName"]: metric["Value"] for metric in one["FinalMetricDataList"] if metric["MetricName"] != "sec/steps"}
             for one in (job, describe(boto, story[3]))]
    assert set(final[0]) == set(seed.METRIC_NAMES) - {"sec/steps"}
    assert final[0] == final[1]


@pytest.mark.parity("`deploy()`, `predict()`, `delete_endpoint()`")
def test_deploy_predict_evaluate_delete(story, boto, cifar10, tmp_path):
    """The notebook's last cells: an endpoint, one random image, the test set, its accuracy and confusion matrix."""
    import numpy as np

    estimator = story[3]
    predictor = estimator.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
    scores = predictor.predict(np.random.randn(1, 32, 32, 3))["predictions"]
    assert len(scores) == 1 and len(scores[0]) == evaluation.CLASSES and abs(sum(scores[0]) - 1) < 1e-3

    images, labels = evaluation.read_examples(cifar10 / "eval/eval.tfrecords")
    accuracy, matrix = evaluation.evaluate(predictor, images, labels)
    own = evaluation.headrace_evaluate(boto, estimator.model_data, cifar10 / "eval/eval.tfrecords", tmp_path)
    assert accuracy == pytest.approx(own["accuracy"]) and matrix.tolist() == own["confusion_matrix"]

    name = predictor.endpoint
    predictor.delete_endpoint()
    listed = [endpoint["EndpointName"] for endpoint in boto("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
              if endpoint["EndpointStatus"] != "Deleting"]
    assert listed == []


@pytest.mark.parity("`transformer()`, `transform()`")
def test_batch_transform(story, boto, tmp_path):
    """transformer(), transform() and wait() with the log: whole images in, predictions out."""
    import json

    import numpy as np

    session, _, bucket, estimator, _ = story
    images = np.random.default_rng(1).normal(size=(6, 32, 32, 3)).round(3)
    for i in range(2):
        (tmp_path / f"{i}.json").write_text(json.dumps(images[3 * i:3 * i + 3].tolist()))
    source = sagemaker.s3.S3Uploader.upload(str(tmp_path), f"s3://{bucket}/{seed.PREFIX}/transform")
    transformer = estimator.transformer(instance_count=1, instance_type="ml.m4.xlarge", max_concurrent_transforms=2, max_payload=10,
                                        env={"SAGEMAKER_TFS_NUM_BATCH_THREADS": "1"}, tags=seed.TAGS)
    transformer.transform(source, content_type="application/json")
    printed = io.StringIO()
    with redirect_stdout(printed):
        transformer.wait(logs=False)
        session.logs_for_transform_job(transformer.latest_transform_job.name, wait=False)
    assert "available" in printed.getvalue()
    described = boto("sagemaker").describe_transform_job(TransformJobName=transformer.latest_transform_job.name)
    assert described["TransformJobStatus"] == "Completed" and described["Environment"]["SAGEMAKER_TFS_NUM_BATCH_THREADS"] == "1"
    assert transformer.output_path == f"s3://{bucket}/{transformer.latest_transform_job.name}"
    for i in range(2):
        output = sagemaker.s3.S3Downloader.read_file(f"{transformer.output_path}/{i}.json.out")
        scores = json.loads(output)["predictions"]
        assert len(scores) == 3 and all(len(row) == evaluation.CLASSES and abs(sum(row) - 1) < 1e-3 for row in scores)
    transformer.delete_model()


@pytest.mark.parity("Horovod: `distribution(s)={'mpi': …}` on two instances")
def test_the_third_job_learns_on_two_instances(story, boto):
    """The notebook's distributions={'mpi': …}: the same script, a rank on each instance."""
    from sagemaker.tensorflow import TensorFlow

    if shutil.which("mpirun") is None:
        pytest.skip("Open MPI (openmpi-bin) is not installed")
    _, role, bucket, *_ = story
    estimator = TensorFlow(
        base_job_name="dist-cifar10-tf", entry_point="keras_cifar10.cpp", source_dir=str(seed.SOURCE_DIR), role=role,
        framework_version="1.15.2", py_version="py3", hyperparameters=dict(seed.COMPARABLE),
        train_instance_count=2, train_instance_type="ml.p3.2xlarge",
        tags=[{"Key": "Project", "Value": "cifar10"}, {"Key": "TensorBoard", "Value": "dist"}],
        metric_definitions=seed.METRIC_DEFINITIONS, distributions={"mpi": {"enabled": True, "processes_per_host": 1}})
    estimator.fit(inputs_of(bucket), wait=False)
    job = wait_for_end(boto, estimator)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ResourceConfig"]["InstanceCount"] == 2
    assert {"train:loss", "validation:accuracy"} <= {metric["MetricName"] for metric in job["FinalMetricDataList"]}
    printed = io.StringIO()
    with redirect_stdout(printed):
        sagemaker.Session().logs_for_job(estimator.latest_training_job.name, wait=True)
    assert "[1,mpirank:0,algo-1]<stdout>:Epoch 1/2" in printed.getvalue()
    assert "[1,mpirank:1,algo-2]<stdout>:Epoch" not in printed.getvalue(), "one rank speaks for all"
