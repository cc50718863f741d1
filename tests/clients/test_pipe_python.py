"""PipeModeDataset in jobs of Python scripts: the records that a C++ program gets, in the same order, epoch for epoch."""
import os
import pathlib
import re

import pytest

from training_jobs import TrainingJobs

PYTHON = pathlib.Path(__file__).resolve().parents[2] / "build/venv/tensorflow/bin/python"
RECORD = 3126  # bytes of a record of the sample, with its frame

# Both print, for each channel and epoch: the channel, the number of records, and a checksum over all of them in their order.
PYTHON_READER = r"""
    import zlib
    import tensorflow as tf
    from sagemaker_tensorflow import PipeModeDataset, PipeModeDatasetException

    for channel, record_format in [("train", "TFRecord"), ("wrapped", "RecordIO"), ("text", "TextLine")]:
        dataset = PipeModeDataset(channel, record_format).prefetch(100)
        for epoch in range(3):
            count, checksum = 0, 1
            for batch in dataset.batch(64):
                for record in batch.numpy():
                    count, checksum = count + 1, zlib.adler32(record + b"|", checksum)
            print(f"epoch {epoch} of {channel}: {count} records, {checksum:08x}", flush=True)
    try:
        PipeModeDataset("files")
    except PipeModeDatasetException as error:
        print("refused:", error, flush=True)
"""
CPP_READER = r"""
    #include <cstdint>
    #include <cstdio>
    #include <string>
    #include <utility>
    #include "headrace/data.h"
    using namespace headrace;
    struct Adler32 {
      uint32_t a = 1, b = 0;
      void Add(uint8_t byte) { a = (a + byte) % 65521, b = (b + a) % 65521; }
    };
    int main() {
      for (const auto& [channel, format] : {std::pair<std::string, std::string>{"train", "TFRecord"}, {"wrapped", "RecordIO"}, {"text", "TextLine"}}) {
        const auto dataset = data::PipeModeDataset(channel, format);
        for (int epoch = 0; epoch < 3; ++epoch) {
          int count = 0;
          Adler32 checksum;
          auto iterator = dataset.MakeIterator();
          while (const auto record = iterator.Next()) {
            ++count;
            for (const char byte : data::Bytes(record->x())) checksum.Add(static_cast<uint8_t>(byte));
            checksum.Add('|');
          }
          std::printf("epoch %d of %s: %d records, %08x\n", epoch, channel.c_str(), count, checksum.b << 16 | checksum.a);
          std::fflush(stdout);
        }
      }
    }
"""
TRAINER = r"""
    import tensorflow as tf
    from sagemaker_tensorflow import PipeModeDataset

    def parse(record):
        wanted = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
        example = tf.io.parse_single_example(record, wanted)
        image = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), [3, 32, 32])
        return tf.cast(image, tf.float32) / 255, example["label"]

    dataset = PipeModeDataset("train", record_format="TFRecord").repeat(3).map(parse).shuffle(200).batch(32, drop_remainder=True)
    model = tf.keras.Sequential([tf.keras.layers.Input([3, 32, 32]), tf.keras.layers.Flatten(), tf.keras.layers.Dense(10)])
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    steps = len(model.fit(dataset, epochs=1, verbose=2).history["loss"])
    print("trained", steps, flush=True)
"""
BROKEN = r"""
    from sagemaker_tensorflow import PipeModeDataset
    for i, record in enumerate(PipeModeDataset("train", "TFRecord")):
        pass
"""


@pytest.fixture(scope="session")
def server(make_server):
    if not PYTHON.exists():
        pytest.skip("there is no Python with TensorFlow here: scripts/setup --python")
    server = make_server("--python", PYTHON)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(server.client_environment())
    return server


@pytest.fixture(scope="module")
def jobs(server, boto):
    return TrainingJobs(server, boto)


@pytest.fixture(scope="module")
def channels(jobs, cifar10):
    """TFRecords, objects wrapped as RecordIO, lines of text: several objects each, shuffled anew for every epoch."""
    data = (cifar10 / "train/train.tfrecords").read_bytes()
    for i in range(8):
        jobs.put(f"train/{i}", data[i * 20 * RECORD: (i + 1) * 20 * RECORD])
        jobs.put(f"wrapped/{i}", data[: i * 1000])
        jobs.put(f"text/{i}", "".join(f"line {j} of object {i}\n" for j in range(50)).encode())
    shuffled = {"ShuffleConfig": {"Seed": 7}}
    return [("train", "train/", shuffled), ("wrapped", "wrapped/", {**shuffled, "RecordWrapperType": "RecordIO"}), ("text", "text/", shuffled)]


def completed(jobs, name):
    job = jobs.wait(name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), jobs.log(name)[-30:])
    return jobs.log(name)


def test_the_records_of_a_cpp_program_in_its_order(jobs, channels):
    names = [jobs.start("reader.py", PYTHON_READER, channels + [("files", "text/", {"InputMode": "File"})]),
             jobs.start("reader.cpp", CPP_READER, channels)]
    python, cpp = [[line for line in completed(jobs, name) if line.startswith("epoch ")] for name in names]
    assert len(cpp) == 9
    assert python == cpp
    counts = {channel: {line.split(", ")[0].split(": ")[1] for line in cpp if f" {channel}: " in line} for channel in ("train", "wrapped", "text")}
    assert counts == {"train": {"160 records"}, "wrapped": {"8 records"}, "text": {"400 records"}}
    assert len({re.sub("epoch [0-9]+", "", line) for line in cpp}) == 9, "every epoch has an order of its own"
    refused = [line for line in jobs.log(names[0]) if line.startswith("refused:")]
    assert len(refused) == 1 and "start the job with input_mode='Pipe'" in refused[0]


def test_keras_trains_in_pipe_mode(jobs, channels):
    assert "trained 1" in completed(jobs, jobs.start("trainer.py", TRAINER, channels[:1]))


def test_an_object_that_ends_inside_of_a_record_fails_the_job_by_its_place(jobs, cifar10):
    data = (cifar10 / "train/train.tfrecords").read_bytes()
    jobs.put("broken", data[: 30 * RECORD + 100])
    job = jobs.wait(name := jobs.start("broken.py", BROKEN, [("train", "broken", {})]))
    assert job["TrainingJobStatus"] == "Failed"
    assert f"channel train, epoch 0: record 30 at byte {30 * RECORD}: truncated: found 100 bytes, wanted {RECORD}" in job["FailureReason"], \
        jobs.log(name)[-20:]
