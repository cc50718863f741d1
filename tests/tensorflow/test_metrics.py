"""Headrace's metrics against Keras's: the same predictions, targets and weights, several batches each."""
import json
import os
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
import numpy as np
import pytest
from keras import metrics as km

BIN = os.environ.get("HEADRACE_BIN", "build/release/bin")
ROWS, BATCH, CLASSES = 50, 16, 4

BINARY = [
    ("AUC", {}), ("AUC", {"num_thresholds": 20, "curve": "PR"}), ("AUC", {"summation_method": "minoring"}),
    ("AUC", {"summation_method": "majoring", "curve": "PR"}), ("Precision", {}), ("Precision", {"threshold": 0.7}),
    ("Recall", {"threshold": 0.2}), ("TrueNegatives", {}), ("BinaryAccuracy", {"threshold": 0.4}),
    ("SensitivityAtSpecificity", {"value": 0.6}), ("SpecificityAtSensitivity", {"value": 0.4}),
    ("PrecisionAtRecall", {"value": 0.5}), ("RecallAtPrecision", {"value": 0.5, "num_thresholds": 30}),
    ("RootMeanSquaredError", {}), ("R2Score", {"class_aggregation": "uniform_average"}),
]
CATEGORICAL = [
    ("AUC", {"multi_label": True}), ("AUC", {}), ("Precision", {"top_k": 2}), ("Recall", {"class_id": 1}),
    ("F1Score", {"average": "macro"}), ("F1Score", {"average": "micro", "threshold": 0.3}),
    ("FBetaScore", {"average": "weighted", "beta": 2.0}), ("TopKCategoricalAccuracy", {"k": 2}),
    ("CategoricalAccuracy", {}), ("R2Score", {"class_aggregation": "variance_weighted_average"}),
    ("MeanIoU", {"num_classes": CLASSES, "sparse_y_true": False, "sparse_y_pred": False}),
    ("cosine_similarity", {}), ("mean_absolute_error", {}), ("kl_divergence", {}), ("poisson", {}),
]
SPARSE = [("SparseCategoricalAccuracy", {}), ("SparseTopKCategoricalAccuracy", {"k": 3})]


def theirs(name, options):
    if name[0].islower():
        return {"cosine_similarity": km.CosineSimilarity, "mean_absolute_error": km.MeanAbsoluteError,
                "kl_divergence": km.KLDivergence, "poisson": km.Poisson}[name]()
    names = {"threshold": "thresholds"} if name in ("Precision", "Recall", "TrueNegatives") else {}
    first = {"SensitivityAtSpecificity": "specificity", "SpecificityAtSensitivity": "sensitivity",
             "PrecisionAtRecall": "recall", "RecallAtPrecision": "precision"}.get(name)
    return getattr(km, name)(**{first if key == "value" else names.get(key, key): v for key, v in options.items()})


def check(directory, name, options, y, p, weights=None):
    directory.mkdir(exist_ok=True)
    p.astype(np.float32).tofile(directory / "x.f32")
    y.astype(np.float32).tofile(directory / "y.f32")
    job = {"metric": {"class_name": name, "options": options}, "rows": ROWS, "batch": BATCH, "x_shape": p.shape[1:],
           "y_shape": y.shape[1:], "weighted": weights is not None, "classes": y.ndim < p.ndim}
    if weights is not None:
        weights.tofile(directory / "w.f32")
    (directory / "job.json").write_text(json.dumps(job))
    done = subprocess.run([f"{BIN}/numerics_tool", str(directory)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    metric = theirs(name, options)
    for begin in range(0, ROWS, BATCH):
        rows = slice(begin, begin + BATCH)
        metric.update_state(y[rows], p[rows], None if weights is None else weights[rows])
    wanted = float(metric.result())
    assert abs(np.fromfile(directory / "metric.f32", np.float32)[0] - wanted) < 1e-5 * max(1, abs(wanted)), (name, options)


@pytest.mark.parametrize("kind, cases", [("binary", BINARY), ("categorical", CATEGORICAL), ("sparse", SPARSE)])
def test_metrics(kind, cases, tmp_path):
    rng = np.random.default_rng(2)
    p = rng.uniform(0, 1, (ROWS, 1 if kind == "binary" else CLASSES)).astype(np.float32)
    if kind != "binary":
        p /= p.sum(-1, keepdims=True)
    y = {"binary": lambda: (rng.uniform(0, 1, p.shape) < 0.5 * p + 0.25).astype(np.float32),
         "categorical": lambda: np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, ROWS)],
         "sparse": lambda: rng.integers(0, CLASSES, ROWS)}[kind]()
    weights = rng.uniform(0, 2, ROWS).astype(np.float32)
    for i, (name, options) in enumerate(cases):
        check(tmp_path / str(i), name, options, y, p)
        if name not in ("MeanIoU", "R2Score"):  # whole weights only; and R2's, which Keras wants by element
            check(tmp_path / f"{i}w", name, options, y, p, weights)
