"""BatchNormalization with the moments of the batches of all ranks together."""
import tensorflow as tf

from horovod.common.ops import Sum
from horovod.common.process_sets import global_process_set
from horovod.tensorflow.collectives import grouped_allreduce


class SyncBatchNormalization(tf.keras.layers.BatchNormalization):
    """As tf.keras.layers.BatchNormalization; all ranks call it together, in training."""

    def __init__(self, fused=False, process_set=global_process_set, **options):
        if fused in (True, None):
            raise ValueError('SyncBatchNormalization does not support fused=True.')
        super(SyncBatchNormalization, self).__init__(**options)
        self._hvd_set = process_set

    def _moments(self, inputs, mask):
        """Sums around the moving mean, which all ranks have alike: of values near it little is lost to cancellation."""
        if mask is not None:
            raise NotImplementedError('SyncBatchNormalization takes no mask')
        if self._hvd_set.size() == 1:
            return super(SyncBatchNormalization, self)._moments(inputs, mask)
        axis = self.axis % len(inputs.shape)
        others = [dimension for dimension in range(len(inputs.shape)) if dimension != axis]
        values = tf.cast(inputs, tf.float32)
        shape = [1] * len(inputs.shape)
        shape[axis] = -1
        center = tf.stop_gradient(tf.cast(tf.convert_to_tensor(self.moving_mean), tf.float32))
        apart = values - tf.reshape(center, shape)
        count = tf.cast(tf.size(values) // tf.shape(values)[axis], tf.float32)
        total, squares, count = grouped_allreduce([tf.reduce_sum(apart, others), tf.reduce_sum(apart * apart, others), count],
                                                  op=Sum, process_set=self._hvd_set)
        mean = total / count
        variance = tf.maximum(squares / count - mean * mean, 0.0)
        return tf.cast(mean + center, inputs.dtype), tf.cast(variance, inputs.dtype)
