"""Stored values to real world values, beside the grey-scale path (PS3.3 C.7.6.16.2.11).

A mapping starts from *stored* values and has nothing to do with the modality LUT or
with what is displayed. Several may apply to one pixel: each is a value of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import FrameAttributes, RealWorldMapping

UCUM_UNITS = {
    # Codes as files hold them, and how people write them; all others are shown as they stand.
    "1": "",
    "{ratio}": "",
    "{no units}": "",
    "[hnsf'U]": "HU",
    "Bq/ml": "Bq/ml",
    "um2/s": "µm²/s",
    "mm2/s": "mm²/s",
    "10-3.mm2/s": "10⁻³ mm²/s",
    "10-6.mm2/s": "10⁻⁶ mm²/s",
    "cm2/ml": "cm²/ml",
    "SUVbw": "SUVbw",
    "SUVlbm": "SUVlbm (James)",
    "SUVlbm(James128)": "SUVlbm (James, 128 for men)",
    "SUVlbm(Janma)": "SUVlbm (Janmahasatian)",
}
_ANNOTATED = re.compile(r"\{(?P<before>SUV[^}]*)\}(?P<unit>[^{}]+)|(?P<other>[^{}]+)\{(?P<after>SUV[^}]*)\}")
"""A unit of uptake with its annotation behind it (PS3.16 CID 85), or before it as in older files."""


class RealWorldValue(NamedTuple):
    """One value with its unit and the name that the file gives the mapping."""

    value: float
    unit: str
    label: str = ""
    source: str = ""
    """The mapping object that says so; empty for the image's own file."""


class NamedMappings(NamedTuple):
    """Mappings that an object beside the image gives it, and the object's name."""

    source: str
    mappings: tuple[RealWorldMapping, ...]


def apply_mapping(stored: NDArray[Any], mapping: RealWorldMapping) -> NDArray[np.float64]:
    """Map stored values of any shape in float64; NaN where the mapping does not cover them.

    >>> line = RealWorldMapping(first=0, last=4095, slope=0.5, intercept=-1.0, unit="mm2/s")
    >>> apply_mapping(np.array([100, 4096], np.uint16), line).tolist()
    [49.0, nan]
    """
    values = stored.astype(np.float64)
    is_covered = np.isfinite(values) & (values >= mapping.first) & (values <= mapping.last)
    found = np.full(values.shape, np.nan)
    if not mapping.table:
        # What leaves the range of numbers is infinite.
        with np.errstate(over="ignore", invalid="ignore"):
            found[is_covered] = mapping.slope * values[is_covered] + mapping.intercept
        return found
    entries = np.frombuffer(mapping.table, "<f8")
    is_covered &= values == np.trunc(values)
    found[is_covered] = entries[(values[is_covered] - mapping.first).astype(np.intp)]
    return found


def real_world_value(stored: float, mapping: RealWorldMapping) -> float | None:
    """Map one stored value; None where the mapping does not cover it, or its table has no number there.

    >>> real_world_value(100, RealWorldMapping(first=0, last=4095, slope=0.5, intercept=-1.0, unit="mm2/s"))
    49.0
    """
    found = float(apply_mapping(np.array(stored), mapping))
    return found if math.isfinite(found) else None


def real_world_values(
    stored: float, frame: FrameAttributes, objects: Sequence[NamedMappings] = ()
) -> tuple[RealWorldValue, ...]:
    """Every real world value of a stored value of a frame: in the order of the file, then those of other objects."""
    found = (
        (mapping, source, real_world_value(stored, mapping))
        for source, mappings in (NamedMappings("", frame.real_world), *objects)
        for mapping in mappings
    )
    return tuple(
        RealWorldValue(value, unit_for_people(mapping), mapping.label, source)
        for mapping, source, value in found
        if value is not None
    )


def unit_for_people(mapping: RealWorldMapping) -> str:
    """The unit as it is written beside a value.

    >>> unit_for_people(RealWorldMapping(first=0, last=1, unit="g/ml{SUVbw}"))
    'g/ml SUVbw'
    """
    annotated = _ANNOTATED.fullmatch(mapping.unit)
    if annotated is None:
        return UCUM_UNITS.get(mapping.unit, mapping.unit)
    parts = (annotated["unit"] or annotated["other"], annotated["before"] or annotated["after"])
    return " ".join(UCUM_UNITS.get(part, part) for part in parts)
