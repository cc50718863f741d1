"""Horovod's reductions, with its numbers."""

Average = 0
Sum = 1
Adasum = 2
Min = 3
Max = 4
Product = 5


def chosen(op, average=None):
    """Of `op` and of `average`, which older programs pass."""
    if op is not None and average is not None:
        raise ValueError('The op parameter supersedes average. Please provide only one of them.')
    if op is not None:
        if op not in (Average, Sum, Adasum, Min, Max, Product):
            raise ValueError('op: found {!r}, wanted hvd.Average, Sum, Min, Max, Product or Adasum'.format(op))
        return op
    return Sum if average is False else Average
