"""The same story with the last SageMaker Python SDK v2; the notebook's v1 keyword names still work there."""
import pathlib
import shutil
import sys
import time

import pytest

import evaluation
import seed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from distributed import MPI_PROGRAM  # noqa: E402

sagemaker = pytest.importorskip("sagemaker")
if not getattr(sagemaker, "__version__", "3").startswith("2."):
    pytest.skip("the story of SDK v2; other environments run their own", allow_module_level=True)


@pytest.fixture(scope="module")
def story(server, cifar10):
    from sagemaker import get_execution_role
    from sagemaker.s3 import S3Uploader
    from sagemaker.tensorflow import TensorFlow

    session = sagemaker.Session()
    dataset_uri = S3Uploader.upload(str(cifar10), f"s3://{session.default_bucket()}/{seed.PREFIX}/data")
    estimator = TensorFlow(
        base_job_name="cifar10-tf", entry_point="keras_cifar10.cpp", source_dir=str(seed.SOURCE_DIR),
        role=get_execution_role(), framework_version="1.15.2", py_version="py3",
        hyperparameters=dict(seed.HYPERPARAMETERS), instance_count=1, instance_type="ml.m5.xlarge", tags=seed.TAGS,
        metric_definitions=seed.METRIC_DEFINITIONS)
    estimator.fit({name: f"{dataset_uri}/{name}" for name in ("train", "validation", "eval")})
    return session, estimator


@pytest.mark.parity(
    "`Session`, `default_bucket()`, `get_execution_role()`",
    "`S3Uploader`",
    "`TensorFlow(…).fit()` with the log",
    "`latest_training_job`, status transitions, final metrics",
    "`tags=`")
def test_fit_completes(story, boto):
    job = boto("sagemaker").describe_training_job(TrainingJobName=story[1].latest_training_job.name)
    assert job["TrainingJobStatus"] == "Completed"
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} == set(seed.METRIC_NAMES)


