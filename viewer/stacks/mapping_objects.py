"""Real World Value Mapping objects of a study: units that somebody gave its images afterwards (PS3.3 A.46, C.7.6.16.2.11).

A mapping of the file itself comes first and is never replaced: each mapping that is
about a frame is a value of its own, those of objects with the object's name beside it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset

from archive.dicom.part10 import read_dataset
from archive.dicom.values import items, text
from archive.errors import ArchiveError
from archive.models import Instance, Study
from archive.pixels.description import RealWorldMapping
from archive.pixels.real_world import real_world_mappings
from archive.storage import layout
from viewer.errors import ViewerError
from viewer.rendering.annotation_reading import Budget
from viewer.rendering.presentation_state import References, is_about
from viewer.rendering.real_world import NamedMappings
from viewer.stacks.facts import FrameFacts, InstanceFacts, facts_of
from viewer.stacks.lookup import Kept

logger = logging.getLogger(__name__)

REAL_WORLD_VALUE_MAPPING: Final = "1.2.840.10008.5.1.4.1.1.67"
KEPT_STUDIES: Final = 64
KEPT_OBJECTS: Final = 16
MOST_OF_A_STUDY: Final = 32
"""Objects of one study that are looked at, the latest first."""
MAXIMUM_ITEMS: Final = 256
"""Groups of images of one object; further ones are left out."""


@dataclass(frozen=True, slots=True)
class MappedImages:
    """One item of the Referenced Image Real World Value Mapping Sequence (0040,9094)."""

    images: References
    unsigned: tuple[RealWorldMapping, ...]
    signed: tuple[RealWorldMapping, ...]
    """The same for images whose Pixel Representation is 1."""


@dataclass(frozen=True, slots=True)
class MappingObject:
    """A whole object."""

    label: str
    items: tuple[MappedImages, ...] = ()


_instances: Kept[tuple[int, int], list[InstanceFacts]] = Kept(KEPT_STUDIES)
_objects: Kept[str, MappingObject] = Kept(KEPT_OBJECTS)


def forget_mappings() -> None:
    """Drop what is kept, where it has turned out to be old."""
    _instances.clear()
    _objects.clear()


def mappings_of_frame(study: Study, frame: FrameFacts, *, revision: int, signed: bool) -> tuple[NamedMappings, ...]:
    """What the mapping objects of a study say of a frame, the latest object first.

    Parameters
    ----------
    signed
        Pixel Representation of the image is 1.
    """
    found: list[NamedMappings] = []
    if frame.instance.subtracted:
        # Differences are none of the values that a mapping starts from.
        return ()
    for instance in _instances.get((study.pk, revision), lambda: _find(study, revision)):
        known = _object(instance)
        for one in known.items:
            if one.images and is_about(one.images, frame.instance.sop_instance_uid, frame.frame_number):
                found.append(NamedMappings(known.label, one.signed if signed else one.unsigned))
    return tuple(found)


def _find(study: Study, revision: int) -> list[InstanceFacts]:
    rows = Instance.objects.shown().filter(
        series__study=study, added_revision__lte=revision, sop_class_uid=REAL_WORLD_VALUE_MAPPING
    )
    return list(facts_of(rows.order_by("-pk")[:MOST_OF_A_STUDY]))


def _object(instance: InstanceFacts) -> MappingObject:
    return _objects.get(instance.key, lambda: _read(instance))


def _read(instance: InstanceFacts) -> MappingObject:
    """An object that cannot be read says nothing of any image."""
    try:
        return read_mapping_object(read_dataset(layout.path_of(instance.key)))
    except (ArchiveError, ViewerError, OSError) as error:
        logger.warning(
            "a real world value mapping could not be read",
            extra={"why": type(error).__name__, "instance": instance.sop_instance_uid},
        )
        return MappingObject("")


def read_mapping_object(ds: Dataset) -> MappingObject:
    """Read an object's data set; items without images are about none.

    Raises
    ------
    NothingToDraw
        It names more images than can be meant.
    """
    budget = Budget()
    found = (
        MappedImages(
            budget.refer(item), real_world_mappings(item, signed=False), real_world_mappings(item, signed=True)
        )
        for item in items(ds, "ReferencedImageRealWorldValueMappingSequence")[:MAXIMUM_ITEMS]
    )
    label = text(ds, "ContentLabel") or text(ds, "SeriesDescription") or "mapping object"
    return MappingObject(label, tuple(one for one in found if one.images))
