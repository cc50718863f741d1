#!/usr/bin/env python3
"""Pipe mode beside `cat` into the same FIFO and beside reading local files; time to the first batch beside File mode.

Usage: scripts/bench pipe [throughput] [turnover] [first] [training] [tensorflow]     without a word: all five
"first" needs about 10 GB of free space for File mode's copies, "tensorflow" its environment (scripts/setup --python).
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"
BENCH = BIN / "bench_pipe"
ROUNDS = 3
MB = 1000 * 1000
PARTS = sys.argv[1:] or ["throughput", "turnover", "first", "training", "tensorflow"]


def run(*arguments):
    return json.loads(subprocess.run([BENCH, *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout)


class Feeder:
    """bench_pipe feed as a context; its result is there afterwards."""

    def __init__(self, directory, channels, files):
        self.process = subprocess.Popen([BENCH, "feed", directory, str(channels), *files], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.result = json.loads(self.process.stdout.read())
        self.process.wait()


def together(calls):
    """The calls' results, all made at once."""
    results = [None] * len(calls)
    def call(i): results[i] = calls[i]()
    threads = [threading.Thread(target=call, args=(i,)) for i in range(len(calls))]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return results


def rate(results):
    return sum(r["bytes"] for r in results) / max(r["seconds"] for r in results) * 1e-9


def through_feeder(folder, channels, files, what="drain"):
    directory = pathlib.Path(tempfile.mkdtemp(dir=folder))
    with Feeder(directory, channels, files) as feeder:
        calls = [lambda i=i: run("drain", directory / f"c{i}_0") if what == "drain" else run("records", directory, f"c{i}")
                 for i in range(channels)]
        results = together(calls)
    shutil.rmtree(directory)
    amount = sum(r["bytes"] for r in results)
    disk = feeder.result["disk_bytes"] + sum(r["disk_bytes"] for r in results)
    return rate(results), feeder.result["processor_seconds"] / amount * 1e9, disk


def through_cat(folder, channels, files):
    directory = pathlib.Path(tempfile.mkdtemp(dir=folder))
    def one(i):
        fifo = directory / f"c{i}"
        os.mkfifo(fifo)
        cat = subprocess.Popen(["/bin/sh", "-c", f'exec cat "$@" > "{fifo}"', "cat", *files])
        result = run("drain", fifo)
        usage = os.wait4(cat.pid, 0)[2]
        return {**result, "cat_seconds": usage.ru_utime + usage.ru_stime}
    results = together([lambda i=i: one(i) for i in range(channels)])
    shutil.rmtree(directory)
    return rate(results), sum(r["cat_seconds"] for r in results) / sum(r["bytes"] for r in results) * 1e9


def through_files(channels, files):
    return rate(together([lambda: run("drain", *files)] * channels))


