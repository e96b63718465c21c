"""Codecs that cannot be trusted, in processes of their own with bounded memory and time.

A code stream may end a codec, keep it busy for ever or make it ask for all memory:
that then happens to a child (``child_main``), and the answer is a sentence. A few
children serve a process, started when they are needed and again when one ends, by
``subprocess`` and so never with the locks of another thread held. Children end when
the process that started them does: the kernel closes their socket.

Frames that were refused are remembered for a while, so that a picture of fifty
tiles does not end fifty children.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import CannotDecode
from archive.pixels.child_main import LARGEST_JSON, LENGTH, receive, receive_into

logger = logging.getLogger(__name__)

MAXIMUM_CHILDREN: Final = min(4, os.cpu_count() or 1)
"""Children of one process; further frames wait for one of them."""
CPU_S: Final = 0.5
"""Processor time that any frame may take ..."""
CPU_S_A_MEGASAMPLE: Final = 1.0
"""... and more for each million samples; JPEG 2000, the slowest, takes an eighth of it."""
CLOCK_S: Final = 5.0
"""Time on the clock for a frame that takes no processor time; a busy machine gets ..."""
CLOCK_A_CPU_S: Final = 8
"""... this for each second of processor time that it may take."""
STARTING_S: Final = 20.0
"""Time on the clock in which a child must have begun."""
MEMORY_BYTES: Final = 128 << 20
"""Memory that any frame may take ..."""
MEMORY_BYTES_A_SAMPLE: Final = 24
"""... and more for each sample; OpenJPEG takes 6 ..."""
MAXIMUM_MEMORY_BYTES: Final = 4 << 30
"""... but never more than this."""
REMEMBERED_S: Final = 600.0
"""How long a refused frame is refused without being tried again."""
MOST_REMEMBERED: Final = 1024

ENVIRONMENT: Final = {
    "LC_ALL": "C.UTF-8",
    # numpy's own threads would only cost memory.
    "OPENBLAS_NUM_THREADS": "1",
    # glibc would give the memory of a large frame back after each, and new pages cost as much as a fifth of decoding.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
"""All that a child sees of the environment: no codec needs to know the site's keys."""

_MAIN: Final = Path(__file__).with_name("child_main.py")
_OWN_TIME_S: Final = 2.0
"""How much later than the child's own timer this side gives up."""


class CodecRefused(RuntimeError):
    """A codec found its stream damaged; ``kind`` is the name of its own error."""

    def __init__(self, kind: str, *, is_last: bool = False) -> None:
        super().__init__(kind)
        self.kind = kind
        self.is_last = is_last
        """The child that answered ends."""


class ChildEnded(CannotDecode):
    """The child ended while it decoded; the sentence says on what."""


class ChildKilled(ChildEnded):
    """The child was killed from outside, by the kernel when memory is short or by a person: the frame may be good."""


