"""Collectives of TensorFlow's tensors: eagerly, in a tf.function, and in a graph of TensorFlow 1.

In a graph a collective is a call of Python. A tf.function makes its calls one after another, in the order in which the program made
them, on all ranks alike: two ranks never wait for each other's other collective. A graph of TensorFlow 1 makes them when it comes to
them; so what belongs together, all gradients or all variables, is one call."""
import tensorflow as tf

from horovod.common import collectives, numpy_arrays
from horovod.common.compression import Compression
from horovod.common.library import place
from horovod.common.ops import Adasum, Average, Sum, chosen
from horovod.common.process_sets import global_process_set


def call(function, inputs, dtypes, shapes, name):
    """function(*numpy arrays) -> list of numpy arrays, as tensors of `dtypes` and `shapes`."""
    if tf.executing_eagerly():
        return [tf.convert_to_tensor(array) for array in function(*[tensor.numpy() for tensor in inputs])]
    outputs = tf.numpy_function(function, inputs, dtypes, name=name and _op_name(name))
    for output, shape in zip(outputs, shapes):
        output.set_shape(shape)
    return outputs


def _op_name(name):
    return ''.join(c if c.isalnum() or c in '_.' else '_' for c in 'Horovod_' + name)


def _named(kind, name, tensor):
    """In a graph a collective without a name gets one of its tensor's, once: a rank that traces a function more often than others,
    for a smaller last batch say, has the same names all the same."""
    if name or tf.executing_eagerly():
        return collectives.name_for(kind, name)
    return tf.compat.v1.get_default_graph().unique_name('{}.{}'.format(collectives.KINDS[kind], tensor.name))


def _dense_allreduce(tensors, name, op, prescale, postscale, process_set, wire):
    """One call of Python for all of them, with gradients."""
    tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
    name = _named(collectives.ALLREDUCE, name, tensors[0])

    @tf.custom_gradient
    def reduce(*inputs):
        def exchange(*arrays):
            return numpy_arrays.allreduce(arrays, name, op, prescale, postscale, process_set.process_set_id, wire)

        def gradient(*upstream):
            return _dense_allreduce(list(upstream), name + '.grad', op, prescale, postscale, process_set, wire)

        return call(exchange, inputs, [i.dtype for i in inputs], [i.shape for i in inputs], name), gradient

    outputs = reduce(*tensors)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _sparse_allreduce(slices, name, op, scale, process_set):
    if op not in (Average, Sum):
        raise NotImplementedError('hvd.allreduce of tf.IndexedSlices: wanted op Average or Sum; sparse_as_dense=True, or '
                                  'tf.convert_to_tensor(), for another one')
    values = allgather(slices.values, name and name + '.values', process_set=process_set)
    indices = allgather(slices.indices, name and name + '.indices', process_set=process_set)
    if op == Average:
        scale /= process_set.size()
    values *= tf.cast(scale, values.dtype)
    return tf.IndexedSlices(values, indices, dense_shape=slices.dense_shape)


def grouped_allreduce(tensors, average=None, device_dense='', device_sparse='', compression=Compression.none, op=None,
                      prescale_factor=1.0, postscale_factor=1.0, name=None, process_set=global_process_set):
    """All of them as one: none is reduced before all are there on all ranks."""
    op = chosen(op, average)
    results = list(tensors)
    if op == Adasum and process_set.process_set_id != 0:
        raise NotImplementedError('hvd.Adasum works on all ranks, not on a process set')
    dense = [i for i, tensor in enumerate(tensors) if not isinstance(tensor, tf.IndexedSlices)]
    if dense:
        packed = [compression.compress(tf.convert_to_tensor(tensors[i])) for i in dense]
        reduced = _dense_allreduce([tensor for tensor, _ in packed], name, op, prescale_factor, postscale_factor, process_set,
                                   getattr(compression, 'wire', 0))
        for i, tensor, (_, context) in zip(dense, reduced, packed):
            results[i] = compression.decompress(tensor, context)
    for i, tensor in enumerate(tensors):
        if isinstance(tensor, tf.IndexedSlices):
            results[i] = _sparse_allreduce(tensor, name and '{}.{}'.format(name, i), op, prescale_factor * postscale_factor,
                                           process_set)
    return results


def allreduce(tensor, average=None, device_dense='', device_sparse='', compression=Compression.none, op=None, prescale_factor=1.0,
              postscale_factor=1.0, name=None, process_set=global_process_set):
    """The element by element reduction of all ranks' tensors; of tf.IndexedSlices, all ranks' slices."""
    [reduced] = grouped_allreduce([tensor], average, device_dense, device_sparse, compression, op, prescale_factor,
                                  postscale_factor, name, process_set)
    return reduced


def _any_rows(shape):
    return tf.TensorShape([None]).concatenate(shape[1:]) if shape.rank else shape


