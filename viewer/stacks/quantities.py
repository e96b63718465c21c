"""In what the frames of a stack are read, by files and by the objects beside them: one rule for all that is measured.

PET is read as uptake wherever that can be had, and its uptake has one rule (``suv.py``):
a mapping object never says another one beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from viewer.rendering.quantities import Quantity, quantity_of, uptake_quantity
from viewer.rendering.real_world import NamedMappings
from viewer.rendering.suv import SUV_CODES
from viewer.rendering.suv_kinds import SuvKind
from viewer.rendering.values import unit_of
from viewer.stacks.facts import FrameFacts
from viewer.stacks.lookup import SplitSeries
from viewer.stacks.mapping_objects import mappings_of_frame
from viewer.stacks.splitting import Stack
from viewer.stacks.suv import suv_kinds_of_stack
from viewer.tiles.frames import drawable


def mappings_beside(split: SplitSeries, frame: FrameFacts) -> tuple[NamedMappings, ...]:
    """What mapping objects of the study say of a frame; of a PET nothing in units of uptake."""
    is_signed = bool(drawable(frame.instance).description.pixel_representation)
    found = mappings_of_frame(split.study, frame, revision=split.revision, signed=is_signed)
    if split.series.modality != "PT":
        return found
    kept = (
        NamedMappings(one.source, tuple(mapping for mapping in one.mappings if mapping.unit not in SUV_CODES))
        for one in found
    )
    return tuple(one for one in kept if one.mappings)


def own_quantity(stack: Stack, split: SplitSeries, frame: FrameFacts) -> Quantity:
    """What a frame is read in, uptake apart; of a PET that has uptake the modality values, which its factor is one of."""
    description = drawable(frame.instance).description
    if _uptake_kinds(stack, split):
        return Quantity(unit_of(description, frame.frame_number))
    return quantity_of(description, frame.frame_number, mappings_beside(split, frame))


def quantity_of_frame(stack: Stack, split: SplitSeries, frame: FrameFacts) -> Quantity:
    """What a frame is read in; a PET as uptake, where its files allow it."""
    kinds = _uptake_kinds(stack, split)
    return uptake_quantity(kinds[0]) if kinds else own_quantity(stack, split, frame)


def _uptake_kinds(stack: Stack, split: SplitSeries) -> tuple[SuvKind, ...]:
    return suv_kinds_of_stack(stack, split).kinds if split.series.modality == "PT" else ()


def quantities_of_frames(stack: Stack, split: SplitSeries, frames: Sequence[FrameFacts]) -> list[Quantity]:
    """What several frames are read in together: never some in one unit and some in another.

    Where they differ each is read as what the modality LUT gives.
    """
    found = [quantity_of_frame(stack, split, frame) for frame in frames]
    if len({(one.unit, one.source) for one in found}) <= 1:
        return found
    return [Quantity(unit_of(drawable(frame.instance).description, frame.frame_number)) for frame in frames]
