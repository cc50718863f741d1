"""libheadrace_hvd, the C interface of Headrace's Horovod (src/horovod/c/headrace_hvd.h), through ctypes: one file for every
version of Python and of the frameworks."""
import ctypes
import glob
import os

from horovod.common.exceptions import HorovodInternalError

NAME = 'libheadrace_hvd.so'


class Place(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32)
                for name in ('rank', 'size', 'local_rank', 'local_size', 'cross_rank', 'cross_size', 'homogeneous')]


class Collective(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('group', ctypes.c_char_p), ('input', ctypes.c_void_p), ('output', ctypes.c_void_p),
                ('shape', ctypes.POINTER(ctypes.c_int64)), ('splits', ctypes.POINTER(ctypes.c_int64)),
                ('prescale', ctypes.c_double), ('postscale', ctypes.c_double)
                ] + [(name, ctypes.c_int32)
                     for name in ('type', 'dtype', 'op', 'compression', 'root', 'process_set', 'dimensions', 'split_count',
                                  'group_size', 'reserved')]


def _candidates():
    """Where the platform says; in a wheel; beside the package in an installation or in a build tree."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    told = os.environ.get('HEADRACE_LIBRARY_DIR')
    if told:
        yield os.path.join(told, NAME)
    yield os.path.join(here, '_lib', NAME)
    above = os.path.normpath(os.path.join(here, '..', '..', '..'))  # PREFIX/share/headrace of PREFIX/share/headrace/python/horovod
    for found in sorted(glob.glob(os.path.join(above, '..', '..', 'lib*', NAME)) +
                        glob.glob(os.path.join(above, '..', '..', 'lib', '*', NAME))):
        yield os.path.normpath(found)
    yield os.path.join(above, 'build', 'release', 'lib', NAME)


def _load():
    tried = list(_candidates())
    for path in tried:
        if os.path.exists(path):
            return ctypes.CDLL(path)
    raise ImportError('horovod: {} was looked for as {}; HEADRACE_LIBRARY_DIR names the directory that has it'.format(
        NAME, ', '.join(tried)))


def _declare(library):
    pointer, int32, int64 = ctypes.POINTER, ctypes.c_int32, ctypes.c_int64
    handle, outcome = int64, ctypes.c_void_p
    arguments = {
        'error': [], 'init': [], 'is_initialized': [], 'shutdown': [], 'abort': [ctypes.c_char_p], 'place': [pointer(Place)],
        'add_process_set': [pointer(int32), int32, pointer(int32)], 'remove_process_set': [int32],
        'start_timeline': [ctypes.c_char_p, ctypes.c_int], 'stop_timeline': [],
        'start': [pointer(Collective), int32, pointer(handle), pointer(int32)], 'poll': [handle],
        'wait': [handle, pointer(outcome)],
        'outcome_data': [outcome], 'outcome_shape': [outcome, pointer(pointer(int64))],
        'outcome_splits': [outcome, pointer(pointer(int64))], 'outcome_last_joined': [outcome], 'free': [outcome],
    }
    results = {'error': ctypes.c_char_p, 'outcome_data': ctypes.c_void_p, 'free': None}
    for name, types in arguments.items():
        function = getattr(library, 'headrace_hvd_' + name)
        function.argtypes = types
        function.restype = results.get(name, ctypes.c_int)
    return library


LIBRARY = _declare(_load())

_FAILED_PRECONDITION = 6  # 1 + ErrorCode::kFailedPrecondition


def check(code):
    """Raises what a call of the library has failed with."""
    if code == 0:
        return
    text = LIBRARY.headrace_hvd_error().decode('utf-8', 'replace')
    if code == _FAILED_PRECONDITION and not LIBRARY.headrace_hvd_is_initialized():
        raise ValueError('Horovod has not been initialized; use hvd.init().')
    raise HorovodInternalError(text)


def place():
    """Where this rank stands in the job."""
    found = Place()
    check(LIBRARY.headrace_hvd_place(ctypes.byref(found)))
    return found
