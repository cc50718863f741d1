"""S3 PUT and GET: `headrace serve` beside another server, same client, same disk, in turns.

usage: scripts/bench s3 [--peer COMMAND | --against BIN] [--sizes 4K,1M,…] [--streams 1,16] [--rounds N]
                        [--python build/venv/s3/bin/python]

The other server is moto's; or what COMMAND starts: any S3 server, in whose command {port}, {directory}, {access_key} and
{secret_key} are replaced, and which also finds them in its environment (PORT, DIRECTORY, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, and MINIO_ROOT_USER and MINIO_ROOT_PASSWORD):

  scripts/bench s3 --peer 'minio server {directory} --address 127.0.0.1:{port}'

MinIO's server comes from the Go module proxy, with Go 1.24 or newer: GOFLAGS=-mod=mod go install github.com/minio/minio@latest
puts it into `go env GOPATH`/bin. Or, with --against, the program of another build: a directory that holds its `headrace`.

The client is http.client on kept connections with URLs that were signed beforehand (boto3 takes about a millisecond a
request for itself and would hide the servers). Each figure is the median of the rounds, in each of which both servers have
their turn. Needs boto3, and moto[server] where that is the peer, in the environment that --python names: scripts/setup --s3.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADRACE = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin")) / "headrace"
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
PIECE = bytes(1 << 20)


def size_of(text):
    return int(text[:-1]) * UNITS[text[-1]]


class Content:
    """A body of zeros that http.client reads piece by piece."""

    def __init__(self, size):
        self.left = size

    def read(self, most=len(PIECE)):
        n = min(most if most > 0 else self.left, self.left, len(PIECE))
        self.left -= n
        return PIECE[:n]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A server under test: its process, address and keys."""

    def __init__(self, name, process, url, keys):
        self.name, self.process, self.url, self.keys = name, process, url, keys
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(url).port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        process.terminate()
        raise RuntimeError(f"{name} does not answer")

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024

    def processor_seconds(self):
        """Headrace's threads live as long as it and are known exactly; others' may end, so of those the kernel's ticks count."""
        if not (self.name == "headrace" or self.name == "before"):
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")) / 1e9

    def client(self, boto3, config):
        return boto3.client("s3", endpoint_url=self.url, region_name="us-west-2", aws_access_key_id=self.keys[0],
                            aws_secret_access_key=self.keys[1], config=config)


