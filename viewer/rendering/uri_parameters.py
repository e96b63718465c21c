"""Query parameters of WADO-URI (PS3.18 9.4 and 9.5), as one value, with the rules between them.

A request is either for the object itself (``contentType=application/dicom``) or for
a rendered form of it, and each has parameters that the other must not have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from archive.dicom.accept import MediaRange
from archive.dicom.uids import is_valid_uid
from archive.pixels.description import Window
from viewer.errors import InvalidParameter, InvalidWindow
from viewer.rendering.media_types import DICOM, parse_accept_parameter
from viewer.rendering.parameters import checked_window, read_number
from viewer.rendering.rendered_parameters import (
    LARGEST_SIDE,
    RenderedParameters,
    Viewport,
    check_charset,
    parse_annotation,
    parse_quality,
    unsupported_parameters,
    whole_number,
)

REQUIRED = ("requestType", "studyUID", "seriesUID", "objectUID")
OF_RENDERED = (
    "annotation",
    "rows",
    "columns",
    "region",
    "windowCenter",
    "windowWidth",
    "frameNumber",
    "imageQuality",
    "presentationUID",
    "presentationSeriesUID",
)
"""Must not stand beside ``contentType=application/dicom`` (9.5.1.2)."""
OF_DICOM = ("anonymize", "transferSyntax")
"""Must stand beside ``contentType=application/dicom`` only (9.4.1.2)."""
REPLACED_BY_PRESENTATION = ("windowCenter", "windowWidth", "region")
"""What a presentation state says itself: its window (9.5.1.2.6) and its displayed area."""
PAIRS = (("windowCenter", "windowWidth"), ("presentationUID", "presentationSeriesUID"))
KNOWN = (*REQUIRED, "contentType", "charset", *OF_RENDERED, *OF_DICOM)


@dataclass(frozen=True, slots=True)
class Fraction:
    """A region by its corners, in parts of the image from its upper left corner: 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class UriRequest:
    """Everything that one WADO-URI request asks."""

    study_uid: str
    series_uid: str
    object_uid: str
    content_type: tuple[MediaRange, ...] = ()
    transfer_syntax: str | None = None
    frame_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    region: Fraction | None = None
    presentation: tuple[str, str] | None = None
    """Presentation state: its Series Instance UID and SOP Instance UID."""
    look: RenderedParameters = field(default_factory=RenderedParameters)
    """What it has in common with a rendered resource."""

    @property
    def wants_dicom(self) -> bool:
        return any(f"{one.type}/{one.subtype}" == DICOM for one in self.content_type)


def parse_uri_request(query: Mapping[str, str]) -> UriRequest:
    """Read a request.

    Raises
    ------
    InvalidParameter
        A parameter is missing, wrong, not offered, or may not stand beside another; the error names it.
    """
    uids = _uids(query)
    content_type: tuple[MediaRange, ...] = ()
    if "contentType" in query:
        content_type = parse_accept_parameter(query["contentType"], "contentType", wildcards=True, dicom=True)
    if "charset" in query:
        check_charset(query["charset"])
    wants_dicom = any(f"{one.type}/{one.subtype}" == DICOM for one in content_type)
    _check_combinations(query, wants_dicom=wants_dicom)
    return UriRequest(
        *uids,
        content_type=content_type,
        transfer_syntax=_transfer_syntax(query),
        frame_number=_positive(query, "frameNumber", 2**31 - 1),
        rows=_positive(query, "rows", LARGEST_SIDE),
        columns=_positive(query, "columns", LARGEST_SIDE),
        region=parse_region(query["region"]) if "region" in query else None,
        presentation=_presentation(query),
        look=_look(query, content_type),
    )


def _uids(query: Mapping[str, str]) -> tuple[str, str, str]:
    """The object and where it lies (9.1.2.1)."""
    for name in REQUIRED:
        if name not in query:
            raise InvalidParameter(name, "", "a value: the parameter is required")
    if query["requestType"] != "WADO":
        raise InvalidParameter("requestType", query["requestType"], "WADO")
    study, series, instance = (_uid(query, name) for name in REQUIRED[1:])
    return study, series, instance


def _uid(query: Mapping[str, str], name: str) -> str:
    if not is_valid_uid(query[name]):
        raise InvalidParameter(name, query[name], "one UID")
    return query[name]


