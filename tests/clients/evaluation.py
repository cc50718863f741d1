"""The notebook's last cells: the test set through a predictor in batches of 128, accuracy and confusion matrix; and the
same by `headrace evaluate`."""
import io
import json
import subprocess
import sys
import tarfile

import numpy as np

from platform_fixtures import HEADRACE, ROOT

sys.path.insert(0, str(ROOT / "examples/cifar10"))
from cifar10_examples import read_examples  # noqa: E402,F401

CLASSES = 10
BATCH = 128


def evaluate(predictor, images, labels):
    """Accuracy and confusion matrix as the notebook makes them."""
    predicted = []
    for begin in range(0, len(images), BATCH):
        predicted += predictor.predict(images[begin:begin + BATCH])["predictions"]
    predicted = np.argmax(np.array(predicted), axis=1)
    matrix = np.zeros((CLASSES, CLASSES), int)
    np.add.at(matrix, (labels, predicted), 1)
    return float(np.mean(predicted == labels)), matrix


def headrace_evaluate(boto, artifacts, data, directory):
    """What `headrace evaluate` says of the same model and data."""
    bucket, key = artifacts[len("s3://"):].split("/", 1)
    packed = boto("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(directory)  # what our own training packed
    shown = subprocess.run([HEADRACE, "evaluate", "--model", directory, "--data", data, "-o", "json"],
                           check=True, capture_output=True, text=True)
    return json.loads(shown.stdout)
