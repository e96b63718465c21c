"""Let the disk begin with an object while the rest of it arrives, so that the fsync at its end has less to wait for.

It promises nothing: the object is durable after its fsync and not before.
"""

from __future__ import annotations

import ctypes
from typing import Any

SYNC_FILE_RANGE_WRITE = 2


def _find() -> Any:
    """The system call that is only Linux's; None elsewhere."""
    try:
        function = ctypes.CDLL(None).sync_file_range
    except (AttributeError, OSError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


_sync_file_range = _find()


def begin_writeback(descriptor: int) -> None:
    """Start to write what the file has in memory; returns before it is written, and tells of no error."""
    if _sync_file_range is not None:
        # An error of the disk is kept for the fsync, which reports it.
        _sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE)
