"""Something goes wrong with the last rank, without a framework. usage: faults.py CASE"""
import os
import signal
import sys

import numpy

from horovod.common import basics as hvd
from horovod.common import numpy_arrays
from horovod.common.exceptions import HorovodInternalError


def reduce(name, *shape):
    numpy_arrays.allreduce([numpy.zeros(shape, numpy.float32)], name)


def differs(last):
    try:
        reduce("loss", 3 if last else 2)
    except HorovodInternalError as error:
        print("rank {}: {}".format(hvd.rank(), error), flush=True)
    reduce("behind it", 2)  # and it goes on


def raises(last):
    if last:
        raise ValueError("record 7 is corrupt")
    reduce("loss", 2)


def dies(last):
    if last:
        os.kill(os.getpid(), signal.SIGKILL)
    reduce("loss", 2)


def leaves(last):
    if not last:
        reduce("loss", 2)


hvd.init()
{"differs": differs, "raises": raises, "dies": dies, "leaves": leaves}[sys.argv[1]](hvd.rank() == hvd.size() - 1)
print("rank {}: done".format(hvd.rank()), flush=True)
