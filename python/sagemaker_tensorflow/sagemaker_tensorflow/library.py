"""libheadrace_pipe, which reads channels (src/pipe_filesystem/c_interface.h): where it lies, and its functions for Python."""
import ctypes
import glob
import os

NAME = "libheadrace_pipe.so"


def _places():
    """In a job the platform says where; a wheel brings it along; an installation has it in its library directory."""
    here = os.path.dirname(os.path.abspath(__file__))
    if os.environ.get("HEADRACE_LIBRARY_DIR"):
        yield os.environ["HEADRACE_LIBRARY_DIR"]
    yield os.path.join(here, "_lib")
    prefix = os.path.normpath(os.path.join(here, "../../../../.."))  # of PREFIX/share/headrace/python/NAME/NAME
    for directory in sorted(glob.glob(os.path.join(prefix, "lib*"))):
        yield directory
        for below in sorted(glob.glob(os.path.join(directory, "*-linux-gnu"))):
            yield below


def find():
    places = list(_places())
    for place in places:
        path = os.path.join(place, NAME)
        if os.path.exists(path):
            return path
    raise ImportError("sagemaker_tensorflow: there is no {} in {}; set HEADRACE_LIBRARY_DIR to the library directory of "
                      "Headrace's installation".format(NAME, ", ".join(places)))


PATH = find()
_library = ctypes.CDLL(PATH)
_library.headrace_pipe_check.restype = ctypes.c_char_p
_library.headrace_pipe_check.argtypes = [ctypes.c_char_p]
_library.headrace_pipe_open.restype = ctypes.c_void_p
_library.headrace_pipe_open.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)]
_library.headrace_pipe_read.restype = ctypes.c_int64
_library.headrace_pipe_read.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_char_p)]
_library.headrace_pipe_close.restype = None
_library.headrace_pipe_close.argtypes = [ctypes.c_void_p]


class ReadError(Exception):
    """An epoch cannot be opened, or its bytes are not records."""


def check(options):
    """What is wrong with a dataset's options (a JSON text), or None."""
    message = _library.headrace_pipe_check(options.encode())
    return message and message.decode(errors="replace")


def read_epoch(options):
    """Takes the channel's next epoch and yields its records as they come, many at a time, as serialized tensors of strings."""
    error = ctypes.c_char_p()
    pipe = _library.headrace_pipe_open(options.encode(), ctypes.byref(error))
    if not pipe:
        raise ReadError(error.value.decode(errors="replace"))
    try:
        tensor = ctypes.c_void_p()
        while True:
            size = _library.headrace_pipe_read(pipe, ctypes.byref(tensor), ctypes.byref(error))
            if size < 0:
                raise ReadError(error.value.decode(errors="replace"))
            if size == 0:
                return
            yield ctypes.string_at(tensor, size)
    finally:
        _library.headrace_pipe_close(pipe)
