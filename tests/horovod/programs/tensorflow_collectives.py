"""horovod.tensorflow, eagerly and in a tf.function: values, gradients, order, tapes, variables."""
import numpy as np
import tensorflow as tf

import horovod.tensorflow as hvd


def both_ways(function):
    """What it returns eagerly and as a tf.function, which are the same."""
    eager, graph = function(), tf.function(function)()
    for one, other in zip(tf.nest.flatten(eager), tf.nest.flatten(graph)):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), eager)


def close(found, wanted):
    np.testing.assert_allclose(np.array(found, np.float64), wanted, rtol=1e-6)


def values(rank, size):
    mine = tf.reshape(tf.range(6, dtype=tf.float32), [3, 2]) + 10.0 * rank
    everyone = np.stack([np.arange(6).reshape(3, 2) + 10.0 * r for r in range(size)])
    for op, fold in ((hvd.Average, np.mean), (hvd.Sum, np.sum), (hvd.Min, np.min), (hvd.Max, np.max), (hvd.Product, np.prod)):
        close(both_ways(lambda op=op: hvd.allreduce(mine, op=op)), fold(everyone, axis=0))
    close(both_ways(lambda: hvd.allreduce(mine, average=False, prescale_factor=0.5)), everyone.sum(axis=0) / 2)
    grouped = both_ways(lambda: hvd.grouped_allreduce([mine, tf.cast(mine, tf.float64), tf.cast(rank, tf.int32)], op=hvd.Sum))
    close(grouped[0], everyone.sum(axis=0))
    close(grouped[1], everyone.sum(axis=0))
    assert grouped[2] == sum(range(size))
    for dtype in (tf.bfloat16, tf.float16, tf.int64, tf.uint8):
        found = both_ways(lambda dtype=dtype: hvd.allreduce(tf.cast([1, 2], dtype), op=hvd.Sum))
        assert found.dtype == dtype.as_numpy_dtype
        close(found, [size, 2 * size])
    assert both_ways(lambda: hvd.allreduce(tf.constant([rank == 0, True]), op=hvd.Min)).tolist() == [size == 1, True]
    close(both_ways(lambda: hvd.allgather(mine[:rank + 1])), np.concatenate([everyone[r][:r + 1] for r in range(size)]))
    close(both_ways(lambda: hvd.broadcast(mine, size - 1)), everyone[-1])
    rows = tf.repeat(tf.constant([float(rank)]), 2 * size)
    close(both_ways(lambda: hvd.alltoall(rows)), np.repeat(np.arange(size), 2))
    splits = both_ways(lambda: hvd.alltoall(rows, [2] * size))
    close(splits[1], [2] * size)
    close(both_ways(lambda: hvd.reducescatter(tf.ones([size, 3]), op=hvd.Sum)), np.full([1, 3], size))
    sliced = both_ways(lambda: tf.convert_to_tensor(hvd.allreduce(
        tf.IndexedSlices(mine[:1], tf.constant([rank]), dense_shape=[size, 2]))))
    close(sliced, everyone[:, 0] / size)
    for compression in (hvd.Compression.fp16, hvd.Compression.bf16):
        np.testing.assert_allclose(hvd.allreduce(mine / 7, compression=compression).numpy(), everyone.mean(axis=0) / 7, rtol=1e-2)