@dataclass(frozen=True, slots=True)
class Request:
    """One frame to decode."""

    codec: str
    """Name of the function of imagecodecs."""
    shape: tuple[int, ...]
    dtype: str | None
    """Kind of the numbers; None where the codec decides."""
    largest_bytes: int
    """Bytes of the decoded frame; fewer where the codec decides for smaller numbers."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        return math.prod(self.shape)

    @property
    def cpu_s(self) -> float:
        """Processor time that the frame may take."""
        return CPU_S + CPU_S_A_MEGASAMPLE * self.samples / 1e6

    @property
    def clock_s(self) -> float:
        """Time on the clock that it may take."""
        return CLOCK_S + CLOCK_A_CPU_S * self.cpu_s

    @property
    def memory_bytes(self) -> int:
        """Address space that decoding may add."""
        return min(MEMORY_BYTES + MEMORY_BYTES_A_SAMPLE * self.samples, MAXIMUM_MEMORY_BYTES)

    def to_json(self, encoded_bytes: int) -> bytes:
        """What the child is told before the code stream."""
        values = {
            "codec": self.codec,
            "shape": self.shape,
            "dtype": self.dtype,
            "options": dict(self.options),
            "bytes": encoded_bytes,
            "largest_bytes": self.largest_bytes,
            "memory_bytes": self.memory_bytes,
            "cpu_s": self.cpu_s,
            "clock_s": self.clock_s,
        }
        return json.dumps(values).encode()


class Child:
    """One child process and the socket to it; used by one thread at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(_MAIN), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._socket = ours
        self._starts_until = time.monotonic() + STARTING_S

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def ask(self, request: Request, data: bytes) -> tuple[NDArray[Any], bool]:
        """Send one frame and wait for its samples; also whether the child ends after this answer.

        Raises
        ------
        CodecRefused
            The codec said that the stream is damaged.
        ChildEnded
            The child came to its end, or had to be ended.
        """
        self._socket.settimeout(request.clock_s + _OWN_TIME_S + max(0.0, self._starts_until - time.monotonic()))
        head = request.to_json(len(data))
        try:
            self._socket.sendall(LENGTH.pack(len(head)) + head)
            self._socket.sendall(data)
            answer = self._answer()
            values = None if "error" in answer else self._values(request, np.dtype(answer["dtype"]))
        except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
            is_late = isinstance(error, TimeoutError)
            raise _why(self.end(), request, is_late=is_late) from None
        self._starts_until = 0.0
        if values is None:
            raise CodecRefused(str(answer["error"]), is_last=bool(answer["last"]))
        return values, bool(answer["last"])

    def _answer(self) -> dict[str, Any]:
        length = LENGTH.unpack(receive(self._socket, LENGTH.size))[0]
        if length > LARGEST_JSON:
            raise ValueError(length)
        answer: dict[str, Any] = json.loads(receive(self._socket, length))
        return answer

    def _values(self, request: Request, dtype: np.dtype[Any]) -> NDArray[Any]:
        if dtype.kind not in "iu" or request.samples * dtype.itemsize > request.largest_bytes:
            raise ValueError(dtype)
        values = np.empty(request.shape, dtype)
        receive_into(self._socket, values.reshape(-1).view(np.uint8).data)
        return values

    def end(self) -> int:
        """End the process if it has not ended by itself; returns its exit code, negative for a signal."""
        self._socket.close()
        try:
            # With its socket closed it ends by itself, or is doing so already.
            return self.process.wait(0.05)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def abandon(self) -> None:
        """Forget a child of another process, after a fork."""
        self._socket.close()
        self.process.returncode = 0


def _why(exit_code: int, request: Request, *, is_late: bool) -> ChildEnded:
    if is_late or exit_code == -signal.SIGALRM:
        return ChildEnded(f"The frame cannot be decoded: its code stream takes longer than {request.clock_s:.0f} s.")
    if exit_code == -signal.SIGPROF:
        return ChildEnded(
            f"The frame cannot be decoded: its code stream takes more than {request.cpu_s:.1f} s of processor time."
        )
    if exit_code == -signal.SIGKILL:
        return ChildKilled("The frame cannot be decoded: its decoder was ended twice; memory may be short.")
    return ChildEnded("The frame cannot be decoded: its code stream is damaged and ended the decoder.")


