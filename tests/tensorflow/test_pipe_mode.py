"""PipeModeDataset in the installed TensorFlow: what it reads, how it composes, how it fails.

HEADRACE_BIN names the folder of the build's programs (default build/release/bin); libheadrace_pipe.so is in lib/ beside it.
"""
import os
import pathlib
import re
import subprocess
import sys
import threading

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/release/bin"))
os.environ["HEADRACE_LIBRARY_DIR"] = str(BIN.parent / "lib")
sys.path.insert(0, str(ROOT / "python/sagemaker_tensorflow"))

import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset, PipeModeDatasetException, records
from pipe_channels import ENCODE, RECORDS, Channels, lines, recordio, tfrecords


@pytest.fixture
def channels(tmp_path):
    return Channels(tmp_path)


@pytest.fixture(params=["through TensorFlow", "through Python"])
def way(request, monkeypatch):
    """Both ways that records come in: TensorFlow before 2.5 knows the second alone."""
    assert records.READS_ITSELF
    monkeypatch.setattr(records, "READS_ITSELF", request.param == "through TensorFlow")


def elements(dataset):
    return [element.numpy() for element in dataset]


@pytest.mark.parametrize("record_format", ENCODE)
def test_every_iteration_is_the_next_epoch(channels, record_format, way):
    data = ENCODE[record_format](RECORDS)
    channels.feed("train", [data, data, ENCODE[record_format]([b"third"])])
    dataset = PipeModeDataset("train", record_format, **channels.options())
    assert isinstance(dataset, tf.data.Dataset)
    assert dataset.element_spec == tf.TensorSpec([], tf.string)
    assert elements(dataset) == RECORDS
    assert elements(dataset.repeat(2)) == RECORDS + [b"third"]
    assert channels.next_epoch("train") == 3


def test_recordio_is_the_default_and_its_parts_are_joined(channels):
    magic = b"\x0a\x23\xd7\xce"
    parts = magic + b"\x04\x00\x00\x20" + b"head" + magic + b"\x03\x00\x00\x60" + b"end\0"
    channels.feed("train", [recordio([b"whole"]) + parts])
    assert elements(PipeModeDataset("train", **channels.options())) == [b"whole", b"head" + magic + b"end"]


def test_datasets_of_one_channel_share_the_count_of_epochs(channels):
    channels.feed("train", [lines([b"%d" % epoch]) for epoch in range(4)])
    one, other = (PipeModeDataset("train", "TextLine", **channels.options()) for _ in range(2))
    assert elements(one) + elements(other) + elements(one) == [b"0", b"1", b"2"]
    zipped = tf.data.Dataset.zip((PipeModeDataset("train", "TextLine", **channels.options()),))
    assert [element.numpy() for element, in zipped] == [b"3"]


def test_composes_with_everything(channels, way):
    channels.feed("train", [tfrecords(RECORDS)] * 3)
    dataset = (PipeModeDataset("train", "TFRecord", **channels.options()).repeat(3).prefetch(10)
               .map(lambda record: (tf.strings.length(record), record), num_parallel_calls=4).shuffle(100, seed=1).batch(64, drop_remainder=True))
    batches = list(dataset)
    assert [batch[0].shape for batch in batches] == [(64,)] * 14
    seen = [record for batch in batches for record in batch[1].numpy().tolist()]
    assert set(seen) <= set(RECORDS) and seen != sorted(seen) and len(set(seen)) > 290


@pytest.mark.parametrize("size, drop_remainder, options", [(7, False, {}), (7, True, {}), (1000, False, {}), (7, False, {"num_parallel_calls": 2})])
def test_batches_are_those_of_the_records(channels, way, size, drop_remainder, options):
    """They are cut out of chunks, of which an epoch ends inside of a batch; asked for otherwise, TensorFlow makes them."""
    channels.feed("train", [tfrecords(RECORDS), tfrecords(RECORDS[:20])] * 2)
    dataset = PipeModeDataset("train", "TFRecord", **channels.options()).repeat(2)
    batches = dataset.batch(size, drop_remainder, **options)
    assert batches.element_spec == tf.TensorSpec([size if drop_remainder else None], tf.string)
    expected = RECORDS + RECORDS[:20]
    expected = [expected[i:i + size] for i in range(0, len(expected), size)]
    if drop_remainder and len(expected[-1]) < size: del expected[-1]
    for _ in range(2):  # iterations, of two epochs each
        assert [batch.numpy().tolist() for batch in batches] == expected


