"""A model server for tests and benchmarks: `with ModelServer(directory) as server: requests.get(server.url + ...)`."""

import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))


class ModelServer:
    def __init__(self, base_path=None, name="m", *flags, grpc=False, program=BIN / "headrace"):
        self.directory = tempfile.TemporaryDirectory()
        self.grpc_port_file = pathlib.Path(self.directory.name) / "grpc_port" if grpc else None
        self.port_file = pathlib.Path(self.directory.name) / "port"
        self.log = open(pathlib.Path(self.directory.name) / "log", "w+")
        source = ["--model_name", name, "--model_base_path", base_path] if base_path else []
        self.command = [program, "model-server", "--port_file", self.port_file, *source, *flags]
        if grpc:
            self.command += ["--port", "0", "--grpc_port_file", self.grpc_port_file]

    def __enter__(self):
        start = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        while not self.port_file.exists():
            if self.process.poll() is not None or time.perf_counter() - start > 60:
                raise RuntimeError(f"the model server did not start:\n{self.text()}")
            time.sleep(0.002)
        self.startup_seconds = time.perf_counter() - start
        self.port = int(self.port_file.read_text())
        self.grpc_port = int(self.grpc_port_file.read_text()) if self.grpc_port_file else None
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)
        self.directory.cleanup()

    def text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