def _check_combinations(query: Mapping[str, str], *, wants_dicom: bool) -> None:
    """Which parameters may stand beside which (9.4.1.2, 9.5.1.2)."""
    forbidden = OF_RENDERED if wants_dicom else OF_DICOM
    for name in forbidden:
        if name in query:
            beside = "without contentType=application/dicom" if wants_dicom else "with contentType=application/dicom"
            raise InvalidParameter(name, query[name], f"the parameter only {beside}")
    for one, other in (*PAIRS, *(pair[::-1] for pair in PAIRS)):
        if one in query and other not in query:
            raise InvalidParameter(other, "", f"a value: it is required beside {one}")
    if "presentationUID" in query:
        for name in REPLACED_BY_PRESENTATION:
            if name in query:
                raise InvalidParameter(name, query[name], "the parameter only without presentationUID")


def _transfer_syntax(query: Mapping[str, str]) -> str | None:
    if query.get("anonymize") is not None:
        # 9.4.1.2.1: a server may refuse. Giving the identified object instead would be worse.
        raise InvalidParameter("anonymize", query["anonymize"], "nothing: objects are not de-identified here")
    return _uid(query, "transferSyntax") if "transferSyntax" in query else None


def _presentation(query: Mapping[str, str]) -> tuple[str, str] | None:
    if "presentationUID" not in query:
        return None
    return _uid(query, "presentationSeriesUID"), _uid(query, "presentationUID")


def _positive(query: Mapping[str, str], name: str, most: int) -> int | None:
    if name not in query:
        return None
    return whole_number(name, query[name], 1, most, f"one whole number from 1 to {most}")


def parse_region(text: str) -> Fraction:
    """Read ``left,top,right,bottom`` in parts of the image (9.5.1.2.5).

    >>> parse_region("0.25,0,1,0.5")
    Fraction(left=0.25, top=0.0, right=1.0, bottom=0.5)
    """
    numbers = [read_number(part) for part in text.split(",")]
    found = [number for number in numbers if number is not None and 0 <= number <= 1]
    if len(numbers) != 4 or len(found) != 4 or not (found[0] < found[2] and found[1] < found[3]):
        raise InvalidParameter(
            "region", text, "left,top,right,bottom, each from 0 to 1, left before right, top above bottom"
        )
    return Fraction(*found)


def _look(query: Mapping[str, str], content_type: tuple[MediaRange, ...]) -> RenderedParameters:
    ignored: tuple[str, ...] = unsupported_parameters(query, KNOWN)
    annotation, unknown = parse_annotation(query["annotation"]) if "annotation" in query else ((), ())
    if unknown:
        ignored = (f"The following annotation values are not supported: {', '.join(unknown)}", *ignored)
    return RenderedParameters(
        window=_window(query) if "windowCenter" in query else None,
        quality=parse_quality(query["imageQuality"], "imageQuality") if "imageQuality" in query else None,
        annotation=annotation,
        accept=content_type,
        presentation_state=query.get("presentationUID", ""),
        ignored=ignored,
    )


def _window(query: Mapping[str, str]) -> Window:
    """Center and width, both or none; the function is linear (9.5.1.2.6)."""
    center, width = (_decimal(query, name) for name in PAIRS[0])
    try:
        return checked_window(Window(center, width))
    except InvalidWindow as error:
        raise InvalidWindow(f"{center},{width}", error.accepted, parameter="windowCenter, windowWidth") from None


def _decimal(query: Mapping[str, str], name: str) -> float:
    value = read_number(query[name])
    if value is None:
        raise InvalidWindow(query[name], "one decimal number", parameter=name)
    return value


def viewport_of(request: UriRequest, *, image_rows: int, image_columns: int) -> Viewport | None:
    """What ``rows``, ``columns`` and ``region`` mean for an image of this size (9.5.1.2.4, 9.5.1.2.5).

    With both, each is a maximum; with one, the other follows from the proportions; with none, a region
    keeps the size that it has. A presentation state has no size of its own: what it shows fits into both.
    """
    if request.rows is None and request.columns is None and request.region is None:
        return None
    if not (image_rows and image_columns):
        return Viewport(request.columns or LARGEST_SIDE, request.rows or LARGEST_SIDE)
    region = request.region or Fraction(0.0, 0.0, 1.0, 1.0)
    left, top = region.left * image_columns, region.top * image_rows
    width, height = region.right * image_columns - left, region.bottom * image_rows - top
    rows, columns = request.rows, request.columns
    if rows is None and columns is None:
        rows, columns = math.ceil(height - 1e-6), math.ceil(width - 1e-6)
    elif rows is None:
        rows = LARGEST_SIDE
    elif columns is None:
        columns = LARGEST_SIDE
    return Viewport(max(1, columns or 1), max(1, rows or 1), left, top, width, height)
