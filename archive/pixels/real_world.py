"""Real World Value Mappings as a data set or functional group holds them (PS3.3 C.7.6.16.2.11), made clean.

A mapping that cannot be used (no units, no range, neither a line nor a table) is absent.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from pydicom import Dataset

from archive.dicom.values import first_item, items, number, text, value_of, values_of
from archive.pixels.description import RealWorldMapping

MAXIMUM_MAPPINGS: Final = 16
MAXIMUM_ENTRIES: Final = 1 << 16


def real_world_mappings(ds: Dataset, *, signed: bool) -> tuple[RealWorldMapping, ...]:
    """Usable items of a Real World Value Mapping Sequence, in the order of the file.

    Parameters
    ----------
    signed
        Pixel Representation is 1: the values mapped are SS, whatever sign their VR gave them.
    """
    found = (_mapping(item, signed=signed) for item in items(ds, "RealWorldValueMappingSequence")[:MAXIMUM_MAPPINGS])
    return tuple(mapping for mapping in found if mapping is not None)


def _mapping(item: Dataset, *, signed: bool) -> RealWorldMapping | None:
    code = first_item(item, "MeasurementUnitsCodeSequence")
    ends = _range(item, signed=signed)
    if code is None or ends is None:
        return None
    table = _table(item, ends)
    slope, intercept = number(item, "RealWorldValueSlope"), number(item, "RealWorldValueIntercept")
    if not table and (not slope or intercept is None):
        return None
    return RealWorldMapping(
        first=ends[0],
        last=ends[1],
        slope=slope or 0.0,
        intercept=intercept or 0.0,
        table=table,
        unit=text(code, "CodeValue"),
        meaning=text(code, "CodeMeaning"),
        label=text(item, "LUTLabel") or text(item, "LUTExplanation"),
    )


def _range(item: Dataset, *, signed: bool) -> tuple[float, float] | None:
    """Lowest and highest stored value that is mapped, also where they stand the wrong way round."""
    ends = []
    for keyword, floating in (
        ("RealWorldValueFirstValueMapped", "DoubleFloatRealWorldValueFirstValueMapped"),
        ("RealWorldValueLastValueMapped", "DoubleFloatRealWorldValueLastValueMapped"),
    ):
        end = number(item, keyword)
        if end is None:
            end = number(item, floating)
        elif signed and end >= 0x8000:
            end -= 0x10000
        elif not signed and end < 0:
            end += 0x10000
        if end is None:
            return None
        ends.append(end)
    return min(ends), max(ends)


def _table(item: Dataset, ends: tuple[float, float]) -> bytes:
    """Real World Value LUT Data as little-endian doubles, one for each whole value mapped; empty where it is not so."""
    value = value_of(item, "RealWorldValueLUTData")
    if isinstance(value, bytes):
        entries = np.frombuffer(value[: len(value) & ~7], "<f8")
    else:
        try:
            entries = np.array([float(one) for one in values_of(item, "RealWorldValueLUTData")], "<f8")
        except (TypeError, ValueError):
            return b""
    count = ends[1] - ends[0] + 1
    whole = all(math.isfinite(end) and float(end).is_integer() for end in ends)
    return entries.astype("<f8").tobytes() if whole and len(entries) == count <= MAXIMUM_ENTRIES else b""
