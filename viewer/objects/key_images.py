"""Key object selections (PS3.3 A.35.4): which images one names, and how many a list of studies has."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pydicom import Dataset

from archive.dicom import values
from archive.models import Instance
from archive.receiving.sources import Door
from viewer.objects.reading import read_object
from viewer.stacks.facts import facts_of

KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
REJECTIONS = frozenset({"113001", "113037", "113038", "113039"})
"""Document titles that take images away (CID 7011): no key images."""
MOST_OF_A_LIST = 256
"""Selections of all studies of a list that are looked into, the latest first."""


def takes_images_away(ds: Dataset) -> bool:
    title = values.first_item(ds, "ConceptNameCodeSequence")
    return title is not None and values.text(title, "CodeValue") in REJECTIONS


def named_images(ds: Dataset) -> Iterator[tuple[str, list[int]]]:
    """SOP Instance UID and frames of each image that a selection names; no frames where all are meant."""
    for item in values.items(ds, "ContentSequence"):
        reference = values.first_item(item, "ReferencedSOPSequence")
        if reference is not None and (uid := values.text(reference, "ReferencedSOPInstanceUID")):
            yield uid, [int(number) for number in values.numbers(reference, "ReferencedFrameNumber")]


def foreign_key_images(study_ids: Collection[int]) -> dict[int, int]:
    """How many images others chose as key images of each of these studies; studies without any are left out."""
    if not study_ids:
        return {}
    rows = Instance.objects.shown().filter(series__study__in=study_ids, sop_class_uid=KEY_OBJECTS)
    rows = rows.exclude(door=Door.DERIVED).order_by("-pk")[:MOST_OF_A_LIST]
    study_of = dict(rows.values_list("pk", "series__study_id"))
    images: dict[int, set[tuple[str, tuple[int, ...]]]] = {}
    for instance in facts_of(Instance.objects.filter(pk__in=study_of)):
        ds = read_object(instance)
        if ds is not None and not takes_images_away(ds):
            found = {(uid, tuple(frames)) for uid, frames in named_images(ds)}
            images.setdefault(study_of[instance.pk], set()).update(found)
    return {study: len(found) for study, found in images.items() if found}
