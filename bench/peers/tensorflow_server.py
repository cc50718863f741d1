"""TensorFlow behind a minimal HTTP server: tensorflow_server.py VERSION_DIRECTORY prints its port and serves
/v1/models/m:predict, JSON and .npy, each connection on a thread of its own."""

import http.server
import io
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

loaded = tf.saved_model.load(sys.argv[1])
signature = loaded.signatures["serving_default"]
NAME = list(signature.structured_input_signature[1])[0]


def predict(x):
    return next(iter(signature(**{NAME: tf.constant(x)}).values())).numpy()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "application/x-npy":
            file = io.BytesIO()
            np.save(file, predict(np.load(io.BytesIO(body))))
            answer = file.getvalue()
        else:
            x = np.array(json.loads(body)["instances"], np.float32)
            answer = json.dumps({"predictions": predict(x).tolist()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
predict(np.zeros((1, *signature.structured_input_signature[1][NAME].shape[1:]), np.float32))
print(server.server_address[1], flush=True)
server.serve_forever()
