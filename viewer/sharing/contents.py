"""What the holder of a link sees: its stacks under UIDs of the link's own, without values, states and files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from archive.dicom.uids import uid_from
from archive.models import Study
from viewer.errors import NotFound, ViewerError
from viewer.models import ShareLink, ShareOpening
from viewer.rendering.redaction import Redaction
from viewer.sharing.masks import Masks, masks_of, needs_look
from viewer.stacks.facts import FrameFacts
from viewer.stacks.lookup import SplitSeries
from viewer.stacks.manifest import split_study, stack_manifest
from viewer.stacks.splitting import Stack, plane_of
from viewer.tiles.frames import drawable

NOT_FOR_DIAGNOSIS = "not for diagnosis"
DEIDENTIFIED = "De-identified"


@dataclass(frozen=True, slots=True)
class SharedStack:
    """One stack as a link shows it."""

    id: str
    stack: Stack
    split: SplitSeries
    masks: Masks

    @property
    def title(self) -> str:
        return " ".join(part for part in (self.split.series.modality, self.stack.label) if part)


def pseudonym(link: ShareLink, uid: str) -> str:
    """The UID that stands for another one in this link: the same each time, and nothing that leads back."""
    return uid_from(link.pseudonym_key, uid) if uid else ""


def root_of(opening: ShareOpening) -> str:
    return f"/s/view/{opening.pk}"


def shared_stacks(link: ShareLink) -> list[SharedStack]:
    """The stacks of a link that can be drawn, in the order of the strip.

    In a de-identified one images that may carry text and that nobody has looked at stay away.
    """
    found = []
    for split in split_study(link.study):
        if link.series and split.series.series_instance_uid not in link.series:
            continue
        masks = masks_of(split.series) if link.is_deidentified else {}
        for stack in split.stacks:
            frames = tuple(frame for frame in stack.frames if _is_shown(link, frame, masks))
            if frames:
                # A stack of fewer images is another one to whatever keeps something by its id.
                own = stack if len(frames) == len(stack.frames) else _part(stack, frames, link)
                found.append(SharedStack(pseudonym(link, stack.id), own, split, masks))
    return found


def _part(stack: Stack, frames: tuple[FrameFacts, ...], link: ShareLink) -> Stack:
    return replace(stack, id=f"{stack.id} of link {link.pk}", frames=frames, notes=("Some images of a series.",))


def _is_shown(link: ShareLink, frame: FrameFacts, masks: Masks) -> bool:
    if link.images and [frame.instance.sop_instance_uid, frame.frame_number] not in link.images:
        return False
    try:
        description = drawable(frame.instance).description
    except ViewerError:
        return False
    has_mask = (description.rows, description.columns) in masks
    return not link.is_deidentified or has_mask or not needs_look(description, frame.instance.sop_class_uid)


def shared_stack(link: ShareLink, stack_id: str) -> SharedStack:
    """One of them by the id that the link gave it.

    Raises
    ------
    NotFound
        There is none in this link.
    """
    for one in shared_stacks(link):
        if one.id == stack_id:
            return one
    raise NotFound("There is no such stack.")


def redaction_of(link: ShareLink, shared: SharedStack, frame: FrameFacts) -> Redaction:
    """What lies over a picture of a link: the masks of its size, and for whom it is."""
    description = drawable(frame.instance).description
    masks = shared.masks.get((description.rows, description.columns), ())
    return Redaction(masks, f"{link.recipient} · share {link.pk} · {NOT_FOR_DIAGNOSIS}")


def study_facts_of(link: ShareLink, study: Study) -> tuple[dict[str, Any], dict[str, Any]]:
    """Study and patient as the corners and the head of the page name them; of a de-identified one nothing but the kind."""
    from viewer.pages.study import patient_facts, study_facts

    uid = pseudonym(link, study.study_instance_uid)
    if not link.is_deidentified:
        return study_facts(study) | {"StudyInstanceUID": uid}, patient_facts(study) | {"key": None}
    modalities = " ".join(study.modality_list())
    about = dict.fromkeys(study_facts(study), "")
    who = dict.fromkeys(patient_facts(study))
    named = {"name": DEIDENTIFIED, "id": f"share {link.pk}", "facts": [], "age": "", "sex": "", "birth_date": ""}
    return about | {"StudyInstanceUID": uid, "title": modalities, "modalities": modalities}, who | named


def study_manifest_of(opening: ShareOpening) -> dict[str, Any]:
    """The strip of a link."""
    link = opening.link
    stacks = [_entry(opening, one) for one in shared_stacks(link)]
    return {
        "StudyInstanceUID": pseudonym(link, link.study.study_instance_uid),
        "revision": link.study.revision,
        "ready": True,
        "held_back": 0,
        "instances": sum(entry["frames"] for entry in stacks),
        "stacks": stacks,
        "presentation_states": [],
    }


def _entry(opening: ShareOpening, shared: SharedStack) -> dict[str, Any]:
    link, series, stack = opening.link, shared.split.series, shared.stack
    address = f"{root_of(opening)}/stacks/{shared.id}"
    first = stack.first
    return {
        "stack": shared.id,
        "SeriesInstanceUID": pseudonym(link, series.series_instance_uid),
        "SeriesNumber": series.series_number,
        "SeriesDescription": "" if link.is_deidentified else series.series_description,
        "Modality": series.modality,
        "frames": len(stack.frames),
        "label": stack.label,
        "thumbnail": f"{address}/thumbnail.png?rev={link.study.revision}",
        "manifest": f"{address}/manifest.json",
        "derived": series.is_derived,
        "processed": series.processing,
        "drawable": True,
        "reason": "",
        "instances": [],
        "plane": plane_of(first.orientation),
        "Laterality": drawable(first.instance).description.frame(first.frame_number).laterality,
    }


def stack_manifest_of(opening: ShareOpening, stack_id: str) -> dict[str, Any]:
    """What a viewport needs to know of a stack of a link: never stored values, never a real UID.

    Raises
    ------
    NotFound
        There is no such stack in this link.
    """
    link = opening.link
    shared = shared_stack(link, stack_id)
    told = stack_manifest(shared.stack, shared.split, tile_key="", with_values=False)
    own = {
        "stack": shared.id,
        "StudyInstanceUID": pseudonym(link, told["StudyInstanceUID"]),
        "SeriesInstanceUID": pseudonym(link, told["SeriesInstanceUID"]),
        "FrameOfReferenceUID": pseudonym(link, told["FrameOfReferenceUID"] or ""),
        "tiles": f"{root_of(opening)}/tiles/{shared.id}/{{frame}}/{{level}}/{{row}}/{{column}}.png",
        "values": None,
        "uptake": None,
        "pictures_only": True,
        "presentation_states": [],
        "frames": [frame | {"SOPInstanceUID": pseudonym(link, frame["SOPInstanceUID"])} for frame in told["frames"]],
    }
    return told | own | (_without_words(told) if link.is_deidentified else {})


def _without_words(told: dict[str, Any]) -> dict[str, Any]:
    """Texts that a person typed at the modality may name somebody."""
    window = told["window"]
    return {
        "SeriesDescription": "",
        "window": window | {"name": ""} if window else None,
        "windows": list(_numbered(told["windows"])),
        "notes": [],
    }


def _numbered(windows: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for number, window in enumerate(windows, start=1):
        yield window if window["key"] in ("file", "auto") else window | {"name": f"Window {number}"}
