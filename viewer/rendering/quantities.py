"""In what the values of a frame are read: one rule for statistics, histograms, profiles, curves and segments.

A unit of the image's own stands. Where the image has none, a Real World Value Mapping
says what its stored values mean: the first of the image's file, else of an object
beside it (PS3.3 C.7.6.16.2.11). Uptake of a PET is a factor on modality values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription, RealWorldMapping
from viewer.rendering.modality_lut import apply_modality, modality_transform
from viewer.rendering.real_world import NamedMappings, apply_mapping, unit_for_people
from viewer.rendering.suv_kinds import SuvKind
from viewer.rendering.values import unit_of


class Quantity(NamedTuple):
    """What stored values are turned into."""

    unit: str
    """As it is written beside a value; empty where nobody says."""
    factor: float = 1.0
    """From modality values."""
    mapping: RealWorldMapping | None = None
    """Which starts from stored values instead."""
    source: str = ""
    """The object beside the image that says so; empty for the image's own file."""

    @property
    def code(self) -> str:
        """UCUM code of the unit as the mapping has it; empty without one."""
        return self.mapping.unit if self.mapping is not None else ""


def quantity_of(description: ImageDescription, frame_number: int, objects: Sequence[NamedMappings] = ()) -> Quantity:
    """What the values of a frame are read in.

    Parameters
    ----------
    objects
        What Real World Value Mapping objects beside the image say of the frame.
    """
    unit = unit_of(description, frame_number)
    if unit:
        return Quantity(unit)
    for source, mappings in (NamedMappings("", description.frame(frame_number).real_world), *objects):
        for mapping in mappings:
            if said := unit_for_people(mapping):
                return Quantity(said, mapping=mapping, source=source)
    return Quantity("")


def uptake_quantity(kind: SuvKind) -> Quantity:
    """Uptake values of a PET."""
    return Quantity(f"{kind.unit} {kind.name}", kind.factor)


def apply_quantity(
    stored: NDArray[Any], description: ImageDescription, frame_number: int, quantity: Quantity
) -> NDArray[np.float64]:
    """Turn stored values of any shape into a quantity; NaN where its mapping does not cover them, or no number comes out."""
    if quantity.mapping is not None:
        found = apply_mapping(stored, quantity.mapping)
    else:
        modality = apply_modality(stored, modality_transform(description, frame_number))
        found = modality.astype(np.float64) * quantity.factor
    # Slopes near the largest float64 exist in damaged headers.
    found[~np.isfinite(found)] = np.nan
    return found
