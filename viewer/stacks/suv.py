"""Standardised uptake values of a PET stack: its factor, read from the files only when something asks for it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from archive.dicom.header import scan_header
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.errors import ArchiveError
from archive.storage import layout
from viewer.rendering.suv import PetFacts, Suv, moment, pet_facts, suv
from viewer.rendering.suv_kinds import SuvKinds, suv_kinds
from viewer.stacks.facts import InstanceFacts
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.splitting import Stack

logger = logging.getLogger(__name__)

KEPT = 64
ACQUISITION_DATE, ACQUISITION_TIME = 0x00080022, 0x00080032

_found: Kept[tuple[str, int, int], tuple[PetFacts, Suv]] = Kept(KEPT)
NO_FACTS = PetFacts(units="")


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
    return facts, found


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