def gradients(rank, size):
    """As Horovod's: of an average the average, of a sum the sum."""
    def of(function, x):
        x = tf.Variable(x)

        def gradient():
            with tf.GradientTape() as tape:
                y = function(x)
                loss = tf.reduce_sum(y * float(rank + 1))
            return tape.gradient(loss, x)
        return both_ways(gradient)

    weights = np.arange(1, size + 1)
    close(of(lambda x: hvd.allreduce(x), [1.0, 2.0]), np.full(2, weights.mean()))
    close(of(lambda x: hvd.allreduce(x, op=hvd.Sum), [1.0, 2.0]), np.full(2, weights.sum()))
    close(of(lambda x: hvd.allgather(x), [[1.0, 2.0]] * (rank + 1)), np.full((rank + 1, 2), weights.mean()))
    close(of(lambda x: hvd.broadcast(x, 0), [1.0]), [weights.mean() if rank == 0 else 0.0])
    close(of(lambda x: hvd.alltoall(x), np.ones(2 * size, np.float32)), np.repeat(weights, 2))
    close(of(lambda x: hvd.reducescatter(x), np.ones((size, 1), np.float32)), weights[:, None])
    close(of(lambda x: hvd.reducescatter(x, op=hvd.Sum), np.ones((size, 1), np.float32)), size * weights[:, None])


def order(rank, size):
    """Nothing in the graph orders these collectives but the program."""
    @tf.function
    def many(x):
        return [hvd.allreduce(x * float(i), op=hvd.Sum) for i in range(20)]

    for _ in range(5):
        close(tf.stack(many(tf.constant(1.0))), np.arange(20) * size)


def traces(rank, size):
    """A rank that traces a function more often than the others."""
    @tf.function
    def mean(x):
        return hvd.allreduce(tf.reduce_sum(x)), hvd.allreduce(x[0]), hvd.allgather(x[:1])

    for length in range(1, 5):
        found = mean(tf.ones([length if rank == 0 else 3]))
        close(found[0], (length + 3 * (size - 1)) / size)
        close(found[1], 1)
        close(found[2], np.ones(size))


def tapes(rank, size):
    x = tf.Variable([1.0, 2.0])
    unused = tf.Variable(1.0)
    table = tf.Variable(tf.ones([4, 2]))

    def step(**options):
        with hvd.DistributedGradientTape(tf.GradientTape(), **options) as tape:
            loss = tf.reduce_sum(x * float(rank + 1)) + tf.reduce_sum(tf.gather(table, [rank]))
        return tape.gradient(loss, {"x": x, "unused": unused, "table": table})

    mean = (size + 1) / 2
    for options in ({}, {"gradient_predivide_factor": 2.0}, {"sparse_as_dense": True}):
        found = tf.function(lambda options=options: step(**options))()
        close(found["x"], [mean, mean])
        assert found["unused"] is None
        close(tf.convert_to_tensor(found["table"])[:size], np.full((size, 2), 1 / size))
    close(step(op=hvd.Sum)["x"], [mean * size] * 2)


def variables(rank, size):
    given = [tf.Variable([float(rank)]), tf.Variable(rank, dtype=tf.int64)]
    hvd.broadcast_variables(given, root_rank=size - 1)
    assert [float(v.numpy().sum()) for v in given] == [size - 1, size - 1]
    assert hvd.broadcast_object({"epoch": rank}, size - 1) == {"epoch": size - 1}


def sessions(rank, size):
    """TensorFlow 1: a graph, a hook, an optimizer."""
    with tf.Graph().as_default():
        x = tf.compat.v1.get_variable("x", initializer=tf.constant([1.0 + rank]))
        total, most = hvd.allreduce(x, op=hvd.Sum), hvd.allreduce(x, op=hvd.Max)
        optimizer = hvd.DistributedOptimizer(tf.compat.v1.train.GradientDescentOptimizer(1.0))
        train = optimizer.minimize(x * float(rank + 1))
        with tf.compat.v1.train.MonitoredTrainingSession(hooks=[hvd.BroadcastGlobalVariablesHook(0)]) as session:
            assert session.run([total, most]) == [[size], [1.0]]
            session.run(train)
            close(session.run(x), [1.0 - (size + 1) / 2])


def main():
    hvd.init()
    rank, size = hvd.rank(), hvd.size()
    for part in (values, gradients, order, traces, tapes, variables, sessions):
        part(rank, size)
    hvd.join()
    print(f"rank {rank}: all agree", flush=True)


main()
