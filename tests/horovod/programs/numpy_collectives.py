"""Every collective of every type and operation against numpy, without a framework. Each rank makes the arrays of all ranks.
usage: numpy_collectives.py [apart]    apart: the ranks are on machines of their own"""
import functools
import itertools
import sys

import ml_dtypes
import numpy

from horovod.common import basics as hvd
from horovod.common import collectives, numpy_arrays, objects, ops, process_sets

TYPES = ["uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64", "bool", ml_dtypes.bfloat16]
FOLDS = {ops.Sum: numpy.add, ops.Average: numpy.add, ops.Min: numpy.minimum, ops.Max: numpy.maximum, ops.Product: numpy.multiply}
FLOATS = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-14}


def array_of(rank, dtype, shape, seed=0):
    random = numpy.random.default_rng([seed, rank])
    if numpy.dtype(dtype) == bool:
        return random.integers(0, 2, shape).astype(bool)
    return random.integers(1, 5, shape).astype(dtype) if numpy.dtype(dtype).kind in "iu" else random.normal(size=shape).astype(dtype)


def reduced(arrays, op):
    dtype = arrays[0].dtype
    wide = [array if dtype == bool else array.astype("float64") for array in arrays]
    total = functools.reduce(FOLDS[op], wide)
    if op == ops.Average:
        total = total / len(arrays)
    return total.astype(dtype)  # integers are cut off


def check(found, wanted, what):
    assert found.dtype == wanted.dtype and found.shape == wanted.shape, (what, found.dtype, found.shape, wanted.dtype, wanted.shape)
    tolerance = FLOATS.get(wanted.dtype.name, 0)
    numpy.testing.assert_allclose(found.astype("float64"), wanted.astype("float64"), rtol=tolerance, atol=tolerance, err_msg=str(what))


def adasum(a, b):
    dot, aa, bb = float((a * b).sum()), float((a * a).sum()), float((b * b).sum())
    return a * (1 - dot / (2 * aa)) + b * (1 - dot / (2 * bb))


def main():
    hvd.init()
    rank, size = hvd.rank(), hvd.size()
    for dtype, op, shape in itertools.product(TYPES, FOLDS, [(), (7,), (3, 5), (0, 4), (100003,)]):
        if numpy.dtype(dtype) == bool and op == ops.Average:
            continue
        arrays = [array_of(each, dtype, shape) for each in range(size)]
        [found] = numpy_arrays.allreduce([arrays[rank]], op=op)
        check(found, reduced(arrays, op), ("allreduce", dtype, op, shape))
    for dtype in TYPES:
        mine = [array_of(rank, dtype, (n, 3), n) for n in range(5)]
        for n, found in enumerate(numpy_arrays.allreduce(mine, "group", op=ops.Sum)):
            check(found, reduced([array_of(each, dtype, (n, 3), n) for each in range(size)], ops.Sum), ("grouped", dtype, n))
        rows = [array_of(each, dtype, (each + 1, 2)) for each in range(size)]
        check(numpy_arrays.allgather(rows[rank]), numpy.concatenate(rows), ("allgather", dtype))
        check(numpy_arrays.broadcast(array_of(rank, dtype, (4, 2)), size - 1), array_of(size - 1, dtype, (4, 2)), ("broadcast", dtype))
        sent = [array_of(each, dtype, (size * (size + 1) // 2, 2)) for each in range(size)]  # to rank r: r + 1 rows
        found, received = numpy_arrays.alltoall(sent[rank], range(1, size + 1))
        begin = rank * (rank + 1) // 2
        check(found, numpy.concatenate([each[begin:begin + rank + 1] for each in sent]), ("alltoall", dtype))
        assert list(received) == [rank + 1] * size
        whole = [array_of(each, dtype, (2 * size + 1, 2)) for each in range(size)]  # rank 0 gets a row more
        begin = 0 if rank == 0 else 2 * rank + 1
        wanted = reduced(whole, ops.Sum)[begin:begin + (3 if rank == 0 else 2)]
        check(numpy_arrays.reducescatter(whole[rank], op=ops.Sum), wanted, ("reducescatter", dtype))
    [scaled] = numpy_arrays.allreduce([numpy.full(3, rank + 1.0)], op=ops.Sum, prescale=0.5, postscale=4.0)
    check(scaled, numpy.full(3, size * (size + 1.0)), "scaled")
    mine = array_of(rank, "float32", (1000,))
    exact = reduced([array_of(each, "float32", (1000,)) for each in range(size)], ops.Average)
    for wire, tolerance in ((1, 1e-3), (2, 1e-2)):  # float16, bfloat16: between machines alone
        [found] = numpy_arrays.allreduce([mine], compression=wire)
        numpy.testing.assert_allclose(found, exact, rtol=tolerance, atol=tolerance)
        assert (abs(found - exact).max() > 1e-5) == ("apart" in sys.argv), "compressed"
    if size == 2:
        a, b = array_of(0, "float64", (50,)), array_of(1, "float64", (50,))
        check(numpy_arrays.allreduce([[a, b][rank]], op=ops.Adasum)[0], adasum(a, b), "adasum")
    things = objects.allgather_object({"rank": rank, "text": "x" * rank})
    assert things == [{"rank": each, "text": "x" * each} for each in range(size)]
    assert objects.broadcast_object([rank, "of"], size - 1) == [size - 1, "of"]
    if size > 2:
        one_short = process_sets.add_process_set(list(range(1, size)))
        assert one_short.included() == (rank > 0) and one_short.size() == size - 1
        if one_short.included():
            [found] = numpy_arrays.allreduce([numpy.full(2, float(rank))], op=ops.Sum, process_set=one_short.process_set_id)
            check(found, numpy.full(2, float(sum(range(1, size)))), "process set")
        assert process_sets.remove_process_set(one_short)
    collectives.barrier()
    for step in range(rank):  # ranks with more data than others: those without stand for zeros
        found = numpy_arrays.allreduce([numpy.ones(2), numpy.ones(3, "float32")], "uneven", op=ops.Sum)
        check(found[0], numpy.full(2, float(size - 1 - step)), "uneven")
        check(numpy_arrays.allreduce([numpy.ones(2)], "alone")[0], numpy.full(2, (size - 1 - step) / size), "uneven, alone")
    last = collectives.join()
    assert last == size - 1, last
    print("rank {}: all agree".format(rank), flush=True)


main()