class Children:
    """The children of this process."""

    def __init__(self, limit: int = MAXIMUM_CHILDREN) -> None:
        self._limit = limit
        self._free = threading.Condition()
        self._all: set[Child] = set()
        self._idle: list[Child] = []
        self._starting = 0
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        for child in self._all:
            child.abandon()
        self._free = threading.Condition()
        self._all, self._idle, self._starting = set(), [], 0

    @property
    def process_ids(self) -> list[int]:
        """Of the children that run now."""
        with self._free:
            return [child.process.pid for child in self._all if child.is_running]

    def start_ahead(self) -> None:
        """Start a child if there is none, so that the first frame does not wait for it."""
        with self._free:
            if self._all or self._starting:
                return
            self._starting += 1
        self._give_back(self._start())

    def end_all(self) -> None:
        """End the children that are idle."""
        with self._free:
            ending, self._idle = self._idle, []
            self._all.difference_update(ending)
        for child in ending:
            child.end()

    def decode(self, request: Request, data: bytes) -> NDArray[Any]:
        """Decode a frame in one of them.

        Raises
        ------
        CodecRefused
            The codec said that the stream is damaged.
        ChildEnded
            The child came to its end, or had to be ended.
        CannotDecode
            No child can be started.
        """
        child = self._take()
        is_last = True
        try:
            values, is_last = child.ask(request, data)
        except CodecRefused as error:
            is_last = error.is_last
            raise
        finally:
            if is_last:
                child.end()
                self._lose(child)
            else:
                self._give_back(child)
        return values

    def _take(self) -> Child:
        with self._free:
            while True:
                while self._idle:
                    child = self._idle.pop()
                    if child.is_running:
                        return child
                    child.end()
                    self._all.discard(child)
                if len(self._all) + self._starting < self._limit:
                    self._starting += 1
                    break
                self._free.wait()
        return self._start()

    def _start(self) -> Child:
        child = None
        try:
            child = Child()
        except OSError as error:
            logger.error("a codec child cannot be started: %s", error.strerror)
            raise CannotDecode("The decoder cannot be started at the moment; please try again.") from None
        finally:
            with self._free:
                self._starting -= 1
                if child is None:
                    self._free.notify()
                else:
                    self._all.add(child)
        return child

    def _give_back(self, child: Child) -> None:
        with self._free:
            self._idle.append(child)
            self._free.notify()

    def _lose(self, child: Child) -> None:
        """Start the next child at once, so that the next frame does not wait for it."""
        logger.info("a codec child ended", extra={"exit_code": child.process.returncode})
        with self._free:
            self._all.discard(child)
            self._free.notify()
        try:
            self.start_ahead()
        except CannotDecode:
            return  # The next frame tries again, and says so.


class RefusedFrames:
    """Frames that could not be decoded, by the digest of their bytes, with the reason."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: OrderedDict[tuple[int, bytes], tuple[float, type[Exception], str]] = OrderedDict()
        self._lengths: set[int] = set()

    def reason(self, request: Request, data: bytes) -> Exception | None:
        """Why this frame was refused a short while ago; None where it was not."""
        if len(data) not in self._lengths:
            return None
        key = _key(request, data)
        with self._lock:
            until, kind, text = self._reasons.get(key, (0.0, Exception, ""))
        return kind(text) if time.monotonic() < until else None

    def add(self, request: Request, data: bytes, reason: Exception) -> None:
        # Its kind and words only: with its traceback it would hold the frame.
        key = _key(request, data)
        with self._lock:
            self._reasons[key] = (time.monotonic() + REMEMBERED_S, type(reason), str(reason))
            self._reasons.move_to_end(key)
            while len(self._reasons) > MOST_REMEMBERED:
                self._reasons.popitem(last=False)
            self._lengths = {length for length, _digest in self._reasons}

    def clear(self) -> None:
        with self._lock:
            self._reasons.clear()
            self._lengths = set()


def _key(request: Request, data: bytes) -> tuple[int, bytes]:
    digest = hashlib.blake2b(data, digest_size=16)
    digest.update(repr((request.codec, request.shape, request.dtype)).encode())
    return len(data), digest.digest()


children: Final = Children()
refused_frames: Final = RefusedFrames()


def decode_in_child(request: Request, data: bytes) -> NDArray[Any]:
    """Decode a frame in a child; one that was killed from outside is given a second one.

    Returns
    -------
    ``request.shape``, whole numbers.

    Raises
    ------
    CodecRefused
        The stream is damaged.
    CannotDecode
        It takes too much time or memory, ended the decoder, or no decoder can be started.
    """
    reason = refused_frames.reason(request, data)
    if reason is not None:
        raise reason
    try:
        try:
            return children.decode(request, data)
        except ChildKilled:
            return children.decode(request, data)
    except (CodecRefused, ChildEnded) as error:
        refused_frames.add(request, data, error)
        raise
