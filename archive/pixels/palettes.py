"""Which palette an image is coloured with, or why it cannot be (PS3.3 C.7.9, C.7.6.19, C.7.6.23).

PALETTE COLOR images are indices into a palette. A *supplemental* palette colours only
the highest stored values of a greyscale image, those above Largest Monochrome Pixel
Value or from the palette's first value on.
"""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from archive.dicom.values import first_item, integer, items, text, value_of
from archive.pixels.description import Palette
from archive.pixels.tables import palette

COLORED: Final = frozenset({"COLOR", "MIXED"})
"""Pixel Presentation (0008,9205) of images and frames with a supplemental palette (PS3.3 C.8.16.2.1.2)."""
GREY_ONLY: Final = "MONOCHROME"


def image_palette(ds: Dataset, *, signed: bool, little_endian: bool) -> Palette | None:
    """The palette of an image, its supplemental one where it is a greyscale image that is shown with colours."""
    photometric = text(ds, "PhotometricInterpretation").upper()
    if photometric != "PALETTE COLOR" and not (photometric.startswith("MONOCHROME") and _is_supplemented(ds)):
        return None
    return palette(ds, signed=signed, little_endian=little_endian)


def _is_supplemented(ds: Dataset) -> bool:
    return text(ds, "PixelPresentation").upper() in COLORED


def first_colored_value(ds: Dataset, colors: Palette | None, *, signed: bool) -> int | None:
    """Lowest stored value that a supplemental palette colours; None for every other image."""
    if colors is None or text(ds, "PhotometricInterpretation").upper() == "PALETTE COLOR":
        return None
    if value_of(ds, "LargestMonochromePixelValue") is None:
        return colors.red.first_mapped
    largest = integer(ds, "LargestMonochromePixelValue") & 0xFFFF
    return (largest - 0x10000 if signed and largest >= 0x8000 else largest) + 1


def frame_is_grey(group: Dataset, frame_type_sequences: tuple[str, ...]) -> bool:
    """Whether a frame of a MIXED image has no colours (Pixel Presentation of its frame type)."""
    found = (first_item(group, sequence) for sequence in frame_type_sequences)
    return any(item is not None and text(item, "PixelPresentation").upper() == GREY_ONLY for item in found)


def palette_refusal(ds: Dataset) -> str:
    """Why an image's colours cannot be drawn, in words; empty where they can, or where it has none."""
    if items(ds, "EnhancedPaletteColorLookupTableSequence") or items(ds, "DataFrameAssignmentSequence"):
        return (
            "Its colours are put together from several frames by an enhanced palette (PS3.3 C.7.6.23), "
            "which is not drawn; the image can be downloaded."
        )
    if text(ds, "PhotometricInterpretation").upper() == "PALETTE COLOR" and any(
        value_of(ds, keyword) is not None
        for keyword in ("AlphaPaletteColorLookupTableData", "SegmentedAlphaPaletteColorLookupTableData")
    ):
        return (
            "Its palette has an opacity for each colour (alpha, PS3.3 C.7.9), which is for blending with "
            "another image and is not drawn alone; the image can be downloaded."
        )
    return ""
