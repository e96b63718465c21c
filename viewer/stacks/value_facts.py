"""What the browser needs to make the display table of each frame by itself, for stacks that have value tiles.

Slopes differ from slice to slice in PET, tables and windows from image to image, so
everything that can differ is a *column*: one entry a frame, or a single one where all
frames agree. Tables and windows are listed once, and columns name them by index.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from archive.pixels.description import ImageDescription, LookupTable, Window
from viewer.errors import NothingToDraw
from viewer.rendering.modality_lut import modality_transform
from viewer.rendering.parameters import VoiLutNumber, WindowChoice, WindowSource, function_text
from viewer.rendering.pipeline import chosen_voi, has_value_tiles, value_offset
from viewer.rendering.presentation import image_is_inverted
from viewer.rendering.stack_window import StackWindow
from viewer.rendering.values import unit_of
from viewer.rendering.voi_lut import ValueRange, display_entries, usable_voi_luts
from viewer.stacks.facts import FrameFacts
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable

Item = TypeVar("Item", bound=Hashable)


@dataclass(slots=True)
class Listed(Generic[Item]):
    """Things in the order in which they were first met, each once."""

    places: dict[Item, int] = field(default_factory=dict)

    def place(self, item: Item | None) -> int | None:
        """Index of a thing, listed now if it is new."""
        return None if item is None else self.places.setdefault(item, len(self.places))


@dataclass(frozen=True, slots=True)
class FrameTransform:
    """Everything between the stored values of a frame and its grey levels; places are those of the lists."""

    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: int | None = None
    padding: tuple[float, float] | None = None
    inverted: bool = False
    unit: str = ""
    own: int | None = None
    """VOI of the stack as it is first shown; None where it is computed from the frame's values, on the server."""
    file: int | None = None
    """VOI "as in file"."""
    luts: tuple[int, ...] = ()
    """VOI LUTs of the frame, the first is ``lut-1``."""


def value_facts(stack: Stack, shown: StackWindow) -> dict[str, Any] | None:
    """Return the facts of every frame of a stack; None where the server draws it.

    Parameters
    ----------
    shown
        How the stack is first shown.
    """
    descriptions = [_description(frame) for frame in stack.frames]
    known = [one for one in descriptions if one is not None]
    offsets = {value_offset(one) for one in known}
    if len(offsets) != 1 or not all(drawn_from_values(one) for one in known):
        return None
    modality_luts: Listed[LookupTable] = Listed()
    vois: Listed[Window | LookupTable] = Listed()
    transforms = [
        FrameTransform() if one is None else _transform(one, frame.frame_number, shown, modality_luts, vois)
        for one, frame in zip(descriptions, stack.frames, strict=True)
    ]
    columns = {name: column([getattr(one, name) for one in transforms]) for name in FrameTransform.__slots__}
    return {
        "offset": offsets.pop(),
        **columns,
        "modality_luts": [_words(table) for table in modality_luts.places],
        "vois": [_voi(voi) for voi in vois.places],
        "automatic": window_facts(shown.automatic) if shown.automatic else None,
    }


def drawn_from_values(description: ImageDescription) -> bool:
    """Whether a table of stored values says all that is seen: overlays of the file stand only in windowed tiles."""
    return has_value_tiles(description) and not description.overlays


def column(entries: Sequence[Any]) -> list[Any]:
    """One entry a frame, or a single one where all agree."""
    return [entries[0]] if all(entry == entries[0] for entry in entries) else list(entries)


def window_facts(window: Window) -> dict[str, Any]:
    """A window as addresses spell it."""
    return {"center": window.center, "width": window.width, "function": function_text(window.function)}


def _description(frame: FrameFacts) -> ImageDescription | None:
    try:
        return drawable(frame.instance).description
    except NothingToDraw:
        return None


def _transform(
    description: ImageDescription,
    frame_number: int,
    shown: StackWindow,
    modality_luts: Listed[LookupTable],
    vois: Listed[Window | LookupTable],
) -> FrameTransform:
    def voi(asked: WindowChoice | None) -> int | None:
        found = chosen_voi(description, frame_number, asked, shown)
        # Only presentation states speak of ranges, and those the server draws.
        return None if isinstance(found, ValueRange) else vois.place(found)

    modality = modality_transform(description, frame_number)
    tables = usable_voi_luts(description.frame(frame_number))
    return FrameTransform(
        slope=modality.slope,
        intercept=modality.intercept,
        modality_lut=modality_luts.place(modality.table),
        padding=description.padding,
        inverted=image_is_inverted(description, description.photometric_interpretation),
        unit=unit_of(description, frame_number),
        own=voi(None),
        file=voi(WindowSource.FILE),
        luts=tuple(place for number in range(1, len(tables) + 1) if (place := voi(VoiLutNumber(number))) is not None),
    )


def _voi(voi: Window | LookupTable) -> dict[str, Any]:
    if isinstance(voi, Window):
        return window_facts(voi)
    return {"first": voi.first_mapped, "entries": _text(display_entries(voi).tobytes())}


def _words(table: LookupTable) -> dict[str, Any]:
    """A modality LUT: its entries as little-endian words of 16 bits."""
    return {"first": table.first_mapped, "entries": _text(table.entries[: len(table.entries) // 2 * 2])}


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