def allgather(tensor, name=None, process_set=global_process_set):
    """All ranks' tensors, one after another along the first dimension, which may differ."""
    tensor = tf.convert_to_tensor(tensor)
    name = _named(collectives.ALLGATHER, name, tensor)
    number = process_set.process_set_id

    @tf.custom_gradient
    def gather(tensor):
        def exchange(array):
            return [numpy_arrays.allgather(array, name, number)]

        def gradient(upstream):
            [reduced] = _dense_allreduce([upstream], name + '.grad', Average, 1.0, 1.0, process_set, 0)
            rows = allgather(tf.shape(tensor)[:1], name + '.rows', process_set)
            before = tf.reduce_sum(rows[:process_set.rank()])
            return reduced[before:before + tf.shape(tensor)[0]]

        [gathered] = call(exchange, [tensor], [tensor.dtype], [_any_rows(tensor.shape)], name)
        return gathered, gradient

    return gather(tensor)


def grouped_allgather(tensors, name=None, process_set=global_process_set):
    return [allgather(tensor, name and '{}.{}'.format(name, i), process_set=process_set) for i, tensor in enumerate(tensors)]


def broadcast(tensor, root_rank, name=None, process_set=global_process_set):
    """The tensor of rank `root_rank`, for all."""
    tensor = tf.convert_to_tensor(tensor)
    name = _named(collectives.BROADCAST, name, tensor)

    @tf.custom_gradient
    def give(tensor):
        def exchange(array):
            return [numpy_arrays.broadcast(array, root_rank, name, process_set.process_set_id)]

        def gradient(upstream):
            [reduced] = _dense_allreduce([upstream], name + '.grad', Average, 1.0, 1.0, process_set, 0)
            return reduced if place().rank == root_rank else tf.zeros_like(reduced)

        [given] = call(exchange, [tensor], [tensor.dtype], [tensor.shape], name)
        return given, gradient

    return give(tensor)


def alltoall(tensor, splits=None, name=None, process_set=global_process_set):
    """The first splits[0] rows go to the first rank, the next splits[1] to the second ...; without splits equally many. With them
    also the numbers of rows that have come from each rank."""
    tensor = tf.convert_to_tensor(tensor)
    name = _named(collectives.ALLTOALL, name, tensor)
    given = tf.convert_to_tensor([] if splits is None else splits, tf.int32)

    @tf.custom_gradient
    def send(tensor):
        def exchange(array, splits):
            return list(numpy_arrays.alltoall(array, splits, name, process_set.process_set_id))

        def gradient(upstream, _):
            return alltoall(upstream, received, name + '.grad', process_set)[0]

        shapes = [_any_rows(tensor.shape), [process_set.size()]]
        rows, received = call(exchange, [tensor, given], [tensor.dtype, tf.int32], shapes, name)
        return (rows, received), gradient

    rows, received = send(tensor)
    return rows if splits is None else (rows, received)


def reducescatter(tensor, device_dense='', compression=Compression.none, op=Average, name=None, process_set=global_process_set,
                  prescale_factor=1.0, postscale_factor=1.0):
    """This rank's rows of the reduction; the first `rows % size` ranks get one more than the others."""
    if op not in (Average, Sum):
        raise NotImplementedError('hvd.reducescatter: wanted op Average or Sum')
    packed, context = compression.compress(tf.convert_to_tensor(tensor))
    name = _named(collectives.REDUCESCATTER, name, packed)

    @tf.custom_gradient
    def scatter(tensor):
        def exchange(array):
            return [numpy_arrays.reducescatter(array, name, op, prescale_factor, postscale_factor, process_set.process_set_id,
                                               getattr(compression, 'wire', 0))]

        def gradient(upstream):
            if op == Sum:
                upstream = upstream * tf.cast(process_set.size(), upstream.dtype)
            scale = tf.cast(prescale_factor * postscale_factor, upstream.dtype)
            return allgather(upstream * scale, name + '.grad', process_set)

        [rows] = call(exchange, [tensor], [tensor.dtype], [_any_rows(tensor.shape)], name)
        return rows, gradient

    return compression.decompress(scatter(packed), context)


def grouped_reducescatter(tensors, device_dense='', compression=Compression.none, op=Average, process_set=global_process_set,
                          prescale_factor=1.0, postscale_factor=1.0, name=None):
    return [reducescatter(tensor, device_dense, compression, op, name and '{}.{}'.format(name, i), process_set, prescale_factor,
                          postscale_factor) for i, tensor in enumerate(tensors)]


def barrier(process_set=global_process_set):
    collectives.barrier(process_set.process_set_id)


def join():
    """This rank has no more data: it takes part in the others' allreduces with zeros. The rank that joined last."""
    return collectives.join()
