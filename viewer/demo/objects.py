"""A made DICOM object, and making many of them on two cores in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from viewer.demo.headers import part10_bytes

WORKERS = 2
"""Threads; the arithmetic of numpy runs outside the interpreter's lock."""
AHEAD = 4
"""Objects that may be made before they are asked for; bounds the memory."""

Maker = Callable[[], "DemoObject"]
"""Makes one object when it is called; a study is a list of these, so that one that fails is one."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DemoObject:
    """A data set with its pixel data, encoded in the transfer syntax named."""

    ds: Dataset
    transfer_syntax_uid: str = ExplicitVRLittleEndian

    def to_bytes(self) -> bytes:
        """Return the object as a DICOM file."""
        return part10_bytes(self.ds, self.transfer_syntax_uid)


def in_order(make: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield ``make(item)`` for each item, in order, a few of them made at the same time."""
    remaining = iter(items)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="demo") as pool:
        running: deque[Future[Result]] = deque(pool.submit(make, item) for item in islice(remaining, AHEAD))
        try:
            while running:
                yield running.popleft().result()
                running.extend(pool.submit(make, item) for item in islice(remaining, 1))
        finally:
            for future in running:
                future.cancel()
