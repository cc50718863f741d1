"""PipeModeDataset: the records of a training job's channel in Pipe mode as a tf.data.Dataset."""
import json

from sagemaker_tensorflow import library, records


class PipeModeDatasetException(Exception):
    """The channel cannot be read with a PipeModeDataset; the message says how it can be."""


class PipeModeDataset(records.ChunkedRecords):
    """The records of a channel, scalar strings.

        dataset = PipeModeDataset("train", record_format="TFRecord").repeat(10).prefetch(10).map(parse).batch(64)

    Every iteration (an iterator, a turn of repeat()) reads one epoch, from the channel's next FIFO, until its end or until the
    iterator goes. All datasets and processes of a job share the number of the next epoch.
    """

    def __init__(self, channel, record_format="RecordIO", state_dir="", pipe_dir="", config_dir="", benchmark=False,
                 benchmark_records_interval=0, max_corrupted_records_to_skip=0):
        """
        Args:
            channel: the channel's name.
            record_format: "RecordIO", "TFRecord" or "TextLine".
            state_dir: where the number of the next epoch is kept; by default /opt/ml/pipe_state.
            pipe_dir: where the channel's FIFOs are; by default /opt/ml/input/data.
            config_dir: where inputdataconfig.json is; by default /opt/ml/input/config.
            benchmark: print how long reading took, how much it was and how fast, whenever an iterator goes.
            benchmark_records_interval: with `benchmark`, print it every so many records as well; 0: do not.
            max_corrupted_records_to_skip: of an epoch, instead of raising tf.errors.DataLossError; TFRecords only.
        """
        if max_corrupted_records_to_skip > 0 and record_format != "TFRecord":
            raise PipeModeDatasetException(
                "max_corrupted_records_to_skip can only be set for record_format='TFRecord': found {!r}".format(record_format))
        options = json.dumps({
            "channel": channel, "record_format": record_format, "state_dir": state_dir, "pipe_dir": pipe_dir,
            "config_dir": config_dir, "benchmark": bool(benchmark), "benchmark_records_interval": benchmark_records_interval,
            "max_corrupted_records_to_skip": max_corrupted_records_to_skip})
        wrong = library.check(options)
        if wrong:
            raise PipeModeDatasetException(wrong)
        chunks = records.chunks(options)
        # A chunk is read and verified while the one before is handed out, record by record.
        super(PipeModeDataset, self).__init__(chunks.prefetch(1).unbatch(), chunks)
