"""What a reader can ask of a picture, as one value; the first step of rendering.

``parse_parameters`` turns the query of an address into ``RenderParameters`` and
refuses what it does not know by name. Window syntax follows PS3.18 8.3.5.1.4.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from archive.dicom.uids import is_valid_uid
from archive.pixels.description import VoiFunction, Window
from viewer.errors import InvalidParameter, InvalidWindow
from viewer.rendering.color_maps import GREY, MAP_NAMES

WINDOW_LIMIT = 1e12
"""Largest magnitude of a window's center and width; Bq/ml of a PET reach 1e8."""

SMALLEST_WIDTH = 1e-15
"""Smallest width of LINEAR_EXACT and SIGMOID; a diffusion map in m2/s needs 1e-10."""

LONGEST_NUMBER = 64
"""Characters of a number in an address."""

ACCEPTED_WINDOWS = (
    "center,width or center,width,function with function linear, linear-exact or sigmoid; file; auto; "
    "lut-N with N from 1"
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LUT = re.compile(r"lut-([1-9]\d{0,2})", re.ASCII)


class WindowSource(StrEnum):
    """A window that is named by where it comes from."""

    FILE = "file"
    """Each image by its own header: VOI LUT first, then window, then the stack's."""
    AUTOMATIC = "auto"
    """The window computed from the values of the whole stack."""


@dataclass(frozen=True, slots=True)
class VoiLutNumber:
    """One of the image's own VOI LUTs, counted from 1."""

    number: int

    def __str__(self) -> str:
        return f"lut-{self.number}"


WindowChoice = Window | WindowSource | VoiLutNumber


@dataclass(frozen=True, slots=True)
class RenderParameters:
    """One picture's appearance. The default is the stack as it is first shown."""

    window: WindowChoice | None = None
    """None: the stack's own window."""
    invert: bool | None = None
    """None: the stack's own polarity where ``window`` is None too, else not inverted."""
    map: str = GREY
    values: bool = False
    """The value tile (stored values), for which nothing else here matters."""
    overlays: bool = True
    presentation_state: str = ""
    """SOP Instance UID of the presentation state that says how the picture looks; empty for none."""

    def key(self) -> str:
        """Normalised query: equal pictures have equal keys, the default picture has an empty one."""
        if self.values:
            return "values=1"
        parts = []
        if self.window is not None:
            parts.append(f"window={window_text(self.window)}")
        has_own_polarity = self.window is None and not self.presentation_state
        if self.invert or (self.invert is not None and has_own_polarity):
            parts.append(f"invert={int(self.invert)}")
        if self.map != GREY:
            parts.append(f"map={self.map}")
        if not self.overlays:
            parts.append("overlays=0")
        if self.presentation_state:
            parts.append(f"pr={self.presentation_state}")
        return "&".join(parts)


def parse_parameters(query: Mapping[str, str]) -> RenderParameters:
    """Read the parameters of a picture.

    Raises
    ------
    InvalidParameter
        A name is unknown or a value is not of its kind; the message names it.
    InvalidWindow
        The window is no window (PS3.3 C.11.2.1.2).
    """
    readers: dict[str, Callable[[str], object]] = {
        "window": parse_window,
        "invert": lambda text: _flag("invert", text),
        "map": _map,
        "values": lambda text: _flag("values", text),
        "overlays": lambda text: _flag("overlays", text),
        "pr": _presentation_state,
    }
    for name in query:
        if name not in readers:
            raise InvalidParameter(name, query[name], f"only the parameters {', '.join(readers)}")
    fields = {"pr": "presentation_state"}
    return RenderParameters(**{fields.get(name, name): readers[name](query[name]) for name in query})  # type: ignore[arg-type]


def parse_window(text: str) -> WindowChoice:
    """Read one window: ``40,400,linear``, ``file``, ``auto`` or ``lut-2``."""
    if text in (WindowSource.FILE, WindowSource.AUTOMATIC):
        return WindowSource(text)
    if found := _LUT.fullmatch(text):
        return VoiLutNumber(int(found[1]))
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise InvalidWindow(text, ACCEPTED_WINDOWS)
    function = _function(parts[2]) if len(parts) == 3 else VoiFunction.LINEAR
    return checked_window(Window(_number(parts[0], text), _number(parts[1], text), function))


def checked_window(window: Window) -> Window:
    """Return the window itself, or raise ``InvalidWindow`` (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if not (math.isfinite(window.center) and abs(window.center) <= WINDOW_LIMIT):
        raise InvalidWindow(window.center, f"a center from -{WINDOW_LIMIT:g} to {WINDOW_LIMIT:g}")
    smallest = 1.0 if window.function is VoiFunction.LINEAR else SMALLEST_WIDTH
    if not (math.isfinite(window.width) and smallest <= window.width <= WINDOW_LIMIT):
        accepted = f"a width from {smallest:g} to {WINDOW_LIMIT:g} for {function_text(window.function)}"
        raise InvalidWindow(window.width, accepted)
    return window


def window_text(window: WindowChoice) -> str:
    """Write a window as addresses carry it; ``parse_window`` reads it back to an equal value."""
    if isinstance(window, Window):
        return f"{number_text(window.center)},{number_text(window.width)},{function_text(window.function)}"
    return str(window)


def function_text(function: VoiFunction) -> str:
    """Spelling of PS3.18 8.3.5.1.4: linear, linear-exact, sigmoid."""
    return function.value.lower().replace("_", "-")


def number_text(number: float) -> str:
    """Shortest spelling that reads back to the same number, whole numbers without a point."""
    number = float(number)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def read_number(text: str) -> float | None:
    """A decimal number of an address (PS3.18 5.1.1), None where it is none or too large for a number."""
    if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = float(text) + 0.0  # -0 and 0 are one number
    return number if math.isfinite(number) else None


def _number(text: str, window: str) -> float:
    number = read_number(text)
    if number is None:
        raise InvalidWindow(window, ACCEPTED_WINDOWS)
    return number


def _function(text: str) -> VoiFunction:
    name = text.upper().replace("-", "_")
    if name not in VoiFunction.__members__:
        raise InvalidWindow(text, "function linear, linear-exact or sigmoid")
    return VoiFunction(name)


def _flag(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise InvalidParameter(name, text, "0 or 1")
    return text == "1"


def _map(text: str) -> str:
    if text not in MAP_NAMES:
        raise InvalidParameter("map", text, ", ".join(MAP_NAMES))
    return text


def _presentation_state(text: str) -> str:
    if not is_valid_uid(text):
        raise InvalidParameter("pr", text, "the SOP Instance UID of a presentation state")
    return text
