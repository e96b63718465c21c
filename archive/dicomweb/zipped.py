"""Instances as a ZIP file, written while it is sent (PS3.18 8.7.3.4)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, cast

from archive.dicomweb.encodings import Way


class _Pipe(io.RawIOBase):
    """What ``zipfile`` writes into and the response reads from; it cannot be rewound."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._blocks.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        blocks, self._blocks = self._blocks, []
        yield from blocks


def zip_of(ways: Iterable[Way]) -> Iterator[bytes]:
    """Blocks of a ZIP file with a file for each instance, uncompressed: image data hardly gets smaller."""
    pipe = _Pipe()
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for series, number, way in _numbered(ways):
            # Names of people or UIDs do not become file names: short ones fit every medium (PS3.10 8.2).
            info = zipfile.ZipInfo(f"DICOM/SE{series:06d}/IM{number:06d}")
            with archive.open(info, "w", force_zip64=True) as member:
                for block in way.blocks():
                    member.write(block)
                    yield from pipe.taken()
            yield from pipe.taken()
    yield from pipe.taken()


def _numbered(ways: Iterable[Way]) -> Iterator[tuple[int, int, Way]]:
    series: dict[int, int] = {}
    counts: dict[int, int] = {}
    for way in ways:
        place = series.setdefault(way.instance.series_id, len(series) + 1)
        counts[place] = counts.get(place, 0) + 1
        yield place, counts[place], way
