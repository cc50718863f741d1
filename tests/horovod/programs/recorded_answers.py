"""What Horovod answers, of the real one or of ours: usage: recorded_answers.py OUT. Each rank writes OUT-RANK.npz."""
import sys

import numpy as np
import tensorflow as tf

import horovod.tensorflow as hvd

hvd.init()
rank, size = hvd.rank(), hvd.size()
random = np.random.RandomState(rank)
answers = {"version": np.array(getattr(hvd, "__version__", ""))}


def keep(name, *tensors):
    for i, tensor in enumerate(tensors):
        answers["{} {}".format(name, i)] = tensor.numpy()


for dtype in ("float32", "float64", "float16", "int32", "int64", "uint8"):
    mine = tf.constant(random.randint(1, 9, (6, 3)).astype(dtype))
    for op in ("Sum", "Average", "Min", "Max", "Product"):
        if op != "Average" or dtype.startswith("float"):
            keep("allreduce {} {}".format(dtype, op), hvd.allreduce(mine, op=getattr(hvd, op), name="allreduce.{}.{}".format(dtype, op)))
    keep("allgather " + dtype, hvd.allgather(mine[:rank + 1], name="allgather." + dtype))
    keep("broadcast " + dtype, hvd.broadcast(mine, size - 1, name="broadcast." + dtype))
    keep("alltoall " + dtype, *hvd.alltoall(mine, [2 + rank, 4 - rank], name="alltoall." + dtype))
    if dtype != "uint8":  # Horovod has no reducescatter of it
        keep("reducescatter " + dtype, hvd.reducescatter(mine[:5], op=hvd.Sum, name="reducescatter." + dtype))
real = tf.constant(random.normal(size=(40,)).astype("float32"))
keep("adasum", hvd.allreduce(real, op=hvd.Adasum, name="adasum"))
keep("scaled", hvd.allreduce(real, op=hvd.Sum, prescale_factor=0.5, postscale_factor=3.0, name="scaled"))
for name, function in (("average", lambda x: hvd.allreduce(x, name="g")), ("sum", lambda x: hvd.allreduce(x, op=hvd.Sum, name="h")),
                       ("allgather", lambda x: hvd.allgather(x, name="i")), ("broadcast", lambda x: hvd.broadcast(x, 0, name="j")),
                       ("alltoall", lambda x: hvd.alltoall(x, name="k"))):
    x = tf.Variable(tf.ones([4, 2]))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(function(x) * float(rank + 1))
    keep("gradient of " + name, tape.gradient(y, x))
with tf.GradientTape() as tape:
    y = tf.reduce_sum(x * x) * float(rank + 1)
keep("tape", *hvd.DistributedGradientTape(tape, gradient_predivide_factor=2.0).gradient(y, [x]))
np.savez("{}-{}.npz".format(sys.argv[1], rank), **answers)
print("rank {}: all agree".format(rank), flush=True)
hvd.shutdown()
