"""Horovod for PyTorch.

    import horovod.torch as hvd
    hvd.init()
    optimizer = hvd.DistributedOptimizer(optimizer, named_parameters=model.named_parameters())
    hvd.broadcast_parameters(model.state_dict(), root_rank=0)
    hvd.broadcast_optimizer_state(optimizer, root_rank=0)
"""
from horovod import run  # noqa: F401
from horovod.common.basics import (  # noqa: F401
    ccl_built, cross_rank, cross_size, cuda_built, ddl_built, gloo_built, gloo_enabled, is_homogeneous, is_initialized, local_rank,
    local_size, mpi_built, mpi_enabled, mpi_threads_supported, nccl_built, rank, rocm_built, shutdown, size, start_timeline,
    stop_timeline)
from horovod.common.compression import Compression  # noqa: F401
from horovod.common.exceptions import HorovodInternalError, HostsUpdatedInterrupt  # noqa: F401
from horovod.common.objects import allgather_object, broadcast_object  # noqa: F401
from horovod.common.ops import Adasum, Average, Max, Min, Product, Sum  # noqa: F401
from horovod.common.process_sets import (  # noqa: F401
    ProcessSet, add_process_set, global_process_set, remove_process_set)
from horovod.torch.collectives import (  # noqa: F401
    allgather, allgather_async, allreduce, allreduce_, allreduce_async, allreduce_async_, alltoall, alltoall_async, barrier, broadcast,
    broadcast_, broadcast_async, broadcast_async_, grouped_allreduce, grouped_allreduce_, grouped_allreduce_async,
    grouped_allreduce_async_, init, join, poll, reducescatter, reducescatter_async, sparse_allreduce, synchronize)
from horovod.torch import elastic  # noqa: F401
from horovod.torch.optimizer import DistributedOptimizer  # noqa: F401
from horovod.torch.state import broadcast_optimizer_state, broadcast_parameters  # noqa: F401
from horovod.torch.sync_batch_norm import SyncBatchNorm  # noqa: F401
