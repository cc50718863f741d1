"""headrace/ops.h against keras.ops on TensorFlow: values, and the gradients of sum(y * factors), one line a case."""
import json
import os
import pathlib
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))
A, B = (2, 3, 4), (3, 1)
POSITIVE = {"power", "sqrt", "rsqrt", "reciprocal", "log", "log1p", "log2", "log10", "divide", "number_in_front", "floor_divide", "mod"}
SHAPES = {  # of a and b, where they are others
    "squeeze": (A, (3, 1)), "tensordot": ((2, 3, 4), (3, 4, 5)), "matmul": ((2, 3, 4), (4, 5)),
    "matmul_batched": ((2, 3, 4), (2, 4, 5)), "matmul_repeated": ((2, 1, 3, 4), (5, 4, 2)), "matmul_left": ((3, 4), (2, 4, 5)),
    "matmul_vector": ((2, 3, 4), (4,)), "dot": ((2, 4), (3, 4, 5)),
    "bhqd,bhkd->bhqk": ((2, 3, 4, 5), (2, 3, 6, 5)), "abc,cd->abd": ((2, 3, 4), (4, 5)), "ij,kj->ik": ((3, 4), (5, 4)),
    "bij,bjk->kib": ((2, 3, 4), (2, 4, 5)), "i,j->ij": ((3,), (4,)), "bi,bi->b": ((3, 4), (3, 4)), "abc,bd->ad": ((2, 3, 4), (3, 5)),
    "get_item": ((2, 3, 5), B), "tri": ((2, 4, 4), B), "one_hot": ((2, 3, 4), B), "binary_crossentropy": ((3, 4), (3, 4)),
}


def floats(x):
    return ops.cast(x, "float32")


CASES = {
    "add": ops.add, "subtract": ops.subtract, "multiply": ops.multiply, "divide": ops.divide,
    "divide_no_nan": lambda a, b: ops.divide_no_nan(a, ops.relu(b)), "floor_divide": ops.floor_divide, "mod": ops.mod,
    "power": ops.power, "maximum": ops.maximum, "minimum": ops.minimum, "logaddexp": ops.logaddexp,
    "equal": lambda a, b: ops.equal(ops.round(a), ops.trunc(a)), "not_equal": lambda a, b: ops.not_equal(ops.floor(a), ops.ceil(a - 1)),
    "less": ops.less, "less_equal": ops.less_equal, "greater": ops.greater, "greater_equal": ops.greater_equal,
    "logical_and": lambda a, b: ops.logical_and(a > 0, b > 0), "logical_or": lambda a, b: ops.logical_or(a > 0, b > 0),
    "logical_xor": lambda a, b: ops.logical_xor(a > 0, b > 0), "logical_not": lambda a, b: ops.logical_not(ops.relu(a)),
    "where": lambda a, b: ops.where(a > b, a * a, b), "where_number": lambda a, b: ops.where(a > 0, a, 0.5),
    "number_in_front": lambda a, b: 2 / a - 1.5 * (3 - a),
    **{name: (lambda a, b, f=getattr(ops, name): f(a)) for name in (
        "abs", "negative", "sign", "square", "sqrt", "rsqrt", "reciprocal", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10",
        "sin", "cos", "tan", "sinh", "cosh", "erf", "floor", "ceil", "trunc", "stop_gradient", "relu", "leaky_relu", "sigmoid",
        "log_sigmoid", "silu", "tanh", "hard_tanh", "tanh_shrink", "selu", "gelu", "softplus", "softsign", "squareplus",
        "softmax", "sum", "std", "logsumexp", "transpose")},
    "round": lambda a, b: ops.round(a * 2) * 0.5, "isnan": lambda a, b: ops.isnan(ops.log(a)),
    "isinf": lambda a, b: ops.isinf(ops.log(ops.relu(a))), "isfinite": lambda a, b: ops.isfinite(ops.log(ops.relu(a))),
    "clip": lambda a, b: ops.clip(a, -0.5, 0.7), "cast": lambda a, b: ops.cast(a * 3, "int32"),
    "stop_gradient": lambda a, b: a * ops.stop_gradient(a), "relu6": lambda a, b: ops.relu6(a * 5),
    "hard_sigmoid": lambda a, b: ops.hard_sigmoid(a * 3), "hard_silu": lambda a, b: ops.hard_silu(a * 3),
    "elu": lambda a, b: ops.elu(a, 0.7), "celu": lambda a, b: ops.celu(a, 0.7), "gelu_exact": lambda a, b: ops.gelu(a, False),
    "softmax_axis": lambda a, b: ops.softmax(a, 1), "log_softmax": lambda a, b: ops.log_softmax(a * 20),
    "log_softmax_axis": lambda a, b: ops.log_softmax(a, 0), "sum_axis": lambda a, b: ops.sum(a, (0, -1), keepdims=True),
    "mean": lambda a, b: ops.mean(a, 1), "max": lambda a, b: ops.max(a, -1), "min": lambda a, b: ops.min(a, (1, 2), keepdims=True),
    "var": lambda a, b: ops.var(a, -1), "any": lambda a, b: ops.any(a > 0.5, 1), "all": lambda a, b: ops.all(a > -0.5, -1, keepdims=True),
    "count_nonzero": lambda a, b: ops.count_nonzero(ops.relu(a), 0), "logsumexp": lambda a, b: ops.logsumexp(a, -1),
    "logsumexp_all": lambda a, b: ops.logsumexp(a), "norm": lambda a, b: ops.norm(a, axis=1), "normalize": lambda a, b: ops.normalize(a),
    "normalize_small": lambda a, b: ops.normalize(a * 3e-8), "moments": lambda a, b: ops.concatenate(ops.moments(a, (0, 2)), 0),
    "moments_kept": lambda a, b: ops.concatenate(ops.moments(a, 1, keepdims=True), 1),
    "argmax": lambda a, b: ops.argmax(a, 1), "argmin": lambda a, b: ops.argmin(a, -1, keepdims=True), "cumsum": lambda a, b: ops.cumsum(a, 1),
    "reshape": lambda a, b: ops.reshape(a, (-1, 6)) * 2, "transpose_axes": lambda a, b: ops.transpose(a, (1, 2, 0)),
    "moveaxis": lambda a, b: ops.moveaxis(a, 0, -1), "swapaxes": lambda a, b: ops.swapaxes(a, 0, 1),
    "expand_dims": lambda a, b: ops.expand_dims(a, -1), "squeeze": lambda a, b: ops.squeeze(b),
    "concatenate": lambda a, b: ops.concatenate([a, a * b], 1), "stack": lambda a, b: ops.stack([a, a * b], -1),
    "split": lambda a, b: ops.split(a, 3, 1)[1], "split_indices": lambda a, b: ops.split(a, [1, 3], -1)[1],
    "unstack": lambda a, b: ops.unstack(a, axis=1)[2], "get_item": lambda a, b: a[:, :, 1:4:2], "flip": lambda a, b: ops.flip(a, (0, 2)),
    "roll": lambda a, b: ops.roll(a, -1, 2), "pad": lambda a, b: ops.pad(a, ((0, 1), (2, 0), (0, 0))),
    "tile": lambda a, b: ops.tile(a, (2, 1, 3)), "repeat": lambda a, b: ops.repeat(a, 3, 1), "broadcast_to": lambda a, b: ops.broadcast_to(b, (2, 3, 5)),
    **{name: ops.matmul for name in ("matmul", "matmul_batched", "matmul_repeated", "matmul_left", "matmul_vector")},
    "dot": ops.dot, "tensordot": lambda a, b: ops.tensordot(a, b, 2),
    **{name: (lambda a, b, text=name: ops.einsum(text, a, b)) for name in SHAPES if "->" in name},
    "take": lambda a, b: ops.take(a, np.array([[2, 0], [2, 1]]), 1), "take_last": lambda a, b: ops.take(a, np.array([[2, 0], [2, 1]]), -1), "one_hot": lambda a, b: ops.one_hot(ops.argmax(a, -1), 4, axis=1),
    "tri": lambda a, b: a * ops.tri(4, 4, 1) + ops.eye(4),
    "arange": lambda a, b: a * floats(ops.arange(1, 9, 2)) + ops.ones_like(a) + ops.full_like(a, 3),
    "binary_crossentropy": lambda a, b: ops.binary_crossentropy(floats(b > 0), ops.sigmoid(a) * 0.9),
    "categorical_crossentropy": lambda a, b: ops.categorical_crossentropy(ops.softmax(ops.stop_gradient(a * 2)), a, from_logits=True),
    "sparse_categorical_crossentropy": lambda a, b: ops.sparse_categorical_crossentropy(ops.argmax(a, -1), a, from_logits=True),
}


