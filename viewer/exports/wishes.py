"""What somebody wants to take away, as one value: read from JSON when it is asked for, and again when the job runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.http import QueryDict

from viewer.errors import InvalidParameter
from viewer.exports.film import encoder
from viewer.rendering.parameters import RenderParameters, parse_parameters

MOST_FRAMES = 400
"""Pictures of one export; an animation of more helps nobody."""
TURNS = (0, 90, 180, 270)


class Form(StrEnum):
    """What is made."""

    PNG = "png"  # one picture, or a ZIP of several
    JPEG = "jpeg"
    PDF = "pdf"  # a contact sheet
    GIF = "gif"  # frames after each other, in a loop
    APNG = "apng"
    MP4 = "mp4"  # the same as a film, where the site has its own encoder
    DICOM = "dicom"  # the study's files as they are stored, in a ZIP
    DICOMDIR = "dicomdir"  # the same with an index, as for a medium


PICTURES = frozenset({Form.PNG, Form.JPEG, Form.PDF})
ANIMATIONS = frozenset({Form.GIF, Form.APNG, Form.MP4})
FILES = frozenset({Form.DICOM, Form.DICOMDIR})


@dataclass(frozen=True, slots=True)
class WantedFrame:
    """One frame as it is seen."""

    stack: str
    frame: int
    """From 1, in the order of the stack."""
    look: RenderParameters
    rotation: int = 0
    """Clockwise, after the flip."""
    flipped: bool = False
    """Mirrored left and right."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One export."""

    form: Form
    with_names: bool
    frames: tuple[WantedFrame, ...] = ()
    rate: float | None = None
    """Frames a second of an animation; None for that of the file."""


def read_wish(values: dict[str, Any]) -> Wish:
    """Check what a browser sent.

    Raises
    ------
    InvalidParameter
        A value is missing or not of its kind; the message names it.
    """
    form, frames = values.get("form"), values.get("frames", [])
    if not isinstance(form, str) or form not in set(Form):
        raise InvalidParameter("form", form, ", ".join(Form))
    known = Form(form)
    if known is Form.MP4 and not encoder():
        raise InvalidParameter("form", form, "another form: a film needs ffmpeg, which this site has not set up")
    most = 0 if known in FILES else MOST_FRAMES
    if not isinstance(frames, list) or not min(1, most) <= len(frames) <= most:
        raise InvalidParameter("frames", len(frames) if isinstance(frames, list) else frames, f"1 to {most} frames")
    with_names, rate = values.get("with_names", False), values.get("rate")
    if not isinstance(with_names, bool):
        raise InvalidParameter("with_names", with_names, "true or false")
    is_rate = isinstance(rate, int | float) and not isinstance(rate, bool) and 0 < rate <= 100
    if rate is not None and not is_rate:
        raise InvalidParameter("rate", rate, "frames a second, above 0 and at most 100")
    return Wish(known, with_names, tuple(_read_frame(one) for one in frames), rate)


def _read_frame(values: Any) -> WantedFrame:
    if not isinstance(values, dict):
        raise InvalidParameter("frames", values, "objects with stack and frame")
    stack, frame, look = values.get("stack"), values.get("frame"), values.get("look", "")
    rotation, flipped = values.get("rotation", 0), values.get("flipped", False)
    if not isinstance(stack, str) or not 0 < len(stack) <= 70:
        raise InvalidParameter("stack", stack, "the id of a stack")
    if not isinstance(frame, int) or isinstance(frame, bool) or frame < 1:
        raise InvalidParameter("frame", frame, "a whole number from 1")
    if not isinstance(look, str) or len(look) > 500:
        raise InvalidParameter("look", look, "the query of a tile")
    if rotation not in TURNS or not isinstance(flipped, bool):
        raise InvalidParameter("rotation", rotation, "0, 90, 180 or 270, with flipped true or false")
    query = QueryDict(look)
    return WantedFrame(stack, frame, parse_parameters(query.dict()), int(rotation), flipped)
