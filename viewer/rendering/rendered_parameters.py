"""Query parameters of rendered and thumbnail resources (PS3.18 8.3.5), as one value.

Names and keywords are case-sensitive, as the standard's grammar says (``%s"..."``).
What is not of the grammar is refused by name; what the standard tells a server to
ignore is listed in ``ignored``, to be said in a Warning header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from archive.dicom.accept import MediaRange
from archive.pixels.description import VoiFunction, Window
from viewer.errors import InvalidParameter, InvalidWindow
from viewer.rendering.media_types import parse_accept_parameter
from viewer.rendering.parameters import checked_window, function_text, read_number

LARGEST_SIDE = 8192
"""Rows or columns of a viewport; larger ones are "not supported" (8.3.5.1.3)."""
CHARACTER_SETS = ("utf-8", "iso_ir 192")
"""UTF-8 by its IANA name and by its DICOM defined term."""

_INTEGER = re.compile(r"\d{1,9}", re.ASCII)
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_CHARSET = re.compile(r'"?([A-Za-z0-9_.:+ -]{1,40})"?(?:\s*;\s*q=([01](?:\.\d{0,3})?))?', re.ASCII)
_FUNCTIONS = {function_text(function): function for function in VoiFunction}

VIEWPORT_GRAMMAR = f"vw,vh or vw,vh,sx,sy,sw,sh with vw and vh from 1 to {LARGEST_SIDE}; sx, sy, sw, sh may be empty"
THUMBNAIL_VIEWPORT_GRAMMAR = f"vw,vh from 1 to {LARGEST_SIDE}: a thumbnail is never cropped"
WINDOW_GRAMMAR = "center,width,function with function linear, linear-exact or sigmoid; all three"


class Annotation(StrEnum):
    """What is burned into a picture (8.3.5.1.1)."""

    PATIENT = "patient"
    """Name, ID, birth date, sex."""
    TECHNIQUE = "technique"
    """Study, series, image and frame, position, window."""


class IccProfile(StrEnum):
    """Colour of the answer (8.3.5.1.5). Pictures are always sRGB, so these are what is offered."""

    NO = "no"
    YES = "yes"
    SRGB = "srgb"


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size of the answer and the part of the image that it shows, in image pixels."""

    columns: int
    rows: int
    left: float = 0.0
    top: float = 0.0
    width: float | None = None
    """None: to the right edge."""
    height: float | None = None
    flip_columns: bool = False
    """Left and right change places: a negative ``sw``."""
    flip_rows: bool = False


@dataclass(frozen=True, slots=True)
class RenderedParameters:
    """Everything that can be asked of a rendered resource."""

    window: Window | None = None
    viewport: Viewport | None = None
    quality: int | None = None
    annotation: tuple[Annotation, ...] = ()
    icc_profile: IccProfile | None = None
    accept: tuple[MediaRange, ...] = ()
    presentation_state: str = ""
    """SOP Instance UID of the state that an image is shown by; WADO-URI alone can name one."""
    ignored: tuple[str, ...] = ()
    """Sentences for Warning headers."""

    @property
    def embeds_profile(self) -> bool:
        return self.icc_profile in (IccProfile.YES, IccProfile.SRGB)


def parse_rendered(query: Mapping[str, str]) -> RenderedParameters:
    """Read the parameters of a rendered resource (table 8.3.5-1).

    Raises
    ------
    InvalidParameter
        A value is not of the grammar or is not offered; the error names the parameter.
    """
    annotation, unsupported = parse_annotation(query["annotation"]) if "annotation" in query else ((), ())
    ignored = [f"The following annotation values are not supported: {', '.join(unsupported)}"] if unsupported else []
    known = ("accept", "annotation", "charset", "quality", "viewport", "window", "iccprofile")
    return RenderedParameters(
        window=parse_rendered_window(query["window"]) if "window" in query else None,
        viewport=parse_viewport(query["viewport"]) if "viewport" in query else None,
        quality=parse_quality(query["quality"]) if "quality" in query else None,
        annotation=annotation,
        icc_profile=_icc_profile(query["iccprofile"]) if "iccprofile" in query else None,
        accept=_content(query),
        ignored=(*ignored, *unsupported_parameters(query, known)),
    )


def check_for_state(parameters: RenderedParameters) -> None:
    """Refuse what a presentation state as target says itself (8.3.5.1.3, 8.3.5.1.4)."""
    if parameters.window is not None:
        raise InvalidParameter("window", "a window", "the parameter only for images, not for a presentation state")
    viewport = parameters.viewport
    if viewport is not None and viewport != Viewport(viewport.columns, viewport.rows):
        raise InvalidParameter("viewport", "a region", "vw,vh: a presentation state has a displayed area of its own")


def parse_thumbnail(query: Mapping[str, str]) -> RenderedParameters:
    """Read the parameters of a thumbnail (table 8.3.5-2); those of a rendered resource are ignored with a warning."""
    viewport = parse_viewport(query["viewport"], cropping=False) if "viewport" in query else None
    ignored = unsupported_parameters(query, ("accept", "charset", "viewport"))
    return RenderedParameters(viewport=viewport, accept=_content(query), ignored=ignored)


