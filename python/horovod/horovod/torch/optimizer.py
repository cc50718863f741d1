"""Optimizers over all ranks: while backward runs, each gradient is reduced as soon as it is final; step() waits for all."""
import collections
import contextlib

import torch

from horovod.common.compression import Compression
from horovod.common.ops import Adasum, Average, Sum
from horovod.common.process_sets import global_process_set
from horovod.torch.collectives import (
    _start_allreduce, grouped_allreduce_, sparse_allreduce, synchronize)


def _names(optimizer, named_parameters):
    """By parameter, unique, the same on all ranks."""
    parameters = [p for group in optimizer.param_groups for p in group['params']]
    named = list(named_parameters) if named_parameters is not None else []
    if any(not isinstance(each, tuple) for each in named):
        raise ValueError('named_parameters should be a sequence of tuples (name, parameter), usually produced by '
                         'model.named_parameters().')
    twice = [name for name, count in collections.Counter(name for name, _ in named).items() if count > 1]
    if twice:
        raise ValueError('Parameter names in named_parameters must be unique. Found duplicates: {}'.format(', '.join(twice)))
    names = {parameter: name for name, parameter in named}
    if named and any(p not in names for p in parameters):
        raise ValueError('named_parameters was specified, but one or more model parameters were not named. Python object ids: ' +
                         ', '.join(str(id(p)) for p in parameters if p not in names))
    return names or {p: 'noname.{}'.format(i) for i, p in enumerate(parameters)}