def values(name, index):
    rng = np.random.default_rng(100 + index)
    drawn = [rng.normal(0, 1, shape).astype(np.float32) for shape in SHAPES.get(name, (A, B))]
    return [np.abs(x) + 0.5 for x in drawn] if name in POSITIVE else drawn


def wanted(name, a, b, rng):
    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = floats(CASES[name](tf.convert_to_tensor(a), tf.convert_to_tensor(b)))
        factors = rng.normal(0, 1, y.shape).astype(np.float32)
        total = tf.reduce_sum(y * factors)
    gradients = tape.gradient(total, [a, b])
    zeros = [np.zeros(v.shape, np.float32) if g is None else tf.convert_to_tensor(g).numpy() for g, v in zip(gradients, (a, b))]
    return y.numpy(), factors, zeros


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    directory, job, results = tmp_path_factory.mktemp("ops"), [], {}
    for index, name in enumerate(CASES):
        a, b = values(name, index)
        y, factors, gradients = wanted(name, a, b, np.random.default_rng(index))
        job.append({"name": name, "file": f"case{index}", "a": a.shape, "b": b.shape, "y": y.shape})
        for part, value in (("a", a), ("b", b), ("factors", factors)):
            value.tofile(directory / f"case{index}_{part}.f32")
        results[name] = (directory / f"case{index}", y, gradients)
    (directory / "job.json").write_text(json.dumps(job))
    done = subprocess.run([f"{BIN}/ops_tool", str(directory)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return results


@pytest.mark.parametrize("name", CASES)
def test_operation(name, results):
    path, y, gradients = results[name]

    def compare(part, expected, bound):
        found = np.fromfile(f"{path}_{part}.f32", np.float32).reshape(expected.shape)
        scale = max(np.abs(expected).max(), 1e-3)
        assert np.abs(found - expected).max() / scale < bound, (part, found, expected)
    compare("y", y, 1e-5)
    compare("da", gradients[0], 1e-4)
    compare("db", gradients[1], 1e-4)
