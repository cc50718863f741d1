"""ONNX Runtime behind a minimal HTTP server: the example's CNN with weights of its own. usage: onnxruntime_serving.py
VERSION_DIRECTORY THREADS"""

import sys

import numpy as np
import onnxruntime

from minimal_server import serve
from onnxruntime_inference import network

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(network().SerializeToString(), options, providers=["CPUExecutionProvider"])
serve(lambda x: session.run(None, {"image": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})[0], (32, 32, 3))
