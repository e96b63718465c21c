"""The first window of a stack: one for all its frames, found once when the stack is made.

Order: VOI LUT (DX, MG and whatever has one), header window of the middle frame,
body part for CT, full range for captures of 8 bits and less, else computed from the values of the whole
stack. Colour has none. PET is shown black on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from archive.pixels.description import FrameAttributes, ImageDescription, LookupTable, Window
from viewer.rendering.automatic import StackSample, automatic_window
from viewer.rendering.color import is_color
from viewer.rendering.modality_lut import modality_transform
from viewer.rendering.parameters import VoiLutNumber, WindowSource, window_text
from viewer.rendering.values import HOUNSFIELD, unit_of
from viewer.rendering.voi_lut import usable_voi_luts, usable_windows
from viewer.rendering.window_presets import PRESETS, ct_window

INVERTED_MODALITIES = frozenset({"PT"})
COMPUTED_MODALITIES = frozenset({"MR", "NM", "PT"})
"""Always computed when the header is silent, however few bits they have."""


class StackFrame(NamedTuple):
    """One frame of a stack, in its order."""

    description: ImageDescription
    frame_number: int = 1

    @property
    def attributes(self) -> FrameAttributes:
        """What may differ from frame to frame."""
        return self.description.frame(self.frame_number)


class WindowOrigin(StrEnum):
    """Where a stack's window comes from; shown beside it."""

    COLOR = "color"
    """Colour images have no window."""
    VOI_LUT = "VOI LUT"
    """A table of the image itself."""
    HEADER = "header"
    BODY_PART = "body part"
    FULL_RANGE = "full range"
    """Captures of 8 bits and less are ready to be shown."""
    COMPUTED = "computed"
    """From the values of the whole stack."""
    UNKNOWN = "unknown"
    """To be computed, and nobody has yet: each frame computes its own."""


@dataclass(frozen=True, slots=True)
class StackWindow:
    """How a stack is first shown."""

    origin: WindowOrigin
    window: Window | None = None
    voi_lut: VoiLutNumber | None = None
    inverted: bool = False
    """Shown inverted at first; a picture that asks for a window says its polarity itself."""
    automatic: Window | None = None
    """The computed window of the whole stack, where it is known."""
    name: str = ""


class NamedWindow(NamedTuple):
    """One choice in the list of windows; ``key`` is what the ``window`` parameter takes."""

    name: str
    window: Window | None
    key: str


def stack_window(
    frames: Sequence[StackFrame], *, sample: StackSample | None = None, suv_factor: float | None = None
) -> StackWindow:
    """Find the first window of a stack.

    Parameters
    ----------
    frames
        All frames in the order of the stack.
    sample
        Values of the stack; needed where ``needs_values`` says so.
    suv_factor
        See ``automatic_window``; 1 is taken for PET in g/ml.

    Raises
    ------
    ValueError
        There are no frames.
    """
    if not frames:
        raise ValueError("A stack without frames has no window.")
    first = _header_window(frames)
    modality = frames[0].description.modality
    automatic = automatic_window(sample, modality, suv_factor=suv_factor or _suv_factor(frames[0])) if sample else None
    if first.origin is WindowOrigin.UNKNOWN and automatic is not None:
        first = StackWindow(WindowOrigin.COMPUTED, automatic, name=automatic.explanation)
    inverted = modality in INVERTED_MODALITIES and first.origin is not WindowOrigin.COLOR
    return replace(first, automatic=automatic, inverted=inverted)


def needs_values(frames: Sequence[StackFrame]) -> bool:
    """Whether the first window has to be computed from pixels."""
    return bool(frames) and _header_window(frames).origin is WindowOrigin.UNKNOWN


def _header_window(frames: Sequence[StackFrame]) -> StackWindow:
    """First window as far as headers decide it."""
    middle = _middle_with_window(frames)
    description = middle.description
    if is_color(description.photometric_interpretation) or description.samples_per_pixel > 1:
        return StackWindow(WindowOrigin.COLOR)
    if tables := usable_voi_luts(middle.attributes):
        name = tables[0].explanation or "VOI LUT 1"
        return StackWindow(WindowOrigin.VOI_LUT, voi_lut=VoiLutNumber(1), name=name)
    if windows := usable_windows(middle.attributes):
        return StackWindow(WindowOrigin.HEADER, windows[0], name=windows[0].explanation)
    if description.modality == "CT" and unit_of(description, middle.frame_number) == HOUNSFIELD:
        window = ct_window(description.body_part_examined)
        return StackWindow(WindowOrigin.BODY_PART, window, name=window.explanation)
    if (window_of_range := full_range(description, middle.frame_number)) is not None:
        return StackWindow(WindowOrigin.FULL_RANGE, window_of_range, name=window_of_range.explanation)
    return StackWindow(WindowOrigin.UNKNOWN)


def _middle_with_window(frames: Sequence[StackFrame]) -> StackFrame:
    """The middle frame, or the nearest to it that has a window or VOI LUT, or the middle one."""
    middle = len(frames) // 2
    for index in sorted(range(len(frames)), key=lambda index: abs(index - middle)):
        attributes = frames[index].attributes
        if usable_windows(attributes) or usable_voi_luts(attributes):
            return frames[index]
    return frames[middle]


def full_range(description: ImageDescription, frame_number: int) -> Window | None:
    """Identity for unsigned values of at most 8 bits without a modality LUT (PS3.3 C.11.2.1: no VOI is identity)."""
    unsigned_bytes = description.bits_stored <= 8 and not description.pixel_representation
    if not unsigned_bytes or description.modality in COMPUTED_MODALITIES:
        return None
    if not modality_transform(description, frame_number).is_identity:
        return None
    values = float(1 << description.bits_stored)
    return Window(values / 2, values, explanation="Full range")


def _suv_factor(frame: StackFrame) -> float | None:
    """PET in g/ml is SUV as it stands (PS3.3 C.8.9.1, Units GML)."""
    return 1.0 if frame.description.modality == "PT" and frame.attributes.units == "GML" else None


def windows_differ(frames: Sequence[StackFrame]) -> bool:
    """Whether "as in file" would change from frame to frame."""
    return len({(frame.attributes.windows, frame.attributes.voi_luts) for frame in frames}) > 1


def named_windows(frames: Sequence[StackFrame], first: StackWindow) -> list[NamedWindow]:
    """Windows to choose from: the image's VOI LUTs and windows, then as in file, computed, presets."""
    if first.origin is WindowOrigin.COLOR:
        return []
    middle = _middle_with_window(frames)
    found = [_named_table(table, number) for number, table in enumerate(usable_voi_luts(middle.attributes), 1)]
    for number, window in enumerate(usable_windows(middle.attributes), 1):
        found.append(NamedWindow(window.explanation or f"Header {number}", window, window_text(window)))
    if windows_differ(frames):
        found.append(NamedWindow("As in file", None, WindowSource.FILE.value))
    found.append(NamedWindow("Automatic", first.automatic, WindowSource.AUTOMATIC.value))
    if unit_of(middle.description, middle.frame_number) == HOUNSFIELD:
        found += [NamedWindow(preset.name, preset.window, window_text(preset.window)) for preset in PRESETS]
    return found


def _named_table(table: LookupTable, number: int) -> NamedWindow:
    return NamedWindow(table.explanation or f"VOI LUT {number}", None, str(VoiLutNumber(number)))
