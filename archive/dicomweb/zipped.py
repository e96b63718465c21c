"""Instances as a ZIP file with its DICOMDIR, written while it is sent (PS3.18 8.7.3.4, PS3.10 8)."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, cast

from pydicom import Dataset

from archive.dicom.coercion import coerce_dataset
from archive.dicom.directory import Directory
from archive.dicom.part10 import read_dataset
from archive.dicom.uids import new_uid
from archive.dicomweb.encodings import Way
from archive.errors import ArchiveError
from archive.mending.coercion import facts_of
from archive.storage import layout

logger = logging.getLogger(__name__)


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


def zip_of(ways: Iterable[Way], *, with_directory: bool = True) -> Iterator[bytes]:
    """Blocks of a ZIP file with a file for each instance, uncompressed, and at its end the index of them.

    Image data hardly gets smaller. Of each instance the index keeps some hundred bytes.
    """
    pipe, directory = _Pipe(), Directory()
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for series, number, way in _numbered(ways):
            # Names of people or UIDs do not become file names: short ones fit every medium (PS3.10 8.2).
            file_id = ("DICOM", f"SE{series:06d}", f"IM{number:06d}")
            with archive.open(zipfile.ZipInfo("/".join(file_id)), "w", force_zip64=True) as member:
                for block in way.blocks():
                    member.write(block)
                    yield from pipe.taken()
            if with_directory:
                directory.add(_header_of(way), file_id=file_id, transfer_syntax_uid=way.transfer_syntax_uid)
            yield from pipe.taken()
        if with_directory:
            archive.writestr(zipfile.ZipInfo("DICOMDIR"), directory.to_bytes(new_uid()))
        yield from pipe.taken()
    yield from pipe.taken()


def _header_of(way: Way) -> Dataset:
    """What the index says of an instance: its data set as it goes out; of one that cannot be read, what its row knows."""
    instance, study = way.instance, way.instance.series.study
    try:
        ds = read_dataset(layout.path_of(instance.stored_file.key))
        facts = facts_of(study)
        if facts is not None:
            coerce_dataset(ds, facts)
    except (ArchiveError, OSError) as error:
        logger.error(
            "a stored file cannot be read for its directory record: %s",
            type(error).__name__,
            extra={"sop_instance_uid": instance.sop_instance_uid},
        )
        ds = Dataset()
        ds.PatientID = study.patient.patient_id
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study.study_instance_uid, instance.series.series_instance_uid
    ds.SOPClassUID, ds.SOPInstanceUID = instance.sop_class_uid, instance.sop_instance_uid
    return ds


def _numbered(ways: Iterable[Way]) -> Iterator[tuple[int, int, Way]]:
    series: dict[int, int] = {}
    counts: dict[int, int] = {}
    for way in ways:
        place = series.setdefault(way.instance.series_id, len(series) + 1)
        counts[place] = counts.get(place, 0) + 1
        yield place, counts[place], way
