"""The codec child: takes code streams from its socket, decodes them, sends the samples back.

Started as a script, with nothing in its environment and nothing of the house but
this file, so that it is there in a tenth of a second. It ends when its socket
does, which the kernel closes with the process that started it. Timers of the
kernel end it where a codec takes more processor time, or more time on the clock,
than the request allows; its address space is bounded for each request anew.

Both ways: length of the JSON (4 bytes, little endian), JSON, and as many bytes as
it says. (Shared memory was tried: its pages cost more than two copies.)
"""

from __future__ import annotations

import json
import resource
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

LENGTH: Final = struct.Struct("<I")
LARGEST_JSON: Final = 1 << 12
CODECS: Final = ("jpeg8_decode", "jpeg2k_decode", "htj2k_decode", "jpegxl_decode")
"""What may be asked for: names of imagecodecs."""
RECYCLED_ABOVE_BYTES: Final = 256 << 20
"""A child that holds so much memory when it answers ends: the C library seldom gives it back.

What it holds now counts: the kernel's peak of a process begins with that of the process which started it."""
_PAGE: Final = resource.getpagesize()


def main(socket_number: int) -> None:
    """Serve until the socket ends (``EOFError``), or memory is better given back."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _hear_signals()
    for name in CODECS:
        # Loads the codec, so that the first frame does not wait for it.
        getattr(imagecodecs, name)
    with socket.socket(fileno=socket_number) as connection:
        while _serve(connection):
            pass


def _hear_signals() -> None:
    """Whatever the thread that started this process ignored or held back, a timer ends it; Ctrl-C is not meant for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGPROF, signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _serve(connection: socket.socket) -> bool:
    """Answer one request; False where there is no more to come."""
    request = json.loads(receive(connection, LENGTH.unpack(receive(connection, LENGTH.size))[0]))
    data = receive(connection, request["bytes"])
    _limit(request)
    answer, values = _decoded(request, data)
    _relax()
    answer["last"] = _memory()[1] > RECYCLED_ABOVE_BYTES
    text = json.dumps(answer).encode()
    connection.sendall(LENGTH.pack(len(text)) + text)
    connection.sendall(values)
    return not answer["last"]


def receive(connection: socket.socket, length: int) -> bytearray:
    """Read so many bytes.

    Raises
    ------
    EOFError
        The other side ended first.
    """
    data = bytearray(length)
    receive_into(connection, memoryview(data))
    return data


def receive_into(connection: socket.socket, memory: memoryview) -> None:
    """Fill memory from the socket; raises ``EOFError`` where the other side ends before."""
    done = 0
    while done < len(memory):
        read = connection.recv_into(memory[done:])
        if not read:
            raise EOFError
        done += read


def _limit(request: dict[str, Any]) -> None:
    """Bound memory and time of this request; the kernel ends the process when a timer runs out."""
    limit = _memory()[0] + request["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    # RLIMIT_CPU counts whole seconds of the whole life of a process; this timer counts those of the request.
    signal.setitimer(signal.ITIMER_PROF, request["cpu_s"])
    signal.setitimer(signal.ITIMER_REAL, request["clock_s"])


def _memory() -> tuple[int, int]:
    """Address space and resident memory of this process, in bytes."""
    size, resident = Path("/proc/self/statm").read_bytes().split()[:2]
    return int(size) * _PAGE, int(resident) * _PAGE


def _relax() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _decoded(request: dict[str, Any], data: bytearray) -> tuple[dict[str, Any], memoryview]:
    """The answer and the bytes of the samples, which are none where the codec refused."""
    try:
        values = _decode(request, data)
    except Exception as error:
        # Whatever a codec raises, its stream is at fault; the other side says so in words.
        return {"error": type(error).__name__}, memoryview(b"")
    return {"dtype": values.dtype.str}, values.reshape(-1).view(np.uint8).data


def _decode(request: dict[str, Any], data: bytearray) -> NDArray[Any]:
    if request["codec"] not in CODECS:
        raise ValueError(request["codec"])
    shape, dtype = tuple(request["shape"]), request["dtype"]
    # Zero, so that nothing of another image shows where a codec leaves a hole.
    out = None if dtype is None else np.zeros(shape, dtype)
    values: NDArray[Any] = getattr(imagecodecs, request["codec"])(data, out=out, **request["options"])
    if values.shape == (*shape, 1):
        values = values[..., 0]
    if values.shape != shape or values.nbytes > request["largest_bytes"]:
        raise ValueError(values.shape)
    return np.ascontiguousarray(values)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except (EOFError, ConnectionError):
        # The process that asked has ended.
        sys.exit()
