"""What a pixel says: its modality value with its unit, never its grey.

A unit is shown only where the file gives it; Hounsfield units only where the
rescale type says so, or for an original CT (PS3.3 C.8.2.1, C.11.1.1.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import FrameAttributes, ImageDescription
from viewer.errors import TileMissing
from viewer.rendering.color import is_color, palette_colors, to_rgb
from viewer.rendering.display_table import Supplement, padding_mask, supplement_of
from viewer.rendering.modality_lut import PROJECTION_INTENSITY_MODALITIES, apply_modality, modality_transform
from viewer.rendering.real_world import NamedMappings, RealWorldValue, real_world_values

HOUNSFIELD = "HU"
NOT_A_VALUE = "—"
"""What is shown for padding."""

PET_UNITS = {
    # Units (0054,1001), PS3.3 C.8.9.1.1.3.
    "BQML": "Bq/ml",
    "GML": "g/ml",
    "CNTS": "counts",
    "CPS": "counts/s",
    "PROPCPS": "prop. to counts/s",
    "PROPCNTS": "prop. to counts",
    "CM2": "cm²",
    "PCNT": "%",
    "CM2ML": "cm²/ml",
    "MGMINML": "mg/min/ml",
    "UMOLMINML": "µmol/min/ml",
    "MLMING": "ml/min/g",
    "MLG": "ml/g",
    "1CM": "1/cm",
    "UMOLML": "µmol/ml",
}

RESCALE_UNITS = {
    # Rescale Type (0028,1054) and Modality LUT Type (0028,3004), PS3.3 C.11.1.1.2.
    "HU": HOUNSFIELD,
    "US": "",  # unspecified
    "OD": "10⁻³ OD",
    "MGML": "mg/ml",
    "PCT": "%",
    "Z_EFF": "Z",
    "ED": "10²³ e/ml",
    "EDW": "e/ml rel. water",
    "HU_MOD": "HU modified",
}


class PixelValue(NamedTuple):
    """One pixel as read out."""

    value: float | tuple[int, int, int] | None
    """Modality value, (red, green, blue) of a colour image, or None for padding."""
    unit: str
    stored: int | float | tuple[int, ...] | None
    """None for what is no number."""
    real_world: tuple[RealWorldValue, ...] = ()
    """What Real World Value Mappings make of the stored value: the file's own, then those of objects beside it."""

    @property
    def text(self) -> str:
        """Value and unit as shown: ``40 HU``, ``—`` for padding; real world values after it."""
        if self.value is None:
            return NOT_A_VALUE
        if isinstance(self.value, tuple):
            return ", ".join(str(part) for part in self.value)
        mapped = [_said(one) for one in self.real_world]
        # A mapping is often the rescale line again, with its unit.
        is_said = not self.unit and any(one.value == self.value and not one.source for one in self.real_world)
        return " · ".join(dict.fromkeys(mapped if is_said else [with_unit(self.value, self.unit), *mapped]))


def _said(one: RealWorldValue) -> str:
    """A real world value; beside one of another object stands whose it is."""
    value = with_unit(one.value, one.unit)
    return f"{value} ({one.source})" if one.source else value


def number_for_people(value: float) -> str:
    """Whole numbers as they are, others with four significant digits."""
    return str(int(value)) if float(value).is_integer() else f"{value:.4g}"


def with_unit(value: float, unit: str) -> str:
    """``40 HU``, ``40`` where there is no unit."""
    return f"{number_for_people(value)} {unit}".rstrip()


def value_at(
    values: NDArray[Any],
    description: ImageDescription,
    frame_number: int,
    row: int,
    column: int,
    *,
    photometric_interpretation: str = "",
    objects: Sequence[NamedMappings] = (),
) -> PixelValue:
    """Read one pixel of a decoded frame at full resolution.

    Parameters
    ----------
    values
        Stored values of the frame, (rows, columns) or (rows, columns, samples).
    row, column
        From 0.
    photometric_interpretation
        Of the decoded samples, where a codec changed it.
    objects
        What Real World Value Mapping objects beside the image say of the frame.

    Raises
    ------
    TileMissing
        The image has no such pixel.
    """
    rows, columns = values.shape[:2]
    if not (0 <= row < rows and 0 <= column < columns):
        raise TileMissing(f"Pixel {row}, {column} does not exist: the image has {rows} rows and {columns} columns.")
    photometric = photometric_interpretation or description.photometric_interpretation
    pixel = values[row : row + 1, column : column + 1]
    if is_color(photometric) or values.ndim == 3:
        return _color_value(pixel, photometric, description)
    stored = pixel[0, 0].item()
    if not math.isfinite(stored):
        # The NaN of a parametric map; JSON has no word for it.
        stored = None
    padded = padding_mask(pixel, description.padding)
    unit = unit_of(description, frame_number)
    supplement = supplement_of(description, frame_number)
    if supplement is not None and stored is not None and stored >= supplement.first:
        return _colored_value(stored, pixel, supplement, description.frame(frame_number))
    if padded is not None and padded[0, 0]:
        return PixelValue(None, unit, stored)
    modality = float(apply_modality(pixel, modality_transform(description, frame_number))[0, 0])
    mapped = () if stored is None else real_world_values(stored, description.frame(frame_number), objects)
    return PixelValue(modality if math.isfinite(modality) else None, unit, stored, mapped)


def _colored_value(stored: float, pixel: NDArray[Any], supplement: Supplement, frame: FrameAttributes) -> PixelValue:
    """A supplemental colour stands beside the modality LUT: it is worth what a mapping says, or is only a colour."""
    mapped = real_world_values(stored, frame)
    if mapped:
        return PixelValue(mapped[0].value, mapped[0].unit, stored, mapped)
    red, green, blue = (int(part) for part in palette_colors(pixel, supplement.palette)[0, 0])
    return PixelValue((red, green, blue), "", stored)


def _color_value(pixel: NDArray[Any], photometric: str, description: ImageDescription) -> PixelValue:
    red, green, blue = (int(part) for part in to_rgb(pixel, photometric, description)[0, 0])
    stored = tuple(int(part) for part in np.atleast_1d(pixel[0, 0]))
    return PixelValue((red, green, blue), "", stored[0] if len(stored) == 1 else stored)


def unit_of(description: ImageDescription, frame_number: int) -> str:
    """Unit of the modality values of a frame; empty where the file does not say."""
    frame = description.frame(frame_number)
    if description.modality in PROJECTION_INTENSITY_MODALITIES:
        return ""
    if description.modality == "PT" and frame.units:
        return PET_UNITS.get(frame.units, frame.units)
    said = (frame.modality_lut.kind if frame.modality_lut is not None else frame.rescale_type).strip()
    if said:
        return RESCALE_UNITS.get(said.upper(), said)
    return HOUNSFIELD if _is_original_ct(description, frame.image_type) else ""


def _is_original_ct(description: ImageDescription, image_type: tuple[str, ...]) -> bool:
    """PS3.3 C.8.2.1: values of an original CT that is no localizer are Hounsfield units."""
    original = bool(image_type) and image_type[0] == "ORIGINAL"
    return description.modality == "CT" and original and "LOCALIZER" not in image_type[2:3]
