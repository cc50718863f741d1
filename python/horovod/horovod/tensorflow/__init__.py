"""Horovod for TensorFlow.

    import horovod.tensorflow as hvd
    hvd.init()
    tape = hvd.DistributedGradientTape(tape)
"""
import tensorflow as tf

from horovod import run  # noqa: F401
from horovod.common.basics import (  # noqa: F401
    ccl_built, cross_rank, cross_size, cuda_built, ddl_built, gloo_built, gloo_enabled, init, is_homogeneous, is_initialized,
    local_rank, local_size, mpi_built, mpi_enabled, mpi_threads_supported, nccl_built, rank, rocm_built, shutdown, size,
    start_timeline, stop_timeline)
from horovod.common.compression import Compression  # noqa: F401
from horovod.common.exceptions import HorovodInternalError, HostsUpdatedInterrupt  # noqa: F401
from horovod.common.objects import allgather_object, broadcast_object  # noqa: F401
from horovod.common.ops import Adasum, Average, Max, Min, Product, Sum  # noqa: F401
from horovod.common.process_sets import (  # noqa: F401
    ProcessSet, add_process_set, get_process_sets, global_process_set, remove_process_set)
from horovod.tensorflow.collectives import (  # noqa: F401
    allgather, allreduce, alltoall, barrier, broadcast, grouped_allgather, grouped_allreduce, grouped_reducescatter, join,
    reducescatter)
from horovod.tensorflow import elastic  # noqa: F401
from horovod.tensorflow.gradients import DistributedGradientTape, DistributedOptimizer  # noqa: F401
from horovod.tensorflow.variables import (  # noqa: F401
    BroadcastGlobalVariablesHook, broadcast_, broadcast_global_variables, broadcast_object_fn, broadcast_variables)


def rank_op(name=None):
    return tf.constant(rank(), tf.int32, name=name)


def size_op(process_set_id=0, name=None):
    return tf.constant(get_process_sets()[process_set_id].size(), tf.int32, name=name)


def local_rank_op(name=None):
    return tf.constant(local_rank(), tf.int32, name=name)


def local_size_op(name=None):
    return tf.constant(local_size(), tf.int32, name=name)


def __getattr__(name):
    if name == 'SyncBatchNormalization':  # of Keras, which programs without it need not load
        from horovod.tensorflow.sync_batch_norm import SyncBatchNormalization
        return SyncBatchNormalization
    raise AttributeError('horovod.tensorflow has no {}'.format(name))
