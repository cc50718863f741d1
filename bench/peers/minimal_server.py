"""The minimal HTTP server that peers serve a model behind: POST /v1/models/m:predict, JSON and .npy, each connection on a
thread of its own. Prints its port."""

import http.server
import io
import json

import numpy as np


def serve(predict, shape):
    """predict: float32 [n, *shape] to float32 [n, …]."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one packet

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
            self.wfile.flush()

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    predict(np.zeros((1, *shape), np.float32))
    print(server.server_address[1], flush=True)
    server.serve_forever()
