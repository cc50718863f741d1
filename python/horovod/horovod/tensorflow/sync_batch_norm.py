"""BatchNormalization with the moments of the batches of all ranks together."""
import tensorflow as tf

from horovod.common.ops import Sum
from horovod.common.process_sets import global_process_set
from horovod.tensorflow.collectives import grouped_allreduce

_KERAS_2 = hasattr(tf.keras.layers.BatchNormalization, '_fused_can_be_used')


@tf.keras.utils.register_keras_serializable(package='Horovod')
class SyncBatchNormalization(tf.keras.layers.BatchNormalization):
    """As tf.keras.layers.BatchNormalization; all ranks call it together, in training."""

    def __init__(self, fused=False, process_set=global_process_set, **options):
        if fused in (True, None):
            raise ValueError('SyncBatchNormalization does not support fused=True.')
        if _KERAS_2:
            options['fused'] = False  # the fused kernel takes no moments from elsewhere
        super(SyncBatchNormalization, self).__init__(**options)
        self._hvd_set = process_set

    def _moments(self, inputs, *rest, **options):
        """Keras 3 calls it with a mask; Keras 2 with axes, keep_dims=... and mask=..."""
        if (options['mask'] if 'mask' in options else rest[-1]) is not None:
            raise NotImplementedError('SyncBatchNormalization takes no mask')
        if self._hvd_set.size() == 1:
            return super(SyncBatchNormalization, self)._moments(inputs, *rest, **options)
        mean, variance = self._of_all_ranks(inputs)
        if options.get('keep_dims'):
            shape = self._shape(inputs)
            return tf.reshape(mean, shape), tf.reshape(variance, shape)
        return mean, variance

    def _axis(self, inputs):
        axis = self.axis if isinstance(self.axis, int) else self.axis[0]  # Keras 2 makes a list of it
        return axis % len(inputs.shape)

    def _shape(self, inputs):
        return [-1 if dimension == self._axis(inputs) else 1 for dimension in range(len(inputs.shape))]

    def _of_all_ranks(self, inputs):
        """Sums around the moving mean, which all ranks have alike: of values near it little is lost to cancellation."""
        axis = self._axis(inputs)
        others = [dimension for dimension in range(len(inputs.shape)) if dimension != axis]
        values = tf.cast(inputs, tf.float32)
        center = tf.stop_gradient(tf.cast(tf.convert_to_tensor(self.moving_mean), tf.float32))
        apart = values - tf.reshape(center, self._shape(inputs))
        count = tf.cast(tf.size(values) // tf.shape(values)[axis], tf.float32)
        total, squares, count = grouped_allreduce([tf.reduce_sum(apart, others), tf.reduce_sum(apart * apart, others), count],
                                                  op=Sum, process_set=self._hvd_set)
        mean = total / count
        variance = tf.maximum(squares / count - mean * mean, 0.0)
        return tf.cast(mean + center, inputs.dtype), tf.cast(variance, inputs.dtype)
