"""Pipe mode through the AWS interface: corrupt records, a look at a job that runs, what it writes to disk, compression."""
import gzip
import json
import os
import pathlib
import re
import struct
import time

import pytest

from training_jobs import TrainingJobs

NAMESPACE = "/aws/sagemaker/TrainingJobs"
RECORD = 3126  # bytes of a record of the sample, with its frame
DAMAGED = 20   # which of them

# Reads one epoch and says what came of it.
READER = r"""
    #include <cstdio>
    #include <cstdlib>
    #include "headrace/data.h"
    using namespace headrace;
    int main(int, char** argv) {
      try {
        data::PipeModeOptions options;
        options.record_format = "TFRecord";
        options.max_corrupted_records_to_skip = std::atoi(argv[2]);
        int records = 0;
        auto iterator = data::PipeModeDataset("train", options).MakeIterator();
        while (iterator.Next()) ++records;
        std::printf("records: %d\n", records);
      } catch (const Error& error) {
        std::fprintf(stderr, "reader: %s\n", error.what());
        return 1;
      }
    }
"""

# Leaves one epoch in the middle, waits in the next one, and reads another to see that nothing has changed.
WAITER = r"""
    import hashlib, os, time
    folder = os.environ["SM_INPUT_DIR"] + "/data/"
    total = 0
    def read(epoch):
        global total
        digest = hashlib.sha256()
        with open(f"{folder}train_{epoch}", "rb") as stream:
            while chunk := stream.read(1 << 20):
                total += len(chunk)
                digest.update(chunk)
        return digest.digest()
    digests = {read(epoch) for epoch in range(8)}
    fields = dict(line.split(": ") for line in open("/proc/self/io"))
    print("read", total, "written", int(fields["write_bytes"]), flush=True)
    with open(f"{folder}packed_0", "rb") as stream:
        print("packed:", stream.read().decode(), flush=True)
    with open(f"{folder}train_8", "rb") as stream:
        stream.read(10)
    stream = open(f"{folder}train_9", "rb")
    stream.read(10)
    print("waiting", flush=True)
    while not os.path.exists(os.environ["SM_OUTPUT_DIR"] + "/go"):
        time.sleep(0.02)
    stream.close()
    print("different epochs:", len(digests | {read(10)}))
"""


@pytest.fixture(scope="module")
def platform(server, boto):
    return TrainingJobs(server, boto)


@pytest.fixture(scope="module")
def readers(platform, cifar10):
    """Two jobs side by side over a data set with one damaged byte: one skips the record, one does not."""
    data = bytearray((cifar10 / "train/train.tfrecords").read_bytes()[: 60 * RECORD])
    platform.put("damaged/a", bytes(data[: 10 * RECORD]))
    data[DAMAGED * RECORD + 100] ^= 1
    platform.put("damaged/b", bytes(data[10 * RECORD:]))
    metrics = [{"Name": "skipped", "Regex": r"skipped_corrupt_records: ([0-9]+)"}]
    return [platform.start("reader.cpp", READER, [("train", "damaged/", {})], {"skip": skip}, metrics) for skip in (0, 1)]


def test_a_corrupt_record_fails_by_object_place_and_checksums(platform, readers):
    job = platform.wait(readers[0])
    assert job["TrainingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert f"channel train, epoch 0: record {DAMAGED} at byte {DAMAGED * RECORD}: corrupt data" in reason
    assert re.search(r"CRC32C is [0-9a-f]{8}, the file says [0-9a-f]{8}", reason), reason
    assert f"damaged/b, byte {(DAMAGED - 10) * RECORD + 12}; read a second time, with the same result" in reason


def test_a_corrupt_record_is_skipped_and_counted_as_a_metric(platform, readers, boto):
    job = platform.wait(readers[1])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "records: 59" in platform.log(readers[1])
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("skipped", 1)]
    values = boto("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE, MetricName="skipped", Dimensions=[{"Name": "TrainingJobName", "Value": readers[1]}],
        StartTime=time.time() - 3600, EndTime=time.time() + 60, Period=3600, Statistics=["Sum"])["Datapoints"]
    assert sum(value["Sum"] for value in values) == 1


def written(process):
    fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{process}/io").read_text().splitlines())
    return int(fields["write_bytes"])


def test_a_look_at_a_job_that_runs(platform, server, cifar10):
    part = os.urandom(4 << 20)
    for i in range(4):
        platform.put(f"large/{i}", part)
    platform.put("packed", gzip.compress(b"gzip ") + gzip.compress(b"members"))
    platform.put("eval", (cifar10 / "eval/eval.tfrecords").read_bytes())
    name = platform.start("waiter.py", WAITER, [("train", "large/", {}), ("packed", "packed", {"CompressionType": "Gzip"}),
                                                ("eval", "eval", {})])
    platform.wait(name, lambda job: job["TrainingJobStatus"] != "InProgress" or "waiting" in platform.log(name))
    log = platform.log(name)
    assert "waiting" in log, log
    assert "packed: gzip members" in log

    # 128 MiB have gone through; nobody has written any of them anywhere.
    assert f"read {8 * 4 * len(part)} written 0" in log
    directory = platform.directory(name)
    supervisor = int((directory / "hosts/algo-1/supervisor.lock").read_text())
    assert written(supervisor) < 1 << 20  # its log
    files = [path.stat() for path in directory.rglob("*") if path.is_file()]
    assert sum(file.st_size for file in files if file.st_nlink == 1) < 1 << 20  # the others are the objects themselves

    time.sleep(1.1)  # pipes.json is written once a second
    status = json.loads(server.headrace("pipe", "status", name, "--data-dir", server.directory, "-o", "json").stdout)
    train = next(channel for channel in status["channels"] if channel["channel"] == "train")
    assert (train["epochs_started"], train["epochs_ended"], train["early_closes"]) == (10, 9, 1)
    assert train["bytes"] >= 8 * 4 * len(part)
    text = server.headrace("pipe", "status", name, "--data-dir", server.directory, "--interval", "0.1").stdout
    assert re.search(r"^train +10 +9 +1 +[0-9]+", text, re.MULTILINE), text

    shown = server.headrace("pipe", "cat", directory / "hosts/algo-1/files/ml/input/data/eval_0", "--count", "-o", "json")
    assert json.loads(shown.stdout)["records"] == 400

    # What happens to the objects now is not this job's concern.
    platform.put("large/1", b"changed")
    platform.s3.delete_object(Bucket=platform.bucket, Key="large/2")
    (directory / "hosts/algo-1/files/ml/output/go").touch()
    assert platform.wait(name)["TrainingJobStatus"] == "Completed"
    log = platform.log(name)
    assert "different epochs: 1" in log
    assert any("channel train: 11 epochs streamed (2 closed early)" in line for line in log), log
    assert any("channel eval: 1 epochs streamed" in line for line in log), log
    assert not [path for path in directory.rglob("*") if path.is_fifo()]
