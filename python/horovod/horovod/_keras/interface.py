"""What horovod.keras and horovod.tensorflow.keras have, for one Keras or another."""
from horovod._keras import callbacks, elastic
from horovod._keras.optimizer import distribute, is_distributed
from horovod.tensorflow import (  # noqa: F401
    Adasum, Average, Compression, HorovodInternalError, Max, Min, ProcessSet, Product, Sum, add_process_set, allgather,
    allgather_object, allreduce, alltoall, barrier, broadcast, broadcast_global_variables, broadcast_object, broadcast_variables,
    ccl_built, cross_rank, cross_size, cuda_built, ddl_built, global_process_set, gloo_built, gloo_enabled, grouped_allreduce, init,
    is_homogeneous, is_initialized, join, local_rank, local_size, mpi_built, mpi_enabled, mpi_threads_supported, nccl_built, rank,
    reducescatter, remove_process_set, rocm_built, shutdown, size, start_timeline, stop_timeline)


def DistributedOptimizer(optimizer, name=None, device_dense='', device_sparse='', compression=Compression.none,
                         sparse_as_dense=False, gradient_predivide_factor=1.0, op=Average, backward_passes_per_step=1,
                         average_aggregated_gradients=False, num_groups=0, groups=None, process_set=global_process_set,
                         scale_local_gradients=True):
    """The same optimizer, whose updates from now on are those of the gradients of all ranks: their average, or their sum. So many
    backward passes per step are summed on each rank before they are exchanged."""
    return distribute(optimizer, name=name, compression=compression, sparse_as_dense=sparse_as_dense, op=op,
                      gradient_predivide_factor=gradient_predivide_factor, backward_passes_per_step=backward_passes_per_step,
                      average_aggregated_gradients=average_aggregated_gradients, process_set=process_set)


def loader(keras):
    def load_model(filepath, custom_optimizers=None, custom_objects=None, compression=Compression.none, **options):
        """keras.models.load_model(), with the model's optimizer distributed."""
        objects = {optimizer.__name__: optimizer for optimizer in custom_optimizers or []}
        objects.update(custom_objects or {})
        model = keras.models.load_model(filepath, custom_objects=objects, **options)
        if getattr(model, 'optimizer', None) is not None and not is_distributed(model.optimizer):
            distribute(model.optimizer, compression=compression)
        return model

    return load_model


def _as_callbacks(keras, kinds):
    return {kind.__name__ + 'Callback': type(kind.__name__ + 'Callback', (kind, keras.callbacks.Callback),
                                          {'__doc__': kind.__doc__, 'keras': keras})
            for kind in kinds}


def callbacks_of(keras):
    """By Horovod's names."""
    return _as_callbacks(keras, (callbacks.BroadcastGlobalVariables, callbacks.MetricAverage, callbacks.LearningRateSchedule,
                                 callbacks.LearningRateWarmup))


def elastic_callbacks_of(keras):
    return _as_callbacks(keras, (elastic.CommitState, elastic.UpdateBatchState, elastic.UpdateEpochState))


__all__ = [name for name in dir() if not name.startswith('_') and name not in ('callbacks', 'elastic', 'distribute', 'is_distributed')]
