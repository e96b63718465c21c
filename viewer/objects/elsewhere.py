"""Measurements and key images of a study that came from elsewhere, placed on the stacks of the study, as values for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from archive.dicom import values
from archive.models import Instance, Study
from archive.receiving.sources import Door
from viewer.objects.key_images import KEY_OBJECTS, named_images, takes_images_away
from viewer.objects.measurement_reading import Finding, Region, findings_of
from viewer.objects.placing import Plane, frame_nearest, plane_of_frame, slice_reach
from viewer.objects.reading import forget_read, read_object
from viewer.stacks.facts import InstanceFacts, facts_of
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.manifest import split_study
from viewer.stacks.splitting import Stack

STRUCTURED_REPORTS = tuple(
    f"1.2.840.10008.5.1.4.1.1.88.{number}" for number in ("11", "22", "33", "34", "35", "50", "65")
)
MOST_OBJECTS = 64
KEPT = 64

_placed: Kept[tuple[int, int], dict[str, Any]] = Kept(KEPT)


@dataclass(frozen=True, slots=True)
class Placed:
    """A stack with the planes of its frames."""

    stack: Stack
    frame_of_reference_uid: str
    planes: tuple[Plane | None, ...]
    reach: float


def forget_elsewhere() -> None:
    """Drop what is kept, where it has turned out to be old."""
    forget_read()
    _placed.clear()


def from_elsewhere(study: Study) -> dict[str, Any]:
    """``findings`` of structured reports and ``key_images`` of key object selections, the latest report first."""
    return _placed.get((study.pk, study.revision), lambda: _place_all(study))


def _place_all(study: Study) -> dict[str, Any]:
    reports, selections = objects_of(study, STRUCTURED_REPORTS), objects_of(study, (KEY_OBJECTS,))
    if not (reports or selections):
        return {"findings": [], "key_images": []}
    splits = split_study(study)
    places = {place: stack for place, (stack, _) in places_of(splits).items()}
    stacks = placed_stacks(splits)
    findings = [entry for one in reports for entry in _findings(one, places, stacks)]
    return {"findings": findings, "key_images": [entry for one in selections for entry in _key_images(one, places)]}


def places_of(splits: Iterable[SplitSeries]) -> dict[tuple[str, int], tuple[str, int]]:
    """SOP Instance UID and frame number of every image -> its stack, and its place there from 1."""
    places: dict[tuple[str, int], tuple[str, int]] = {}
    for split in splits:
        for stack in split.stacks:
            for number, frame in enumerate(stack.frames, start=1):
                places.setdefault((frame.instance.sop_instance_uid, frame.frame_number), (stack.id, number))
    return places


def objects_of(study: Study, sop_classes: Iterable[str]) -> list[InstanceFacts]:
    """Shown objects of these classes that the portal did not write itself, the latest first."""
    rows = Instance.objects.shown().filter(series__study=study, sop_class_uid__in=list(sop_classes))
    return facts_of(rows.exclude(door=Door.DERIVED).order_by("-pk")[:MOST_OBJECTS])


def placed_stacks(splits: Iterable[SplitSeries]) -> list[Placed]:
    """Every stack whose frames lie in the patient."""
    found = []
    for split in splits:
        for stack in split.stacks:
            planes = tuple(plane_of_frame(frame) for frame in stack.frames)
            if any(planes):
                reach = slice_reach(planes, stack.first.slice_thickness)
                found.append(Placed(stack, split.series.frame_of_reference_uid, planes, reach))
    return found


def _findings(
    instance: InstanceFacts, places: dict[tuple[str, int], str], stacks: list[Placed]
) -> Iterable[dict[str, Any]]:
    ds = read_object(instance)
    if ds is None:
        return
    for number, finding in enumerate(findings_of(ds), start=1):
        yield from _entries(f"{instance.sop_instance_uid} {number}", instance, finding, places, stacks)


def _entries(
    name: str,
    instance: InstanceFacts,
    finding: Finding,
    places: dict[tuple[str, int], str],
    stacks: list[Placed],
) -> Iterable[dict[str, Any]]:
    """One entry for each frame that a finding is drawn on."""
    drawn: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for region in finding.regions:
        for place, points in _on_frames(region, places, stacks):
            graphic = {"points": [[round(x, 3), round(y, 3)] for x, y in points], "is_line": region.is_line}
            drawn.setdefault(place, []).append(graphic)
    for (stack, uid, frame), graphics in drawn.items():
        yield {
            "id": f"{name} {uid} {frame}",
            "report": instance.sop_instance_uid,
            "name": finding.name,
            "site": finding.site,
            "values": list(finding.numbers),
            "stack": stack,
            "SOPInstanceUID": uid,
            "FrameNumber": frame,
            "graphics": graphics,
        }


def _on_frames(
    region: Region, places: dict[tuple[str, int], str], stacks: list[Placed]
) -> Iterable[tuple[tuple[str, str, int], Any]]:
    if region.points.shape[1] == 2:
        place = (region.sop_instance_uid, region.frame_number)
        if place in places:
            yield (places[place], *place), region.points
        return
    for placed in stacks:
        if placed.frame_of_reference_uid != region.frame_of_reference_uid:
            continue
        index = frame_nearest(placed.planes, placed.reach, region.points)
        plane = placed.planes[index] if index is not None else None
        if index is not None and plane is not None:
            frame = placed.stack.frames[index]
            named = (placed.stack.id, frame.instance.sop_instance_uid, frame.frame_number)
            yield named, plane.to_pixels(region.points)


def _key_images(instance: InstanceFacts, places: dict[tuple[str, int], str]) -> Iterable[dict[str, Any]]:
    """What a key object selection names; nothing of one that rejects images."""
    ds = read_object(instance)
    if ds is None or takes_images_away(ds):
        return
    title = values.first_item(ds, "ConceptNameCodeSequence")
    words = next(
        (values.text(one, "TextValue") for one in values.items(ds, "ContentSequence") if values.text(one, "TextValue")),
        "",
    )
    for uid, named in named_images(ds):
        for frame in named or [number for found, number in places if found == uid]:
            if (uid, frame) in places:
                yield {
                    "object": instance.sop_instance_uid,
                    "title": values.text(title, "CodeMeaning") if title is not None else "",
                    "text": words,
                    "stack": places[uid, frame],
                    "SOPInstanceUID": uid,
                    "FrameNumber": frame,
                }
