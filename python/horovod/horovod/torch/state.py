"""What a model and its optimizer are made of, from one rank to all."""
import torch

from horovod.common.library import place
from horovod.common.objects import broadcast_object
from horovod.common.process_sets import global_process_set
from horovod.torch.collectives import broadcast_async_, synchronize


def broadcast_parameters(params, root_rank, process_set=global_process_set):
    """All ranks get the tensors of rank `root_rank`: of model.state_dict(), or of model.named_parameters()."""
    handles = [broadcast_async_(tensor, root_rank, 'broadcast_parameters.' + name, process_set)
               for name, tensor in (sorted(params.items()) if isinstance(params, dict) else params) if torch.is_tensor(tensor)]
    for handle in handles:
        synchronize(handle)


def broadcast_optimizer_state(optimizer, root_rank, model=None, process_set=global_process_set):
    """All ranks get the optimizer's state of rank `root_rank`, its options included."""
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError('cannot broadcast torch.optim.LBFGS state')
    state = broadcast_object(optimizer.state_dict(), root_rank, 'broadcast_optimizer_state', process_set)
    if place().rank != root_rank:
        optimizer.load_state_dict(state)
