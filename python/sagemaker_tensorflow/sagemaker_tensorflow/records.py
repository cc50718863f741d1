"""How records come into TensorFlow: in chunks, through a filesystem that it loads; before its version 2.5, through Python."""
import tensorflow as tf

from sagemaker_tensorflow import library

SCHEME = "headrace.pipe://"


def _register():
    """Whether this TensorFlow reads epochs by itself from now on."""
    register = getattr(getattr(tf, "experimental", None), "register_filesystem_plugin", None)
    if register is None:
        return False
    register(library.PATH)
    return True


READS_ITSELF = _register()


class ChunkedRecords(tf.data.Dataset):
    """Scalar strings that come many at a time. What tf.data does to elements it does to each of them, which takes longer than to read
    and verify them; a batch is cut out of the chunks instead, where that is known to this TensorFlow (2.11 and on)."""

    def __init__(self, records, chunks):
        """`chunks`: vectors of the strings that `records` has one by one."""
        self._records, self._chunks = records, chunks
        if hasattr(tf.data.Dataset, "_as_variant_tensor"):  # TensorFlow 1 asks for it
            super(ChunkedRecords, self).__init__()
        else:
            super(ChunkedRecords, self).__init__(self._as_variant_tensor())

    def batch(self, batch_size, drop_remainder=False, *more, **options):
        if more or options or not isinstance(drop_remainder, bool) or not hasattr(self._chunks, "rebatch"):
            return super(ChunkedRecords, self).batch(batch_size, drop_remainder, *more, **options)
        return self._chunks.rebatch(batch_size, drop_remainder)

    def repeat(self, count=None, **options):
        return ChunkedRecords(self._records.repeat(count, **options), self._chunks.repeat(count, **options))

    def _as_variant_tensor(self):
        return self._records._variant_tensor

    def _inputs(self):
        return [self._records]

    @property
    def element_spec(self):
        return tf.TensorSpec([], tf.string)


def chunks(options):
    """The channel's records, many at a time. Each iteration takes the next epoch."""
    return _through_tensorflow(options) if READS_ITSELF else _through_python(options)


def _through_tensorflow(options):
    """An epoch is a file of the names of its chunks (src/pipe_filesystem/chunk_tickets.h). It is read without a buffer: a chunk
    is what has come, and is not kept waiting for what comes behind it."""
    return tf.data.TFRecordDataset(SCHEME + options, buffer_size=0).map(lambda name: _strings(tf.io.read_file(name)))


def _through_python(options):
    return tf.data.Dataset.from_generator(lambda: library.read_epoch(options), tf.string, tf.TensorShape([])).map(_strings)


def _strings(chunk):
    return tf.ensure_shape(tf.io.parse_tensor(chunk, tf.string), [None])
