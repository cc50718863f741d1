"""Answers of the example's CNN by ONNX Runtime: one JSON line like bench_inference's. float32 only.

usage: onnxruntime_inference.py --batch N --calls N --threads N
"""
import argparse
import json
import statistics
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def network():
    """The CNN as an ONNX model; ONNX Runtime folds the normalizations into the convolutions itself."""
    rng = np.random.default_rng(1)
    nodes, weights = [], []

    def weight(name, *shape):
        values = rng.uniform(0.5, 1.5, shape) if "bn" in name else rng.normal(0, 0.05, shape)
        weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def node(kind, inputs, **attributes):
        output = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    value, channels = "image", 3
    for filters in (32, 64, 128):
        for pad in (1, 0):
            name = f"conv{len(nodes)}"
            value = node("Conv", [value, weight(name + "_w", filters, channels, 3, 3), weight(name + "_b", filters)],
                         kernel_shape=[3, 3], pads=[pad] * 4)
            value = node("BatchNormalization", [value] + [weight(f"{name}_bn{i}", filters) for i in range(4)], epsilon=1e-3)
            value = node("Relu", [value])
            channels = filters
        value = node("MaxPool", [value], kernel_shape=[2, 2], strides=[2, 2])
    value = node("Flatten", [value])
    value = node("Relu", [node("Gemm", [value, weight("dense_w", 512, 512), weight("dense_b", 512)])])
    value = node("Gemm", [value, weight("scores_w", 512, 10), weight("scores_b", 10)])
    nodes.append(helper.make_node("Softmax", [value], ["scores"]))
    graph = helper.make_graph(nodes, "cnn", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 32, 32])],
                              [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--policy", default="float32")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--calls", type=int, default=30)
    arguments.add_argument("--threads", type=int, default=2)
    a = arguments.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = a.threads
    session = onnxruntime.InferenceSession(network().SerializeToString(), options, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(2).integers(0, 256, (a.batch, 3, 32, 32)).astype(np.float32)
    times = []
    for _ in range(a.calls + 5):
        start = time.perf_counter()
        session.run(None, {"image": images})
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times[5:])
    print(json.dumps({"peer": f"onnxruntime {onnxruntime.__version__}", "images_per_second": a.batch / seconds,
                      "call_ms": 1e3 * seconds}))


if __name__ == "__main__":
    main()