def _content(query: Mapping[str, str]) -> tuple[MediaRange, ...]:
    if "charset" in query:
        check_charset(query["charset"])
    return parse_accept_parameter(query["accept"]) if "accept" in query else ()


def unsupported_parameters(query: Mapping[str, str], known: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence about parameters that nobody knows; they are ignored."""
    names = [name for name in query if name not in known]
    # A name comes from the address and goes into a header: nothing but harmless characters is repeated.
    shown = ", ".join(sorted(name if _KEYWORD.fullmatch(name) else "(unreadable)" for name in names))
    return (f"The following parameters are not supported: {shown}",) if names else ()


def parse_rendered_window(text: str) -> Window:
    """Read ``center,width,function``, all three required (8.3.5.1.4).

    >>> parse_rendered_window("40,400,linear-exact")
    Window(center=40.0, width=400.0, function=<VoiFunction.LINEAR_EXACT: 'LINEAR_EXACT'>, explanation='')
    """
    parts = text.split(",")
    if len(parts) != 3 or parts[2] not in _FUNCTIONS:
        raise InvalidWindow(text, WINDOW_GRAMMAR)
    center, width = read_number(parts[0]), read_number(parts[1])
    if center is None or width is None:
        raise InvalidWindow(text, WINDOW_GRAMMAR)
    return checked_window(Window(center, width, _FUNCTIONS[parts[2]]))


def parse_viewport(text: str, *, cropping: bool = True) -> Viewport:
    """Read two to six values (8.3.5.1.3); a negative width or height mirrors.

    >>> parse_viewport("512,256,,,-100.5,80")  # doctest: +NORMALIZE_WHITESPACE
    Viewport(columns=512, rows=256, left=0.0, top=0.0, width=100.5, height=80.0,
             flip_columns=True, flip_rows=False)
    """
    accepted = VIEWPORT_GRAMMAR if cropping else THUMBNAIL_VIEWPORT_GRAMMAR
    parts = text.split(",")
    # Trailing values are left out together with their commas.
    if not 2 <= len(parts) <= (6 if cropping else 2) or not parts[-1]:
        raise InvalidParameter("viewport", text, accepted)
    columns, rows = (whole_number("viewport", part, 1, LARGEST_SIDE, accepted) for part in parts[:2])
    optional = [*parts[2:], *[""] * (6 - len(parts))]
    values = [read_number(part) if part else None for part in optional]
    if any(part and value is None for part, value in zip(optional, values, strict=True)):
        raise InvalidParameter("viewport", text, accepted)
    left, top, width, height = values
    if width == 0 or height == 0:
        raise InvalidParameter("viewport", text, f"{accepted}; sw and sh other than 0")
    return Viewport(
        columns=columns,
        rows=rows,
        left=abs(left or 0.0),
        top=abs(top or 0.0),
        width=None if width is None else abs(width),
        height=None if height is None else abs(height),
        flip_columns=width is not None and width < 0,
        flip_rows=height is not None and height < 0,
    )


def parse_quality(text: str, parameter: str = "quality") -> int:
    """Read a whole number from 1 to 100 (8.3.5.1.2)."""
    return whole_number(parameter, text, 1, 100, "a whole number from 1 to 100")


def parse_annotation(text: str) -> tuple[tuple[Annotation, ...], tuple[str, ...]]:
    """Read a list of keywords (8.3.5.1.1): those that are known, and other keywords, which are ignored.

    >>> parse_annotation("patient,logo")
    ((<Annotation.PATIENT: 'patient'>,), ('logo',))
    """
    parts = text.split(",")
    if not all(_KEYWORD.fullmatch(part) for part in parts):
        raise InvalidParameter("annotation", text, f"a list of keywords: {', '.join(Annotation)}")
    known = tuple(keyword for keyword in Annotation if keyword.value in parts)
    return known, tuple(part for part in parts if part not in known)


def check_charset(text: str) -> None:
    """Refuse a list of character sets in which there is none that can be written (8.3.3.2)."""
    found = [_CHARSET.fullmatch(part.strip()) for part in text.split(",")]
    usable = [one for one in found if one and float(one[2] or 1) > 0 and one[1].lower() in CHARACTER_SETS]
    if not all(found) or not usable:
        raise InvalidParameter("charset", text, "a list with UTF-8 in it")


def whole_number(parameter: str, text: str, low: int, high: int, accepted: str) -> int:
    """An unsigned whole number within limits, or ``InvalidParameter``."""
    if not (_INTEGER.fullmatch(text) and low <= int(text) <= high):
        raise InvalidParameter(parameter, text, accepted)
    return int(text)


def _icc_profile(text: str) -> IccProfile:
    if text not in tuple(IccProfile):
        raise InvalidParameter("iccprofile", text, f"{', '.join(IccProfile)} (pictures are sRGB)")
    return IccProfile(text)
