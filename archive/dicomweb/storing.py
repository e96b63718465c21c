"""What STOW-RS does with a body (PS3.18 10.5): DICOM files, or metadata with bulk data, into the one intake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, cast

from archive.dicomweb.bulk_media import BulkPart, check_media_type
from archive.dicomweb.errors import BadRequest, UnsupportedMediaType
from archive.dicomweb.metadata import LARGEST_METADATA, read_json, read_xml, uids_of, write_part10
from archive.dicomweb.multipart import MultipartBody, Part, Readable, media_type
from archive.dicomweb.statuses import OUT_OF_RESOURCES, failure_reason_of
from archive.errors import ArchiveError, ObjectTooLarge
from archive.metrics import count_refused_instance
from archive.receiving.intake import IntakeResult
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.receiving.upload import STOPS, spooled

DICOM: Final = "application/dicom"
METADATA_READERS: Final = {"application/dicom+json": read_json, "application/dicom+xml": read_xml}
ACCEPTED: Final = (DICOM, *METADATA_READERS)
MOST_PARTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Failure:
    """One instance that was not stored; UIDs are empty where its bytes do not tell them."""

    reason: int
    words: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


@dataclass(slots=True)
class StoreReport:
    """What became of the instances of one request."""

    stored: list[IntakeResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    stopped_by: ArchiveError | None = None
    """What ended the request early: the disk or the backlog is full."""


def store(body: Readable, content_type: str, origin: Origin, *, study_instance_uid: str = "") -> StoreReport:
    """Store every instance of a request's body.

    Parameters
    ----------
    study_instance_uid
        The study that the request names; instances of others fail.

    Raises
    ------
    BadRequest
        The body's structure is damaged, or it holds nothing.
    UnsupportedMediaType
        The body, or its first part, is of a kind that is not taken.
    """
    kind, parameters = media_type(content_type)
    storing = _Storing(origin, study_instance_uid)
    if kind == DICOM:
        storing.take_file(body)
        return storing.report
    if kind != "multipart/related":
        raise UnsupportedMediaType(f"{kind or 'A body without a type'} is not taken: multipart/related or {DICOM}.")
    parts = iter(MultipartBody(body, parameters.get("boundary", "")))
    first = next(parts, None)
    if first is None:
        raise BadRequest("The multipart body has no parts.")
    kind = media_type(first.content_type or parameters.get("type", ""))[0]
    if kind not in ACCEPTED:
        raise UnsupportedMediaType(f"Parts of type {kind or 'that is not given'} are not taken: {', '.join(ACCEPTED)}.")
    if kind == DICOM:
        storing.take_files(first, parts)
    else:
        storing.take_metadata(first, parts)
    return storing.report


class _Storing:
    """One request under way."""

    def __init__(self, origin: Origin, study_instance_uid: str) -> None:
        self.report = StoreReport()
        self._origin = origin
        self._study_instance_uid = study_instance_uid

    def take_files(self, first: Part, others: Iterable[Part]) -> None:
        """Parts that are DICOM files, each streamed to disk."""
        self.take_file(first)
        for number, part in enumerate(others, 2):
            if number > MOST_PARTS:
                raise BadRequest(f"A request has at most {MOST_PARTS} parts.")
            kind = media_type(part.content_type)[0]
            if kind in (DICOM, ""):
                self.take_file(part)
            else:
                self._fail(UnsupportedMediaType(f"A part of type {kind} stands among DICOM files."))

    def take_file(self, stream: Readable, sop_class_uid: str = "", sop_instance_uid: str = "") -> None:
        """One DICOM file; after a full disk the rest of the request fails without being tried."""
        stopped = self.report.stopped_by
        if stopped is not None:
            count_refused_instance(Door.STOW)
            self.report.failures.append(Failure(OUT_OF_RESOURCES, str(stopped), sop_class_uid, sop_instance_uid))
            return
        try:
            result = receive_part10(cast("BinaryIO", stream), self._origin, study_instance_uid=self._study_instance_uid)
        except BadRequest:
            raise
        except ArchiveError as error:
            self._fail(error, sop_class_uid, sop_instance_uid)
        else:
            self.report.stored.append(result)

    def take_metadata(self, first: Part, others: Iterable[Part]) -> None:
        """Metadata parts and the bulk data that they name, which wait on disk until all of it is there."""
        with ExitStack() as files:
            models, bulk = self._spool(first, others, files)
            for model in models:
                sop_class_uid, sop_instance_uid = uids_of(model)
                file = files.enter_context(spooled(_Nothing()))
                try:
                    write_part10(model, bulk, file)
                    file.seek(0)
                except ArchiveError as error:
                    self._fail(error, sop_class_uid, sop_instance_uid)
                else:
                    self.take_file(file, sop_class_uid, sop_instance_uid)

    def _spool(
        self, first: Part, others: Iterable[Part], files: ExitStack
    ) -> tuple[list[dict[str, Any]], dict[str, list[BulkPart]]]:
        models: list[dict[str, Any]] = []
        bulk: dict[str, list[BulkPart]] = defaultdict(list)
        for part in _chain(first, others):
            reader = METADATA_READERS.get(media_type(part.content_type)[0])
            if reader is not None:
                models += reader(_read_metadata(part))
                continue
            check_media_type(part.content_type)
            file = files.enter_context(spooled(part))
            size = file.tell()
            file.seek(0)
            bulk[part.headers.get("content-location", "")].append(BulkPart(part.content_type, file, size))
        return models, bulk

    def _fail(self, error: ArchiveError, sop_class_uid: str = "", sop_instance_uid: str = "") -> None:
        if isinstance(error, STOPS):
            self.report.stopped_by = error
        count_refused_instance(Door.STOW)
        self.report.failures.append(Failure(failure_reason_of(error), str(error), sop_class_uid, sop_instance_uid))


class _Nothing:
    """A stream that is over: what is spooled from it is an empty file."""

    def read(self, size: int = -1, /) -> bytes:
        return b""


def _chain(first: Part, others: Iterable[Part]) -> Iterator[Part]:
    yield first
    yield from others


def _read_metadata(part: Part) -> bytes:
    document = part.read(LARGEST_METADATA + 1)
    if len(document) > LARGEST_METADATA:
        raise ObjectTooLarge(f"The metadata is larger than {LARGEST_METADATA >> 20} MiB.")
    return document