def objects(folder, record_bytes, size, count, name, distinct):
    """`count` files of about `size` bytes of TFRecords; not `distinct`: links to one, for sets too large to write."""
    directory = folder / name
    directory.mkdir()
    files = [directory / str(i) for i in range(count)]
    for i, path in enumerate(files):
        if i > 0 and not distinct:
            os.link(files[0], path)
            continue
        with open(path, "wb") as file:
            for _ in range(max(size // len(record_bytes), 1)): file.write(record_bytes)
    return files


def cpu_name():
    match = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return match.group(1) if match else os.uname().machine


def throughput(folder, records):
    """GB/s of all channels together; CPU seconds a GB of the writing side; what both sides wrote to disk."""
    print(f"\n{'1 GB a channel':30}{'pipe':>6} GB/s{'cat':>6}{'ratio':>7}{'files':>7}{'records':>9}"
          f"{'CPU s/GB: pipe':>16}{'cat':>7}{'disk, bytes':>13}")
    for size, count, title in [(MB, 1000, "1 MB objects"), (100 * MB, 10, "100 MB objects")]:
        files = objects(folder, records, size, count, f"objects-{size}", distinct=True)
        for channels in (1, 4):
            rounds = []
            for _ in range(ROUNDS):
                ours, cpu, disk = through_feeder(folder, channels, files)
                theirs, cat_cpu = through_cat(folder, channels, files)
                rounds.append((ours, theirs, ours / theirs, through_files(channels, files),
                               through_feeder(folder, channels, files, "records")[0], cpu, cat_cpu, disk))
            pipe, cat, ratio, local, decoded, cpu, cat_cpu, disk = (statistics.median(column) for column in zip(*rounds))
            print(f"{title + ', ' + str(channels) + ' channel' + ('s' if channels > 1 else ''):30}{pipe:11.2f}{cat:6.2f}{ratio:7.2f}"
                  f"{local:7.2f}{decoded:9.2f}{cpu:16.3f}{cat_cpu:7.3f}{disk:13.0f}", flush=True)


def tensorflow(folder, records):
    """PipeModeDataset in C++ and in Python on the same channel, and TensorFlow's own reader on the file behind it; SageMaker's own
    package, where HEADRACE_TENSORFLOW_2_14_PYTHON names a Python that has it."""
    file = objects(folder, records, 300 * MB, 1, "tensorflow", distinct=True)[0]
    size = file.stat().st_size
    pythons = {"": str(ROOT / "build/venv/tensorflow/bin/python")}
    if os.environ.get("HEADRACE_TENSORFLOW_2_14_PYTHON"): pythons["original_"] = os.environ["HEADRACE_TENSORFLOW_2_14_PYTHON"]
    ways = {"cpp_batches": "C++, batches of 256", "batches": "TensorFlow", "elements": "TensorFlow, element by element into batches",
            "through_python": "the same as before TensorFlow 2.5", "memory": "TensorFlow, one string in memory, read once",
            "file": "TensorFlow's TFRecordDataset, a local file", "original_batches": "SageMaker's own package, TensorFlow 2.14",
            "original_memory": "TensorFlow 2.14, one string in memory, read once",
            "cpp_records": "C++, record by record", "records": "TensorFlow", "memory_records": "TensorFlow, one string in memory",
            "file_records": "TensorFlow's TFRecordDataset, a local file", "original_records": "SageMaker's own package, TensorFlow 2.14"}
    rounds = {way: [] for way in ways}
    for _ in range(ROUNDS):
        directory = pathlib.Path(tempfile.mkdtemp(dir=folder))
        with Feeder(directory, 1, [file]):
            for what in ("records", "batches"):
                rounds["cpp_" + what].append(min(run(what, directory, "c0")["seconds"] for _ in range(3)))
            for whose, python in pythons.items():
                peer = subprocess.run([python, ROOT / "bench/peers/pipe_dataset.py", directory, "c0", file, *whose.split("_")[:1]],
                                      check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                for way, seconds in json.loads(peer.stdout).items(): rounds[whose + way].append(seconds)
        shutil.rmtree(directory)
    print(f"\n{'one channel of TFRecords, 300 MB':50}{'GB/s':>6}{'of C++':>8}")
    for way, title in ways.items():
        if not rounds[way]: continue
        if way.startswith("cpp"): ours = statistics.median(rounds[way])
        seconds = statistics.median(rounds[way])
        print(f"{title:50}{size / seconds * 1e-9:6.2f}{ours / seconds:8.2f}", flush=True)


def first_batch(folder, records):
    sizes = [(10, 1), (1000, 10), (10000, 100)]
    print(f"\n{'first batch after, ms':34}{'pipe':>8}{'file':>9}{'disk written, MB: pipe':>25}{'file':>7}")
    for megabytes, count in sizes:
        files = objects(folder, records, megabytes * MB // count, count, f"set-{megabytes}", distinct=False)
        pipe, file = [], []
        for _ in range(3 if megabytes < 10000 else 1):
            for mode, results in (("first-pipe", pipe), ("first-file", file)):
                directory = pathlib.Path(tempfile.mkdtemp(dir=folder))
                results.append(run(mode, directory, *files))
                shutil.rmtree(directory)
        print(f"{f'{megabytes} MB in {count} objects':34}{median(pipe, 'seconds') * 1e3:8.1f}{median(file, 'seconds') * 1e3:9.1f}"
              f"{median(pipe, 'disk_bytes') / MB:25.1f}{median(file, 'disk_bytes') / MB:7.0f}")


def median(results, name):
    return statistics.median(r[name] for r in results)


def turnover(folder, records):
    """The notebook's own sets have epochs of four records."""
    four = folder / "four"
    four.write_bytes(records[: 4 * (len(records) // 256)])
    count, speeds = 5000, []
    for _ in range(3):
        directory = pathlib.Path(tempfile.mkdtemp(dir=folder))
        with Feeder(directory, 1, [four]): speeds.append(run("epochs", directory, "c0", count)["seconds"])
        shutil.rmtree(directory)
    print(f"\nepochs of four records: {statistics.median(speeds) / count * 1e6:.0f} us each")


def count(path):
    output = subprocess.run([BIN / "headrace", "pipe", "cat", "--count", "-o", "json", path], check=True, stdout=subprocess.PIPE)
    return json.loads(output.stdout)["records"]


def train(folder, sample, counts, mode, epochs=7):
    """Seconds that the example takes for its epochs but the first, validation and all."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (directory / "input/config").mkdir(parents=True)
    (directory / "input/data").mkdir()
    config = {channel: {"TrainingInputMode": mode} for channel in counts}
    (directory / "input/config/inputdataconfig.json").write_text(json.dumps(config))
    command = [BIN / "keras_cifar10", "--epochs", epochs, "--seed", "1", "--model_dir", directory / "model", "--output-dir", directory]
    feeders = []
    for channel, records in counts.items():
        command += [f"--{channel}", sample / channel, f"--{channel}-records", records]
        if mode == "Pipe": feeders.append(Feeder(directory / "input/data", channel, [sample / channel / f"{channel}.tfrecords"]))
    environment = dict(os.environ, SM_INPUT_DIR=str(directory / "input"))
    environment.pop("SM_INPUT_DATA_CONFIG", None)
    program = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE)
    ends = [time.monotonic() for line in program.stdout if b"val_loss" in line]
    assert program.wait() == 0 and len(ends) == epochs
    for feeder in feeders: feeder.__exit__()
    shutil.rmtree(directory)
    return ends[-1] - ends[0]


def training(folder, sample):
    counts = {channel: count(sample / channel / f"{channel}.tfrecords") for channel in ("train", "validation", "eval")}
    times, ratios = {"Pipe": [], "File": []}, []
    for i in range(4):
        for mode in ("Pipe", "File") if i % 2 == 0 else ("File", "Pipe"): times[mode].append(train(folder, sample, counts, mode))
        ratios.append(times["Pipe"][-1] / times["File"][-1])
    pipe, file = (statistics.median(times[mode]) for mode in ("Pipe", "File"))
    print(f"\ntraining the example, six epochs of the sample: {pipe:.2f} s in Pipe mode, {file:.2f} s from local files; "
          f"ratio of the medians {pipe / file:.3f}, of pairs {min(ratios):.3f} to {max(ratios):.3f}")


def main():
    print(f"machine: {os.uname().nodename}, {cpu_name()}, {os.cpu_count()} cores; medians of interleaved rounds")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([BIN / "headrace", "dataset", "cifar10", "--sample", "--data-dir", folder / "cifar"], check=True,
                       stdout=subprocess.DEVNULL)
        train = (folder / "cifar/train/train.tfrecords").read_bytes()
        length = int.from_bytes(train[:8], "little") + 16
        records = b"".join(record for record in split(train) if len(record) == length)[: 256 * length]
        if "throughput" in PARTS: throughput(folder, records)
        if "turnover" in PARTS: turnover(folder, records)
        if "first" in PARTS: first_batch(folder, records)
        if "tensorflow" in PARTS: tensorflow(folder, records)
        if "training" in PARTS: training(folder, folder / "cifar")


def split(stream):
    at = 0
    while at < len(stream):
        end = at + int.from_bytes(stream[at : at + 8], "little") + 16
        yield stream[at:end]
        at = end


if __name__ == "__main__":
    main()
