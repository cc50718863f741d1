"""Horovod for Python over Headrace's collectives (libheadrace_hvd): horovod.tensorflow, horovod.keras, horovod.tensorflow.keras
and horovod.torch, with Horovod's names and meaning. Programs are started by mpirun, or by a training job with MPI."""
from horovod.runner import run  # noqa: F401

__version__ = '0.28.1+headrace'  # the interface's version
