"""What objects about measurements are made of: the measurements as they were asked for, each with its image and values.

A job carries them as they were at that moment, so that what it writes is the same when it runs twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from pydicom import Dataset

from archive.dicom.part10 import read_dataset
from archive.dicom.uids import uid_from
from archive.errors import ArchiveError
from archive.models import Instance, Study
from archive.pixels.description import ImageDescription
from archive.storage import layout
from viewer.annotations.measures import Measures, Statistics, measure, statistics
from viewer.annotations.shapes import AREAS, Kind, Shape, read_shape
from viewer.annotations.uptake import uptake_of
from viewer.errors import NotFound, NothingToDraw, StackChanged, ViewerError
from viewer.objects.writing import patient_and_study
from viewer.stacks.facts import InstanceFacts, facts_of
from viewer.stacks.lookup import stack_at
from viewer.stacks.quantities import own_quantity
from viewer.tiles.frames import drawable, frame_at_level

CORRECTED = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyDescription")
"""What the archive may know better than a file."""


@dataclass(frozen=True, slots=True)
class Image:
    """An instance that something is drawn on."""

    facts: InstanceFacts
    header: Dataset
    """Without pixel data; patient and study as the archive has them."""
    description: ImageDescription


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement, the frame it lies on, and what it measures."""

    id: str
    shape: Shape
    label: str
    image: Image
    frame_number: int
    measures: Measures
    statistics: Statistics | None
    uptake: dict[str, Any] | None
    """The statistics of a PET as body-weight uptake values."""

    @property
    def tracking_uid(self) -> str:
        """The same in every object that tells of this measurement (TID 1501)."""
        return uid_from("measurement", self.id)


@dataclass(frozen=True)
class Exported:
    """All that goes into the objects of one export."""

    study: Study
    drawn: Sequence[dict[str, Any]]
    """As ``freezing.frozen`` made them."""
    author: str
    made_at: datetime
    name: str
    """Of this export, unique in the study."""

    def uid(self, what: str) -> str:
        """The same for the same export."""
        versions = [f"{one['id']} {one['version']}" for one in self.drawn]
        return uid_from(f"measurements {what}", self.study.study_instance_uid, self.name, *versions)

    def series_uid(self, what: str) -> str:
        return uid_from(f"measurements {what} series", self.study.study_instance_uid)

    @cached_property
    def measured(self) -> tuple[Measured, ...]:
        """Measurements whose images can still be read, in the order in which they were drawn."""
        images = images_of(self.study, {one["SOPInstanceUID"] for one in self.drawn})
        return tuple(_measured(one, images[uid]) for one in self.drawn if (uid := one["SOPInstanceUID"]) in images)

    @property
    def images(self) -> list[Image]:
        """Each image once."""
        return list({one.image.facts.pk: one.image for one in self.measured}.values())

    def of_kind(self, *kinds: Kind) -> list[Measured]:
        return [one for one in self.measured if one.shape.kind in kinds]


def images_of(study: Study, uids: Iterable[str]) -> dict[str, Image]:
    """Images of a study by SOP Instance UID; those that are hidden or cannot be read are left out."""
    rows = Instance.objects.shown().filter(series__study=study, sop_instance_uid__in=list(uids))
    found = {}
    for facts in facts_of(rows):
        try:
            header = read_dataset(layout.path_of(facts.key))
            description = drawable(facts).description
        except (NothingToDraw, ArchiveError, OSError):
            continue
        known = patient_and_study(study)
        for keyword in known.dir():
            if keyword in CORRECTED or keyword not in header:
                setattr(header, keyword, known[keyword].value)
        found[facts.sop_instance_uid] = Image(facts, header, description)
    return found


def _measured(one: dict[str, Any], image: Image) -> Measured:
    shape, frame = read_shape(one["kind"], one["geometry"]), int(one["FrameNumber"])
    summed, uptake = None, None
    if shape.kind in AREAS:
        summed, uptake = _summed_up(shape, image, frame, one["stack"])
    return Measured(
        id=one["id"],
        shape=shape,
        label=one["label"],
        image=image,
        frame_number=frame,
        measures=measure(shape, image.description, frame),
        statistics=summed,
        uptake=uptake,
    )


def _summed_up(
    shape: Shape, image: Image, frame_number: int, stack_id: str
) -> tuple[Statistics, dict[str, Any] | None]:
    """Statistics as on the screen, and as uptake where there is any."""
    decoded = frame_at_level(image.facts, frame_number, -1)
    measured = partial(
        statistics,
        shape,
        decoded.values,
        image.description,
        frame_number,
        photometric_interpretation=decoded.photometric_interpretation,
    )
    try:
        stack, split = stack_at(stack_id)
    except (NotFound, StackChanged, ViewerError):
        # The stack was split anew since: the values of the file are told without it.
        return measured(), None
    here = (
        frame for frame in stack.frames if frame.instance.pk == image.facts.pk and frame.frame_number == frame_number
    )
    frame = next(here, None)
    summed = measured(quantity=own_quantity(stack, split, frame) if frame else None)
    return summed, uptake_of(summed, stack, split)
