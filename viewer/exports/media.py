"""The files of a study in a ZIP, as they are stored, with an index (DICOMDIR, PS3.10 8.6) or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from archive.dicomweb.encodings import AS_STORED, Way, way_of
from archive.dicomweb.zipped import zip_of
from archive.models import Instance

Step = Callable[[], None]


def write_zip(path: Path, instances: list[Instance], step: Step, *, with_directory: bool) -> None:
    """The originals, each as it goes out of the archive."""

    def ways() -> Iterator[Way]:
        for instance in instances:
            yield way_of(instance, AS_STORED)
            step()

    with path.open("wb") as file:
        for block in zip_of(ways(), with_directory=with_directory):
            file.write(block)
