"""How floats travel. A Compressor of a program's own is a class with compress() and decompress() like these."""


class Compressor(object):
    """compress() makes a tensor smaller before a collective, and says what decompress() must know to undo it."""

    wire = 0  # what the core does by itself; with the numbers of headrace/horovod.h

    @staticmethod
    def compress(tensor):
        return tensor, None

    @staticmethod
    def decompress(tensor, context):
        return tensor


class NoneCompressor(Compressor):
    pass


class FP16Compressor(Compressor):
    """float32 travels between machines as float16, and is summed as float32. Within a machine nothing is compressed."""

    wire = 1


class BF16Compressor(Compressor):
    """The same as bfloat16."""

    wire = 2


class Compression(object):
    none = NoneCompressor
    fp16 = FP16Compressor
    bf16 = BF16Compressor
