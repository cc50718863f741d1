"""TensorFlow behind a minimal HTTP server. usage: tensorflow_serving.py VERSION_DIRECTORY THREADS"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

from minimal_server import serve

tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[2]))
loaded = tf.saved_model.load(sys.argv[1])
signature = loaded.signatures["serving_default"]
NAME = list(signature.structured_input_signature[1])[0]
serve(lambda x: next(iter(signature(**{NAME: tf.constant(x)}).values())).numpy(), signature.structured_input_signature[1][NAME].shape[1:])
