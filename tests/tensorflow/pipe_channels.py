"""A job's directories with channels in Pipe mode, fed by threads of the test, in whatever Python the test runs in (3.6 and on)."""
import json
import os
import struct
import threading

RECORDS = [b"%d " % i + bytes((i * 7 + j) % 9 + 65 for j in range(i * 37 % 5000)) for i in range(300)]  # no newline in any


class Channels:
    """Below `root`: the FIFOs, the configuration and the state of a job."""

    def __init__(self, root):
        self.root = str(root)
        self.feeders = []
        self.modes = {}

    def options(self):
        """Where a PipeModeDataset finds all this."""
        return {"pipe_dir": os.path.join(self.root, "data"), "config_dir": os.path.join(self.root, "config"),
                "state_dir": os.path.join(self.root, "state")}

    def declare(self, **modes):
        for directory in ("data", "config", "state"):
            os.makedirs(os.path.join(self.root, directory), exist_ok=True)
        self.modes.update(modes)
        with open(os.path.join(self.root, "config/inputdataconfig.json"), "w") as file:
            json.dump({channel: {"TrainingInputMode": mode} for channel, mode in self.modes.items()}, file)

    def feed(self, channel, epochs):
        """`epochs`: the bytes of each, or a function of the open FIFO that writes them."""
        self.declare(**{channel: "Pipe"})
        paths = [os.path.join(self.root, "data", "{}_{}".format(channel, i)) for i in range(len(epochs))]
        for path in paths:
            os.mkfifo(path)
        feeder = threading.Thread(target=self._feed, args=(paths, epochs), daemon=True)
        self.feeders.append(feeder)
        feeder.start()

    def next_epoch(self, channel):
        with open(os.path.join(self.root, "state/.{}-pipe_mode-state".format(channel))) as file:
            return int(file.read())

    @staticmethod
    def _feed(paths, epochs):
        for path, content in zip(paths, epochs):
            try:
                with open(path, "wb", 0) as fifo:
                    if callable(content):
                        content(fifo)
                        continue
                    view = memoryview(content)
                    while view:
                        view = view[fifo.write(view):]
            except BrokenPipeError:
                pass  # the reader has closed early: the epoch is over


def recordio(records):
    frames = [struct.pack("<II", 0xced7230a, len(record)) + record + bytes(-len(record) % 4) for record in records]
    return b"".join(frames)


def lines(records):
    return b"".join(record + b"\n" for record in records)


def tfrecords(records):
    """By TensorFlow's own writer."""
    import tempfile
    import tensorflow as tf
    with tempfile.NamedTemporaryFile() as file:
        with tf.io.TFRecordWriter(file.name) as writer:
            for record in records:
                writer.write(record)
        return open(file.name, "rb").read()


ENCODE = {"TFRecord": tfrecords, "RecordIO": recordio, "TextLine": lines}
