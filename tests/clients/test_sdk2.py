"""The same story with the last SageMaker Python SDK v2; the notebook's v1 keyword names still work there."""
import time

import pytest

import evaluation
import seed

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


def test_fit_completes(story, boto):
    job = boto("sagemaker").describe_training_job(TrainingJobName=story[1].latest_training_job.name)
    assert job["TrainingJobStatus"] == "Completed"
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} == set(seed.METRIC_NAMES)


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


def test_analytics_reads_the_metrics(story):
    frame = story[1].training_job_analytics.dataframe()
    assert set(seed.METRIC_NAMES) <= set(frame["metric_name"])


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


def test_a_failing_job_says_why(server, story, tmp_path):
    from sagemaker.tensorflow import TensorFlow
    (tmp_path / "broken.py").write_text("import sys\nprint('about to fail')\nsys.exit(3)\n")
    estimator = TensorFlow(entry_point="broken.py", source_dir=str(tmp_path), role=story[1].role,
                           framework_version="1.15.2", py_version="py3", instance_count=1, instance_type="ml.m5.xlarge")
    with pytest.raises(Exception, match=r"(?s)AlgorithmError.*3"):
        estimator.fit()
