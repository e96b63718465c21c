"""Standardised uptake values of a PET stack: its factor, read from the files only when something asks for it.

A mapping of the image's own file, else the pseudo-code; where neither has an answer, a
mapping object of the study that fits every slice.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from datetime import datetime

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.errors import ArchiveError
from archive.pixels.description import RealWorldMapping
from archive.storage import layout
from viewer.rendering.modality_lut import ModalityTransform, modality_transform
from viewer.rendering.suv import BODY_WEIGHT, SUV_CODES, PetFacts, Suv, moment, pet_facts, suv
from viewer.rendering.suv_kinds import SuvKinds, suv_kinds
from viewer.stacks.facts import FrameFacts, InstanceFacts
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.mapping_objects import mappings_of_frame
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable

logger = logging.getLogger(__name__)

KEPT = 64
SAME_UPTAKE = 1e-3
"""Relative difference of two factors that are one and the same, written with few digits."""
ACQUISITION_DATE, ACQUISITION_TIME = 0x00080022, 0x00080032

_found: Kept[tuple[str, int, int], tuple[PetFacts, Suv]] = Kept(KEPT)
NO_FACTS = PetFacts(units="")


def forget_uptake() -> None:
    """Drop what is kept, where it has turned out to be old."""
    _found.clear()


def suv_of_stack(stack: Stack, split: SplitSeries) -> Suv:
    """Factor from modality values to SUV, or the reason why there is none; kept as of the stack's revision."""
    return _facts_of_stack(stack, split)[1]


def suv_kinds_of_stack(stack: Stack, split: SplitSeries) -> SuvKinds:
    """Every kind of uptake value that the files allow, each with its formula."""
    return suv_kinds(*_facts_of_stack(stack, split))


def _facts_of_stack(stack: Stack, split: SplitSeries) -> tuple[PetFacts, Suv]:
    key = (stack.id, split.series.pk, split.revision)
    return _found.get(key, lambda: _find(stack, split))


def _find(stack: Stack, split: SplitSeries) -> tuple[PetFacts, Suv]:
    if split.series.modality != "PT":
        return NO_FACTS, Suv(None, reason="Only PET has uptake values.")
    try:
        facts = pet_facts(read_dataset(layout.path_of(stack.middle.instance.key)))
    except (ArchiveError, OSError) as error:
        logger.warning("no uptake values", extra={"why": type(error).__name__, "stack": stack.id})
        return NO_FACTS, Suv(None, reason="The file cannot be read.")
    found = suv(facts)
    if _hangs_on_start(facts, found):
        facts = replace(facts, earliest_acquisition=_earliest(split, facts))
        found = suv(facts)
    if facts.mapped_factor is not None and not _is_mapped_alike(stack, facts.mapped_factor):
        return facts, Suv(None, reason="The Real World Value Mappings of the slices do not give one factor.")
    if found.factor is None:
        found = next((one for _, one in _said_beside(stack, split) if one.factor is not None), found)
    return facts, found


def _is_mapped_alike(stack: Stack, factor: float) -> bool:
    """Whether the files of all slices map to uptake by the factor of the middle one."""
    for frame in _drawn(stack):
        description = drawable(frame.instance).description
        rescale = modality_transform(description, frame.frame_number)
        lines = [one for one in description.frame(frame.frame_number).real_world if one.unit in SUV_CODES]
        own = factor_of(lines[0], rescale) if lines else None
        if own is None or not math.isclose(own, factor, rel_tol=SAME_UPTAKE):
            return False
    return True


def _drawn(stack: Stack) -> list[FrameFacts]:
    return [frame for frame in stack.frames if not (frame.instance.undrawable_reason or frame.instance.damage)]


def unused_mapping_objects(stack: Stack, split: SplitSeries) -> tuple[str, ...]:
    """Names of mapping objects whose uptake values are not those of the stack: they are shown nowhere."""
    used = suv_of_stack(stack, split).factor
    return tuple(
        name
        for name, said in _said_beside(stack, split)
        if said.factor is None or (used is not None and not math.isclose(said.factor, used, rel_tol=SAME_UPTAKE))
    )


def _said_beside(stack: Stack, split: SplitSeries) -> list[tuple[str, Suv]]:
    """Uptake by body weight as mapping objects say it, the latest first; without a factor what does not fit the stack."""
    factors: dict[str, list[float | None]] = {}
    frames = _drawn(stack)
    for frame in frames:
        description = drawable(frame.instance).description
        is_signed = bool(description.pixel_representation)
        rescale = modality_transform(description, frame.frame_number)
        for source, mappings in mappings_of_frame(split.study, frame, revision=split.revision, signed=is_signed):
            lines = [one for one in mappings if SUV_CODES.get(one.unit) == BODY_WEIGHT]
            if lines:
                factors.setdefault(source, []).append(factor_of(lines[0], rescale))
    return [(name, _fitting(name, found, len(frames))) for name, found in factors.items()]


def factor_of(mapping: RealWorldMapping, rescale: ModalityTransform) -> float | None:
    """From modality values to what a mapping makes of stored values; None where that is no single factor.

    >>> factor_of(RealWorldMapping(first=0, last=9, slope=0.5), ModalityTransform(2.0, 0.0))
    0.25
    """
    if mapping.table or mapping.intercept or rescale.table is not None or rescale.intercept:
        return None
    return mapping.slope / rescale.slope


def _fitting(name: str, factors: list[float | None], frames: int) -> Suv:
    """One factor for all slices, or none: slopes differ from slice to slice, and a mapping that takes them for one is wrong."""
    known = [factor for factor in factors if factor is not None and math.isfinite(factor) and factor > 0]
    if len(known) < frames or not math.isclose(min(known), max(known), rel_tol=SAME_UPTAKE):
        return Suv(None, reason=f"The mapping object {name} does not fit every slice.")
    return Suv(known[0], BODY_WEIGHT, f"mapping object {name}")


def _hangs_on_start(facts: PetFacts, found: Suv) -> bool:
    """Whether the start of the scan decides, which no single image tells for sure."""
    is_known = found.source in ("Real World Value Mapping", "Units", "vendor's factor")
    can_be_found = facts.weight_kg and facts.dose_bq and facts.half_life_s
    return not is_known and bool(can_be_found) and facts.decay_correction == "START"


def _earliest(split: SplitSeries, facts: PetFacts) -> datetime | None:
    """Start of the first acquisition of the series; an image that cannot be read does not count."""
    starts = [start for one in split.instances if (start := _acquisition_start(one)) is not None]
    return min(starts, default=facts.earliest_acquisition)


def _acquisition_start(instance: InstanceFacts) -> datetime | None:
    """Acquisition date and time by the header alone: a whole-body series has hundreds of files."""
    try:
        with layout.path_of(instance.key).open("rb") as file:
            meta = read_file_meta(file)
            header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
            return moment(header.text(ACQUISITION_DATE), header.text(ACQUISITION_TIME))
    except (ArchiveError, OSError) as error:
        logger.warning("a start of acquisition could not be read", extra={"why": type(error).__name__})
        return None
