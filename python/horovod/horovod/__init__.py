"""Horovod for Python over Headrace's collectives (libheadrace_hvd): horovod.tensorflow, horovod.keras, horovod.tensorflow.keras
and horovod.torch, with Horovod's names and meaning. Programs are started by mpirun, or by a training job with MPI."""

__version__ = '0.28.1+headrace'  # the interface's version


def run(*arguments, **options):
    """horovod.run() of the original starts ranks; here mpirun does."""
    raise NotImplementedError(
        'horovod.run() is not here: start the program with `mpirun -np 2 -bind-to none python train.py`, or as a training job with '
        "distributions={'mpi': {'enabled': True, 'processes_per_host': 2}}")