def test_a_batch_is_there_as_soon_as_its_records_have_come(channels, way):
    seen = threading.Semaphore(0)
    def slowly(fifo):
        for i in range(0, 20, 4):
            for record in RECORDS[i:i + 4]: fifo.write(tfrecords([record]))
            assert seen.acquire(timeout=60)
        fifo.write(tfrecords(RECORDS[:1])[:-3])
    channels.feed("train", [slowly])
    found = []
    with pytest.raises(tf.errors.OpError, match="record 20 at byte [0-9]+: truncated"):
        for batch in PipeModeDataset("train", "TFRecord", **channels.options()).batch(4):
            found.append(batch.numpy().tolist())
            seen.release()
    assert found == [RECORDS[i:i + 4] for i in range(0, 20, 4)]


def test_inside_a_function(channels, way):
    channels.feed("train", [tfrecords(RECORDS)] * 2)

    @tf.function
    def total(dataset):
        count = tf.constant(0)
        for record in dataset:
            count += tf.strings.length(record)
        return count

    dataset = PipeModeDataset("train", "TFRecord", **channels.options())
    assert [int(total(dataset)) for _ in range(2)] == [sum(map(len, RECORDS))] * 2


def test_in_graph_mode(channels, way):
    channels.feed("train", [tfrecords(RECORDS)] * 2)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = PipeModeDataset("train", "TFRecord", **channels.options()).repeat(2)
        following = tf.compat.v1.data.make_initializable_iterator(dataset)
        session.run(following.initializer)
        record = following.get_next()
        assert [session.run(record) for _ in range(600)] == RECORDS * 2
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(record)