def start_headrace(directory, name="headrace", program=HEADRACE):
    data = directory / name
    process = subprocess.Popen([program, "serve", "--data-dir", data, "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
    while True:
        shown = subprocess.run([program, "env", "--data-dir", data, "-o", "json"], capture_output=True, text=True)
        if shown.returncode == 0:
            break
        time.sleep(0.02)
    variables = json.loads(shown.stdout)
    return Peer(name, process, variables["AWS_ENDPOINT_URL"],
                (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]))


def start_moto(directory, python):
    port = free_port()
    process = subprocess.Popen([python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], cwd=directory,
                               env={**os.environ, "TMPDIR": str(directory)}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    return Peer("moto", process, f"http://127.0.0.1:{port}", ("testing", "testing"))


def start_peer(directory, command):
    port, data = free_port(), directory / "peer"
    data.mkdir()
    access_key, secret_key = "headrace-bench", "headrace-bench-secret"
    words = [word.format(port=port, directory=data, access_key=access_key, secret_key=secret_key) for word in shlex.split(command)]
    environment = {**os.environ, "PORT": str(port), "DIRECTORY": str(data), "AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key,
                   "MINIO_ROOT_USER": access_key, "MINIO_ROOT_PASSWORD": secret_key}
    process = subprocess.Popen(words, cwd=data, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Peer(pathlib.Path(words[0]).name, process, f"http://127.0.0.1:{port}", (access_key, secret_key))


def start_other(directory, arguments):
    if arguments.against:
        return start_headrace(directory, "before", arguments.against / "headrace")
    return start_peer(directory, arguments.peer) if arguments.peer else start_moto(directory, arguments.python)


def transfer(connection, method, url, size):
    target = url[url.index("/", 8):]
    if method == "PUT":
        connection.request("PUT", target, body=Content(size), headers={"Content-Length": str(size)})
    else:
        connection.request("GET", target)
    answer = connection.getresponse()
    received = 0
    buffer = bytearray(1 << 20)
    while n := answer.readinto(buffer):
        received += n
    if answer.status != 200 or (method == "GET" and received != size):
        raise RuntimeError(f"{method} {target[:60]}: {answer.status}, {received} bytes")


def measure(peer, client, method, size, streams, count):
    """Seconds for `count` transfers on each of `streams` connections."""
    address = urllib.parse.urlsplit(peer.url).netloc
    urls = [[client.generate_presigned_url(f"{method.lower()}_object", Params={"Bucket": "bench", "Key": f"{size}/{s}-{i}"},
                                           ExpiresIn=3600) for i in range(count)] for s in range(streams)]
    connections = [http.client.HTTPConnection(address) for _ in range(streams)]
    failures = []

    def work(connection, mine):
        try:
            for url in mine:
                transfer(connection, method, url, size)
        except Exception as error:  # told below, in the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(connections, urls)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for connection in connections:
        connection.close()
    if failures:
        raise failures[0]
    return seconds


def rate(size, transfers, seconds):
    if size < 1 << 20:
        return transfers / seconds, "requests/s"
    return size * transfers / seconds / (1 << 20), "MiB/s"


def run(arguments):
    sys.path[:0] = [str(p) for p in pathlib.Path(arguments.python).resolve().parent.parent.glob("lib/python*/site-packages")]
    import boto3
    from botocore.config import Config
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    directory = pathlib.Path(tempfile.mkdtemp(prefix="headrace_bench_s3_", dir=arguments.directory))
    peers = []
    try:
        peers.append(start_headrace(directory))
        peers.append(start_other(directory, arguments))
        clients = [peer.client(boto3, config) for peer in peers]
        for client in clients:
            client.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        print(f"{'':4} {'size':>5} {'streams':>7} {'headrace':>10} {peers[1].name[:10]:>10} {'ratio':>6}  {'unit':<10}  their processor time, us a request")
        for text in arguments.sizes.split(","):
            size = size_of(text)
            for streams in map(int, arguments.streams.split(",")):
                if size * streams > arguments.largest << 20:
                    continue
                count = max(1, min(1000, (64 << 20) // size) // streams)
                for method in ("PUT", "GET"):
                    measured, before = ([], []), [peer.processor_seconds() for peer in peers]
                    for turn in range(2 * arguments.rounds):
                        # the first of one round is the second of the next
                        which = (turn + turn // 2) % 2
                        measured[which].append(measure(peers[which], clients[which], method, size, streams, count))
                    (ours, unit), (theirs, _) = (rate(size, count * streams, statistics.median(seconds)) for seconds in measured)
                    used = [(peer.processor_seconds() - start) / (arguments.rounds * count * streams) for peer, start in zip(peers, before)]
                    print(f"{method:4} {text:>5} {streams:7} {ours:10.0f} {theirs:10.0f} {ours / theirs:6.1f}  {unit:<10}  {used[0] * 1e6:.0f} {used[1] * 1e6:.0f}",
                          flush=True)
        for peer in peers:
            print(f"peak resident memory of {peer.name}: {peer.peak_mib():.0f} MiB")
    finally:
        for peer in peers:
            peer.process.terminate()
            peer.process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="4K,64K,1M,16M,256M,1G")
    parser.add_argument("--streams", default="1,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="a command that starts an S3 server")
    parser.add_argument("--against", type=pathlib.Path, help="where the headrace of another build lies")
    parser.add_argument("--largest", type=int, default=1024, help="MiB in one measurement")
    parser.add_argument("--python", default=str(ROOT / "build/venv/s3/bin/python"))
    parser.add_argument("--directory", default=str(ROOT / "build"), help="where both keep their data")
    run(parser.parse_args())


main()
