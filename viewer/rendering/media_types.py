"""Which rendered media type answers a request (PS3.18 8.7.4 to 8.7.8).

An instance belongs to one resource category; what is offered for each stands in
``OFFERED``, the default first (table 8.7.4-1). The ``accept`` parameter comes
before the Accept header, the more specific range before the wildcard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.dicom.accept import MediaRange, best, read_list
from viewer.errors import InvalidParameter, NotAcceptable

JPEG, PNG, GIF = "image/jpeg", "image/png", "image/gif"
MP4, MPEG, TRANSPORT_STREAM = "video/mp4", "video/mpeg", "video/mp2t"
HTML, PLAIN, PDF = "text/html", "text/plain", "application/pdf"
DICOM = "application/dicom"


class Category(StrEnum):
    """Resource category of what is rendered (8.7.2)."""

    SINGLE_FRAME = "single-frame image"
    MULTI_FRAME = "multi-frame image"
    PRESENTATION_STATE = "presentation state"
    """Shown as the images that it is about."""
    VIDEO = "video"
    TEXT = "text"
    DOCUMENT = "document"
    NONE = "nothing that can be rendered"


OFFERED: dict[Category, tuple[str, ...]] = {
    Category.SINGLE_FRAME: (JPEG, PNG, GIF),
    Category.MULTI_FRAME: (GIF,),
    Category.PRESENTATION_STATE: (JPEG, PNG, GIF),
    Category.VIDEO: (),
    Category.TEXT: (HTML, PLAIN),
    Category.DOCUMENT: (PDF,),
    Category.NONE: (),
}
"""For video it depends on the stream itself: it is never decoded, only passed on."""


def video_container(head: bytes, transfer_syntax_uid: str) -> str:
    """What a video stream is as it lies in the file, by its first bytes; empty where no player takes it alone.

    PS3.5 8.2.7 allows MP4 and MPEG-2 transport streams; an elementary stream of MPEG-2 is
    ``video/mpeg`` as it is, one of AVC or HEVC has no container. Nothing is ever put into another one.
    """
    if head[4:8] == b"ftyp":
        return MP4
    if head[:1] == b"\x47" and head[188:189] in (b"\x47", b""):
        return TRANSPORT_STREAM
    is_mpeg2 = transfer_syntax_uid.removesuffix(".1") in ("1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.101")
    return MPEG if is_mpeg2 and head[:3] == b"\x00\x00\x01" else ""


@dataclass(frozen=True, slots=True)
class Selected:
    """The media type of an answer, and whether it was asked for as a part of a multipart payload."""

    media_type: str
    multipart: bool = False


def parse_accept_parameter(
    text: str, parameter: str = "accept", *, wildcards: bool = False, dicom: bool = False
) -> tuple[MediaRange, ...]:
    """Read the ``accept`` parameter: media types with weights, without wildcards (8.3.3.1).

    Raises
    ------
    InvalidParameter
        It is no list of media types, has a wildcard, or mixes DICOM with other media types.
    """
    ranges = read_list(text)
    accepted = "a list of media types such as image/png"
    if not all(ranges):
        raise InvalidParameter(parameter, text, accepted)
    found = [one for one in ranges if one is not None]
    if not wildcards and any(one.has_wildcard for one in found):
        raise InvalidParameter(parameter, text, f"{accepted}, without wildcards")
    are_dicom = {one.kind.startswith(DICOM) for one in found}
    if len(are_dicom) > 1 or (are_dicom == {True} and not dicom):
        only = "either application/dicom or rendered media types" if dicom else "rendered media types only"
        raise InvalidParameter(parameter, text, only)
    return tuple(found)


def select(
    offered: Sequence[str], *, parameter: Sequence[MediaRange], header: Sequence[MediaRange], what: str
) -> Selected:
    """Choose the media type of one representation (8.7.8.1).

    Parameters
    ----------
    offered
        Media types that can be made, the default first.
    what
        Words for the refusal.

    Raises
    ------
    NotAcceptable
        None of them is acceptable; the error lists what is offered.
    """
    for ranges in (parameter, header):
        if chosen := best(offered, ranges):
            return Selected(chosen[0], chosen[1].multipart)
    raise NotAcceptable(what, tuple(offered))