@pytest.mark.parity("`input_mode='Pipe'`")
def test_the_pipe_estimator_completes(story, boto):
    from sagemaker.tensorflow import TensorFlow
    estimator = TensorFlow(
        base_job_name="pipe-cifar10-tf", entry_point="keras_cifar10.cpp", source_dir=str(seed.SOURCE_DIR), role=story[1].role,
        framework_version="1.15.2", py_version="py3", hyperparameters=dict(seed.COMPARABLE), instance_count=1,
        instance_type="ml.m5.xlarge", input_mode="Pipe", metric_definitions=seed.METRIC_DEFINITIONS)
    bucket = story[0].default_bucket()
    estimator.fit({name: f"s3://{bucket}/{seed.PREFIX}/data/{name}" for name in ("train", "validation", "eval")}, wait=False)
    deadline = time.monotonic() + 600
    def job(): return boto("sagemaker").describe_training_job(TrainingJobName=estimator.latest_training_job.name)
    while job()["TrainingJobStatus"] == "InProgress" and time.monotonic() < deadline:
        time.sleep(0.5)  # fit() itself looks only every thirty seconds
    assert job()["TrainingJobStatus"] == "Completed", job().get("FailureReason")
    assert job()["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    assert {metric["MetricName"] for metric in job()["FinalMetricDataList"]} >= {"train:loss", "validation:accuracy"}


@pytest.mark.parity("`metric_definitions` in CloudWatch", "`training_job_analytics`")
def test_analytics_reads_the_metrics(story):
    frame = story[1].training_job_analytics.dataframe()
    assert set(seed.METRIC_NAMES) <= set(frame["metric_name"])


@pytest.mark.parity("`deploy()`, `predict()`, `delete_endpoint()`", "`delete_model()`")
def test_deploy_predict_evaluate_delete(story, boto, cifar10, tmp_path):
    import numpy as np

    predictor = story[1].deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
    scores = predictor.predict(np.random.randn(1, 32, 32, 3))["predictions"]
    assert len(scores) == 1 and len(scores[0]) == evaluation.CLASSES

    images, labels = evaluation.read_examples(cifar10 / "eval/eval.tfrecords")
    accuracy, matrix = evaluation.evaluate(predictor, images, labels)
    own = evaluation.headrace_evaluate(boto, story[1].model_data, cifar10 / "eval/eval.tfrecords", tmp_path)
    assert accuracy == pytest.approx(own["accuracy"]) and matrix.tolist() == own["confusion_matrix"]
    predictor.delete_model()
    predictor.delete_endpoint()


@pytest.mark.parity("`transformer()`, `transform()`", "`transform()` with its log, filters, joins; `Transformer.attach()`")
def test_batch_transform_follows_its_log(story, boto, tmp_path, capsys):
    """transform() waits and prints the log, as v2 does unless told otherwise."""
    import numpy as np
    from sagemaker.s3 import S3Uploader

    session, estimator = story
    images = np.random.default_rng(1).normal(size=(5, 32 * 32 * 3)).round(3)
    (tmp_path / "images.csv").write_text("".join(f"{i}," + ",".join(map(str, image)) + "\n" for i, image in enumerate(images)))
    bucket = session.default_bucket()
    source = S3Uploader.upload(str(tmp_path), f"s3://{bucket}/{seed.PREFIX}/transform2")
    transformer = estimator.transformer(instance_count=1, instance_type="ml.m4.xlarge", strategy="MultiRecord", assemble_with="Line",
                                        accept="text/csv", output_path=f"s3://{bucket}/{seed.PREFIX}/transformed2")
    transformer.transform(source, content_type="text/csv", split_type="Line", input_filter="$[1:]", join_source="Input",
                          output_filter="$[0,-10:]", logs=True)
    assert "available" in capsys.readouterr().out
    body = boto("s3").get_object(Bucket=bucket, Key=f"{seed.PREFIX}/transformed2/images.csv.out")["Body"].read().decode()
    rows = [line.split(",") for line in body.splitlines()]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert all(len(row) == 1 + evaluation.CLASSES and abs(sum(map(float, row[1:])) - 1) < 1e-3 for row in rows)
    attached = sagemaker.transformer.Transformer.attach(transformer.latest_transform_job.name)
    assert attached.model_name == transformer.model_name and attached.output_path == transformer.output_path
    transformer.delete_model()


@pytest.mark.parity("`fit()` of a job that fails raises with the reason")
def test_a_failing_job_says_why(server, story, tmp_path):
    from sagemaker.tensorflow import TensorFlow
    (tmp_path / "broken.py").write_text("import sys\nprint('about to fail')\nsys.exit(3)\n")
    estimator = TensorFlow(entry_point="broken.py", source_dir=str(tmp_path), role=story[1].role,
                           framework_version="1.15.2", py_version="py3", instance_count=1, instance_type="ml.m5.xlarge")
    with pytest.raises(Exception, match=r"(?s)AlgorithmError.*3"):
        estimator.fit()


@pytest.mark.parity("no telemetry to Amazon")
def test_it_reports_nothing_to_amazon(server, monkeypatch):
    """With the variables of `headrace env`: the SDK would send account, call and the reason of a failure."""
    from sagemaker.telemetry import telemetry_logging
    sent = []
    monkeypatch.setattr(telemetry_logging, "_requests_helper", lambda url, timeout: sent.append(url))

    class Any:
        sagemaker_session = sagemaker.Session()

        @telemetry_logging._telemetry_emitter(telemetry_logging.Feature.ESTIMATOR_V2, "call")
        def call(self):
            return 1
    assert Any().call() == 1
    assert sent == []


@pytest.mark.parity("Horovod: `distribution(s)={'mpi': …}` on two instances")
def test_a_job_of_two_instances_runs_its_ranks_on_both(story, boto, tmp_path):
    from sagemaker.tensorflow import TensorFlow

    if shutil.which("mpirun") is None:
        pytest.skip("Open MPI (openmpi-bin) is not installed")
    (tmp_path / "train.cpp").write_text(MPI_PROGRAM)
    estimator = TensorFlow(
        base_job_name="dist-v2", entry_point="train.cpp", source_dir=str(tmp_path), role=story[1].role,
        framework_version="1.15.2", py_version="py3", instance_count=2, instance_type="ml.m5.xlarge",
        distribution={"mpi": {"enabled": True, "processes_per_host": 2, "custom_mpi_options": "-x HEADRACE_TEST=1 --NCCL_DEBUG INFO"}})
    estimator.fit(wait=False)
    name, deadline = estimator.latest_training_job.name, time.monotonic() + 300
    while (job := boto("sagemaker").describe_training_job(TrainingJobName=name))["TrainingJobStatus"] == "InProgress":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    events = boto("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/algo-1")["events"]
    said = "\n".join(event["message"] for event in events)
    for rank, host in enumerate(["algo-1", "algo-1", "algo-2", "algo-2"]):
        assert f"[1,mpirank:{rank},{host}]<stdout>:rank {rank} of 4 on {host}" in said, said
