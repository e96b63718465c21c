"""The files of a study in a ZIP, as they are stored, with an index (DICOMDIR, PS3.10 8.6) or without."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom import dcmread
from pydicom.fileset import FileSet

from archive.dicomweb.encodings import AS_STORED, Way, way_of
from archive.dicomweb.zipped import zip_of
from archive.jobs.run import JobRefused
from archive.models import Instance

Step = Callable[[], None]
REQUIRED = {
    "PatientID": "UNKNOWN",
    "StudyDate": "00010101",
    "StudyTime": "000000",
    "StudyID": "1",
    "Modality": "OT",
    "SeriesNumber": "1",
    "InstanceNumber": "1",
}
"""What a record must have."""


def write_zip(path: Path, instances: list[Instance], step: Step) -> None:
    """The originals, each as it goes out of the archive."""

    def ways() -> Iterator[Way]:
        for instance in instances:
            yield way_of(instance, AS_STORED)
            step()

    with path.open("wb") as file:
        for block in zip_of(ways(), with_directory=False):
            file.write(block)


def write_medium(path: Path, instances: list[Instance], step: Step) -> int:
    """The same with a DICOMDIR and the names that it gives; returns how many objects it cannot name.

    Raises
    ------
    JobRefused
        No object can be named, so that an index would be empty.
    """
    with TemporaryDirectory(dir=path.parent) as name:
        folder, medium = Path(name), Path(name) / "medium"
        files, others = FileSet(), list[Path]()
        for number, instance in enumerate(instances):
            one = folder / f"{number}.dcm"
            with one.open("wb") as file:
                for block in way_of(instance, AS_STORED).blocks():
                    file.write(block)
            named = _named(files, one)
            if named is None:
                others.append(one)
            else:
                one.replace(named)
            step()
        if len(others) == len(instances):
            raise JobRefused("No object of this study has what an index needs; take the ZIP without one.")
        files.write(medium)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for one in sorted(medium.rglob("*")):
                if one.is_file():
                    archive.write(one, one.relative_to(medium).as_posix())
            for number, one in enumerate(others, start=1):
                archive.write(one, f"OTHERS/IM{number:06d}")
    return len(others)


def _named(files: FileSet, path: Path) -> Path | None:
    """Enter a file into the index; where the medium will take its bytes from, None where it cannot be entered.

    The record is made from the header alone; what it must have and the file has not gets a value
    in the index only (PS3.3 F.5: Type 1 attributes of directory records).
    """
    header = dcmread(path, stop_before_pixels=True)
    for keyword, value in REQUIRED.items():
        if header.get(keyword) in (None, ""):
            setattr(header, keyword, value)
    try:
        return Path(files.add(header).path)
    except (ValueError, AttributeError, NotImplementedError):
        return None
