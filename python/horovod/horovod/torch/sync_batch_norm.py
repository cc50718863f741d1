"""BatchNorm with the moments of the batches of all ranks together."""
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from horovod.common.ops import Sum
from horovod.common.process_sets import global_process_set
from horovod.torch.collectives import grouped_allreduce


class SyncBatchNorm(_BatchNorm):
    """As torch.nn.BatchNorm1d, 2d and 3d; all ranks call it together, in training."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, process_set=global_process_set):
        super(SyncBatchNorm, self).__init__(num_features, eps, momentum, affine, track_running_stats)
        self._hvd_set = process_set

    def _check_input_dim(self, input):
        if input.dim() < 2:
            raise ValueError('expected at least 2D input (got {}D input)'.format(input.dim()))

    def forward(self, input):
        self._check_input_dim(input)
        if not self.training or self._hvd_set.size() == 1:
            return super(SyncBatchNorm, self).forward(input)
        others = [dimension for dimension in range(input.dim()) if dimension != 1]
        shape = [1, -1] + [1] * (input.dim() - 2)
        values = input.float()
        center = self.running_mean.float().clone() if self.running_mean is not None else torch.zeros(input.shape[1])
        apart = values - center.view(shape)  # of values near the mean little is lost to cancellation
        count = torch.tensor(float(values.numel() // values.shape[1]))
        total, squares, count = grouped_allreduce([apart.sum(others), (apart * apart).sum(others), count], op=Sum,
                                                  process_set=self._hvd_set)
        mean = total / count
        variance = (squares / count - mean * mean).clamp(min=0)
        if self.track_running_stats:
            self._remember(mean.detach() + center, variance.detach() * (count / (count - 1)))
        normal = (apart - mean.view(shape)) * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(input.dtype)

    def _remember(self, mean, variance):
        self.num_batches_tracked += 1
        momentum = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)