def _groups(parameters, groups):
    """Lists of parameters that travel together. `groups`: how many, or the lists; what is in none travels alone."""
    if groups is None:
        return []
    if isinstance(groups, int):
        if groups < 0:
            raise ValueError('num_groups should be a non-negative integer')
        if groups == 0:
            return []
        return [parameters[i * len(parameters) // groups:(i + 1) * len(parameters) // groups] for i in range(groups)]
    found = [p for group in groups for p in group]
    if len(set(found)) != len(found):
        raise ValueError('groups: a parameter is in more than one of them')
    return [list(group) for group in groups]


class _Exchange(object):
    """The gradients of one optimizer on their way."""

    def __init__(self, optimizer, names, groups, options):
        self.options = options
        self.names = names
        self.passes = options['backward_passes_per_step']
        self.parameters = [p for group in optimizer.param_groups for p in group['params'] if p.requires_grad]
        grouped = [group for group in _groups(self.parameters, groups) if group]
        alone = set(self.parameters) - {p for group in grouped for p in group}
        self.groups = grouped + [[p] for p in self.parameters if p in alone]
        self.group_of = {p: i for i, group in enumerate(self.groups) for p in group}
        self.left = {p: self.passes for p in self.parameters}
        self.handles = {}  # by group
        self.should_synchronize, self.synchronized = True, False
        self._accumulators = []
        if options['process_set'].size() > 1:
            self._watch()

    def _watch(self):
        for p in self.parameters:
            accumulator = p.expand_as(p).grad_fn.next_functions[0][0]  # it adds to p.grad, and lives as long as it is kept
            accumulator.register_hook(lambda *_, p=p: self._final(p))
            self._accumulators.append(accumulator)

    def _final(self, p):
        group = self.group_of[p]
        if group in self.handles or self.left[p] <= 0:
            raise AssertionError(
                'Gradients were computed more than backward_passes_per_step times before call to step(). Increase '
                'backward_passes_per_step to accumulate gradients locally.')
        self.left[p] -= 1
        if all(self.left[member] == 0 for member in self.groups[group]):
            self._start(group)

    def _dense(self, p):
        if p.grad is None:  # unused here; perhaps not on other ranks
            p.grad = torch.zeros_like(p)
        if p.grad.is_sparse and self.options['sparse_as_dense']:
            p.grad = p.grad.to_dense()
        return not p.grad.is_sparse

    def _start(self, group):
        members = self.groups[group]
        if not all([self._dense(p) for p in members]):
            return  # gathered by finish(), for all ranks in one order
        compression, op, factor = self.options['compression'], self.options['op'], self.options['gradient_predivide_factor']
        scales = {'prescale': 1.0, 'postscale': 1.0, 'op': op}
        if factor != 1.0:  # sums of g / f, times f / size
            scales = {'prescale': 1.0 / factor, 'postscale': factor / self.options['process_set'].size(), 'op': Sum}
        packed = [compression.compress(p.grad) for p in members]
        tensors = [tensor for tensor, _ in packed]
        name = 'allreduce.' + self.names[members[0]]
        handle = _start_allreduce(tensors, tensors, len(members) == 1, None, name, process_set=self.options['process_set'],
                                  wire=getattr(compression, 'wire', 0), **scales)
        self.handles[group] = (handle, packed)

    def finish(self):
        """Waits until every gradient is that of all ranks."""
        if self.options['process_set'].size() > 1:
            for group, members in enumerate(self.groups):
                if group not in self.handles:
                    self._start(group)
            for group, members in enumerate(self.groups):
                if group in self.handles:
                    self._receive(*self.handles[group], members=members)
                else:
                    for p in members:
                        dense = p.grad.to_sparse() if not p.grad.is_sparse else p.grad
                        p.grad = sparse_allreduce(dense, 'allreduce.' + self.names[p], self.options['op'], self.options['process_set'])
        self.handles.clear()
        self.left = {p: self.passes for p in self.parameters}
        self.synchronized = True

    def _receive(self, handle, packed, members):
        synchronize(handle)
        for p, (tensor, context) in zip(members, packed):
            if tensor is not p.grad:
                with torch.no_grad():
                    p.grad.copy_(self.options['compression'].decompress(tensor, context))


def _distributed(base, exchange, instance_step):
    """`base` with an exchange before its steps. `instance_step`: what a scheduler has put in the place of base.step."""

    class Distributed(base):
        def step(self, closure=None):
            step = instance_step or super(Distributed, self).step
            if closure is not None:
                def reduced():
                    loss = closure()
                    self.synchronize()
                    return loss
                return step(reduced)
            if exchange.should_synchronize:
                if exchange.synchronized:
                    import warnings
                    warnings.warn('optimizer.step() called without optimizer.skip_synchronize() context after '
                                  'optimizer.synchronize(). This can cause training slowdown. You may want to consider using '
                                  'optimizer.skip_synchronize() context if you use optimizer.synchronize() in your code.')
                self.synchronize()
            exchange.synchronized = False
            return step()

        def synchronize(self):
            exchange.finish()

        @contextlib.contextmanager
        def skip_synchronize(self):
            """For steps behind a synchronize() of the program's own."""
            exchange.should_synchronize = False
            try:
                yield
            finally:
                exchange.should_synchronize = True

        def set_backward_passes_per_step(self, passes):
            exchange.passes = passes
            exchange.left = {p: passes for p in exchange.parameters}

        def zero_grad(self, *args, **kwargs):
            if exchange.handles:
                raise AssertionError('optimizer.zero_grad() was called after loss.backward() but before optimizer.step() or '
                                     'optimizer.synchronize(). This is prohibited as it can cause a race condition.')
            return super(Distributed, self).zero_grad(*args, **kwargs)

    return Distributed


def _adasum(base, process_set, instance_step):
    """`base` whose ranks step alone, and combine how far they have come."""

    class Distributed(base):
        def step(self, closure=None):
            parameters = [p for group in self.param_groups for p in group['params'] if p.requires_grad]
            before = [p.detach().clone() for p in parameters]
            loss = (instance_step or super(Distributed, self).step)(closure)
            if process_set.size() > 1:
                moved = [p.detach() - start for p, start in zip(parameters, before)]
                grouped_allreduce_(moved, op=Adasum, name='adasum')
                with torch.no_grad():
                    for p, start, delta in zip(parameters, before, moved):
                        p.copy_(start + delta)
            return loss

    return Distributed


def DistributedOptimizer(optimizer, named_parameters=None, compression=Compression.none, backward_passes_per_step=1, op=Average,
                         gradient_predivide_factor=1.0, num_groups=0, groups=None, sparse_as_dense=False,
                         process_set=global_process_set):
    """The same optimizer, with its state, whose steps from now on are those of the gradients of all ranks. So many backward passes
    per step add up on each rank before they are exchanged."""
    if op not in (Average, Sum, Adasum):
        raise ValueError('hvd.DistributedOptimizer: op: wanted Average, Sum or Adasum')
    if gradient_predivide_factor != 1.0 and op != Average:
        raise ValueError('gradient_predivide_factor not supported with op != Average')
    if hasattr(optimizer, 'skip_synchronize'):
        raise ValueError('hvd.DistributedOptimizer: this {} is a DistributedOptimizer already'.format(type(optimizer).__name__))
    base = type(optimizer)
    instance_step = optimizer.__dict__.pop('step', None)
    if op == Adasum:
        made = _adasum(base, process_set, instance_step)
    else:
        options = {'compression': compression, 'backward_passes_per_step': backward_passes_per_step, 'op': op,
                   'gradient_predivide_factor': gradient_predivide_factor, 'sparse_as_dense': sparse_as_dense,
                   'process_set': process_set}
        exchange = _Exchange(optimizer, _names(optimizer, named_parameters), groups if groups is not None else num_groups or None,
                             options)
        made = _distributed(base, exchange, instance_step)
    made.__name__, made.__qualname__, made.__module__ = base.__name__, base.__qualname__, base.__module__
    optimizer.__class__ = made
    return optimizer