def test_keras_trains_on_it(channels):
    rows = [b"%d,%d" % (i % 5, 2 * (i % 5) + 1) for i in range(64)]
    channels.feed("train", [lines(rows)] * 30)
    def parse(line):
        numbers = tf.strings.to_number(tf.strings.split(line, ","))
        return numbers[:1], numbers[1:]
    model = tf.keras.Sequential([tf.keras.layers.Input([1]), tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.SGD(0.05), "mse")
    history = model.fit(PipeModeDataset("train", "TextLine", **channels.options()).map(parse).batch(16), epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.2 < history.history["loss"][0]
    assert channels.next_epoch("train") == 30


def test_closing_early_ends_that_epoch_alone(channels, way):
    channels.feed("train", [tfrecords(RECORDS * 20)] * 3)
    dataset = PipeModeDataset("train", "TFRecord", **channels.options())
    assert elements(dataset.take(2)) == RECORDS[:2]
    assert elements(dataset.take(3).repeat(2)) == RECORDS[:3] * 2
    channels.feeders[0].join(60)
    assert not channels.feeders[0].is_alive()


def test_a_record_is_there_as_soon_as_it_has_come(channels, way):
    """Nobody waits for bytes behind it: the next record comes only when this one has been seen."""
    seen = threading.Semaphore(0)
    def slowly(fifo):
        for record in RECORDS[:20]:
            fifo.write(tfrecords([record]))
            assert seen.acquire(timeout=60)
    channels.feed("train", [slowly])
    found = []
    for record in PipeModeDataset("train", "TFRecord", **channels.options()):
        found.append(record.numpy())
        seen.release()
    assert found == RECORDS[:20]


@pytest.mark.parametrize("record_format, tail, told", [
    ("TFRecord", -10, "truncated: found"), ("RecordIO", -10, "truncated: found"), ("TFRecord", 10, "truncated: found")])
def test_an_end_inside_of_a_record_is_an_error_behind_those_before_it(channels, way, record_format, tail, told):
    data = ENCODE[record_format](RECORDS[:10])
    channels.feed("train", [data[:tail] if tail < 0 else data + b"x" * tail])
    dataset = PipeModeDataset("train", record_format, **channels.options())
    complete = RECORDS[:9] if tail < 0 else RECORDS[:10]
    found = []
    with pytest.raises(tf.errors.OpError, match=rf"channel train, epoch 0: record {len(complete)} at byte [0-9]+: {told}") as failed:
        for record in dataset:
            found.append(record.numpy())
    assert found == complete
    if records.READS_ITSELF:
        assert isinstance(failed.value, tf.errors.DataLossError)


def test_corrupt_records_are_told_or_skipped(channels, capfd, way):
    data = bytearray(tfrecords(RECORDS[:30]))
    data[sum(len(record) + 16 for record in RECORDS[:20]) + 20] ^= 1
    channels.feed("train", [bytes(data)] * 2)
    with pytest.raises(tf.errors.OpError, match="record 20 at byte [0-9]+: corrupt data of [0-9]+ bytes: its masked CRC32C is"):
        elements(PipeModeDataset("train", "TFRecord", **channels.options()))
    skipping = PipeModeDataset("train", "TFRecord", max_corrupted_records_to_skip=1, **channels.options())
    assert elements(skipping) == RECORDS[:20] + RECORDS[21:30]
    assert "PipeModeDataset channel: train epoch: 1 skipped_corrupt_records: 1" in capfd.readouterr().out


def test_wrong_uses_are_told_at_once(channels):
    channels.declare(train="Pipe", files="File")
    def refused(*arguments, **more):
        with pytest.raises(PipeModeDatasetException) as told:
            PipeModeDataset(*arguments, **dict(channels.options(), **more))
        return str(told.value)
    assert "channel test: the job has no such channel; it has: files, train" in refused("test")
    assert "start the job with input_mode='Pipe'" in refused("files")
    assert "wanted TFRecord, RecordIO or TextLine" in refused("train", "CSV")
    assert "can only be set for record_format='TFRecord'" in refused("train", max_corrupted_records_to_skip=1)
    assert "Pipe mode works inside a training job" in refused("train", config_dir="/nowhere")


def test_benchmark_mode_prints_sagemakers_lines(channels, capfd, way):
    channels.feed("train", [lines([b"abc"] * 5)])
    dataset = PipeModeDataset("train", "TextLine", benchmark=True, benchmark_records_interval=2, **channels.options())
    assert len(elements(dataset)) == 5
    del dataset
    out = capfd.readouterr().out
    prefix = "PipeModeDatasetOp::Dataset::Iterator "
    assert prefix + "records: 2\n" in out and prefix + "records: 4\n" in out
    assert prefix + "total read_bytes: 15\n" in out
    assert re.search(rf"^{prefix}total read_GB/s: [0-9.e+-]+$", out, re.MULTILINE)


def test_the_library_needs_nothing_that_a_machine_may_lack():
    needed = subprocess.run(["readelf", "-d", BIN.parent / "lib/libheadrace_pipe.so"], check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"NEEDED.*\[(.*)\]", needed)) <= {"libz.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}


def test_an_iterator_is_not_restored_from_a_checkpoint(channels, tmp_path):
    """The next epoch would give it other records than it was about to read."""
    channels.feed("train", [tfrecords(RECORDS * 20)] * 2)
    dataset = PipeModeDataset("train", "TFRecord", **channels.options())
    iterator = iter(dataset)
    assert [next(iterator).numpy() for _ in range(120)] == RECORDS[:120]
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "checkpoint"))
    del iterator  # the FIFO of its epoch is closed with it
    resumed = iter(dataset)
    with pytest.raises(tf.errors.FailedPreconditionError, match="cannot be restored from a checkpoint"):
        tf.train.Checkpoint(iterator=resumed).restore(saved)
        elements(resumed)
