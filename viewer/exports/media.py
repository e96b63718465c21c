"""The files of a study in a ZIP, as they are stored, with an index (DICOMDIR, PS3.10 8.6) or without."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom.fileset import FileSet

from archive.dicomweb.encodings import AS_STORED, Way, way_of
from archive.dicomweb.zipped import zip_of
from archive.jobs.run import JobRefused
from archive.models import Instance

Step = Callable[[], None]


def write_zip(path: Path, instances: list[Instance], step: Step) -> None:
    """The originals, each as it goes out of the archive."""

    def ways() -> Iterator[Way]:
        for instance in instances:
            yield way_of(instance, AS_STORED)
            step()

    with path.open("wb") as file:
        for block in zip_of(ways()):
            file.write(block)


def write_medium(path: Path, instances: list[Instance], step: Step) -> int:
    """The same with a DICOMDIR and the names that it gives; returns how many objects it cannot name.

    Raises
    ------
    JobRefused
        No object can be named, so that an index would be empty.
    """
    unnamed = 0
    with TemporaryDirectory(dir=path.parent) as name:
        folder, medium = Path(name), Path(name) / "medium"
        files, others = FileSet(), []
        for number, instance in enumerate(instances):
            one = folder / f"{number}.dcm"
            with one.open("wb") as file:
                for block in way_of(instance, AS_STORED).blocks():
                    file.write(block)
            try:
                files.add(one)
            except (ValueError, AttributeError, NotImplementedError):
                # An object without what its record needs (PS3.3 F.5) goes along without an entry.
                unnamed += 1
                others.append(one)
            else:
                one.unlink()
            step()
        if unnamed == len(instances):
            raise JobRefused("No object of this study has what an index needs; take the ZIP without one.")
        files.write(medium)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for one in sorted(medium.rglob("*")):
                if one.is_file():
                    archive.write(one, one.relative_to(medium).as_posix())
            for number, one in enumerate(others, start=1):
                archive.write(one, f"OTHERS/IM{number:06d}")
    return unnamed
