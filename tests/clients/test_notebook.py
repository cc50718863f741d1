"""The notebooks of examples/cifar10 as a person runs them: every cell in order, in a kernel, on the sample. Each environment
runs the one of its own SDK."""
import importlib.metadata
import json
import shutil

import nbclient
import nbformat
import pytest

import evaluation
import seed

EXAMPLE = evaluation.ROOT / "examples/cifar10"
TENSORFLOW = evaluation.ROOT / "build/venv/tensorflow/bin/python"
TEST_IMAGES = 400

# The SDKs look at a job every thirty seconds and at its log every ten. Their waiting is shortened twenty times, and nothing else.
IMPATIENT = """
import time, types
real_sleep, real_time = time.sleep, time.time
hurried = types.SimpleNamespace(sleep=lambda seconds: real_sleep(seconds / 20), time=lambda: real_time() * 20)
try:
    import sagemaker.session as waits
except ImportError:
    import sagemaker.core.resources as waits
waits.time = hurried
"""
FINDINGS = """
import json
print(json.dumps({'accuracies': accuracies, 'accuracy': accuracy, 'confusion': confusion.tolist(), 'labels': labels.tolist()}))
"""


def name_of_notebook():
    major = importlib.metadata.version("sagemaker").split(".")[0]
    return "notebook.ipynb" if major == "1" else f"notebook_v{major}.ipynb"


@pytest.fixture(scope="module")
def platform(make_server):
    if not TENSORFLOW.exists():
        pytest.skip(f"no TensorFlow to train with: scripts/setup --python makes {TENSORFLOW}")
    server = make_server()
    server.add_python("tensorflow==2.21", TENSORFLOW)
    return server


@pytest.fixture(scope="module")
def client(platform):
    """client("sagemaker"), of the platform that the notebook has used."""
    import boto3
    settings = platform.environment
    return lambda service: boto3.client(service, endpoint_url=settings["AWS_ENDPOINT_URL"], region_name=settings["AWS_DEFAULT_REGION"],
                                        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"], aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture(scope="module")
def executed(platform, tmp_path_factory):
    directory = tmp_path_factory.mktemp("notebook") / "cifar10"
    shutil.copytree(EXAMPLE, directory)
    notebook = nbformat.read(directory / name_of_notebook(), 4)
    settings, = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    settings.source = "epochs = 2\nbatch_size = 64"
    code = nbformat.v4.new_code_cell
    notebook.cells = [code(IMPATIENT), *notebook.cells, code(FINDINGS)]
    variables = platform.client_environment(HEADRACE_BIN=str(evaluation.HEADRACE.parent), CIFAR10_FROM="sample")
    kernel = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(directory)}})
    kernel.execute(env=variables)
    return notebook


def printed(cell):
    return "".join(output["text"] for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


@pytest.fixture(scope="module")
def findings(executed):
    return json.loads(printed(executed.cells[-1]))


@pytest.mark.parity("the workflow as a notebook", sdk=(1, 2, 3))
def test_three_jobs_have_learnt(findings):
    assert len(findings["accuracies"]) == 3
    assert all(0 < accuracy < 1 for accuracy in findings["accuracies"].values())


def test_the_confusion_matrix_counts_the_test_set(findings):
    matrix, labels = findings["confusion"], findings["labels"]
    assert [sum(row) for row in matrix] == [labels.count(kind) for kind in range(10)] and len(labels) == TEST_IMAGES
    assert findings["accuracy"] == pytest.approx(sum(matrix[kind][kind] for kind in range(10)) / TEST_IMAGES)


def test_the_matrix_is_drawn(executed):
    cell, = (cell for cell in executed.cells if "imshow" in cell.source)
    assert any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_the_endpoint_answers_what_the_model_computes(findings, client, cifar10, tmp_path):
    """`headrace evaluate` on the baseline's artifacts, a SavedModel of TensorFlow's."""
    job = client("sagemaker").describe_training_job(TrainingJobName=next(iter(findings["accuracies"])))
    own = evaluation.headrace_evaluate(client, job["ModelArtifacts"]["S3ModelArtifacts"], cifar10 / "eval/eval.tfrecords", tmp_path)
    assert own["confusion_matrix"] == findings["confusion"]


def test_every_job_has_the_five_metrics(findings, client):
    for name in findings["accuracies"]:
        job = client("sagemaker").describe_training_job(TrainingJobName=name)
        assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} == set(seed.METRIC_NAMES), name


def test_it_leaves_no_endpoint(executed, client):
    assert client("sagemaker").list_endpoints()["Endpoints"] == []
