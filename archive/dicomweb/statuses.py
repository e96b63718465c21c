"""Refusals of the archive as HTTP statuses (PS3.18 8.5) and as failure reasons of STOW-RS (PS3.18 table I.2-2)."""

from __future__ import annotations

from typing import Final

from archive.dicomweb.errors import (
    BadRequest,
    BodyTooLarge,
    Forbidden,
    Gone,
    LengthRequired,
    NotAcceptable,
    NotFound,
    NotOffered,
    RangeNotSatisfiable,
    UnsupportedMediaType,
)
from archive.errors import (
    ArchiveError,
    BacklogFull,
    CannotDecode,
    CannotUnderstand,
    DataSetMismatch,
    FrameMissing,
    InvalidUID,
    ObjectTooLarge,
    OtherStudy,
    OutOfSpace,
    StorageFailed,
)
from archive.indexing.rejecting import NotTheirs, RejectionRefused
from archive.querying.matching import BadKey

HTTP_STATUSES: Final[dict[type[ArchiveError], int]] = {
    BadRequest: 400,
    CannotUnderstand: 400,
    BadKey: 400,
    RejectionRefused: 400,
    Forbidden: 403,
    NotTheirs: 403,
    NotFound: 404,
    NotOffered: 404,
    FrameMissing: 404,
    NotAcceptable: 406,
    CannotDecode: 406,
    Gone: 410,
    LengthRequired: 411,
    ObjectTooLarge: 413,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    RangeNotSatisfiable: 416,
    BacklogFull: 503,
    OutOfSpace: 507,
    StorageFailed: 507,
}

OUT_OF_RESOURCES: Final = 0xA700
FAILURE_REASONS: Final[dict[type[ArchiveError], int]] = {
    OutOfSpace: OUT_OF_RESOURCES,
    BacklogFull: OUT_OF_RESOURCES,
    StorageFailed: OUT_OF_RESOURCES,
    ObjectTooLarge: OUT_OF_RESOURCES,
    DataSetMismatch: 0xA900,
    CannotUnderstand: 0xC000,
    InvalidUID: 0xC000,
    # Within "cannot understand": the code that other archives give a study that is not the one of the address.
    OtherStudy: 0xC409,
    UnsupportedMediaType: 0xC122,
}


def http_status_of(error: ArchiveError) -> int:
    """HTTP status of a whole request that is refused."""
    return HTTP_STATUSES.get(type(error), 400)


def failure_reason_of(error: ArchiveError) -> int:
    """Failure Reason (0008,1197) of one instance."""
    return FAILURE_REASONS.get(type(error), 0x0110)
