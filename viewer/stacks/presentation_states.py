"""Presentation states of a study: which there are, what they are about, and what they say of one frame.

A state is found in the study of its images. Its data set is read once and kept; what
lists need of it is kept apart, as there can be hundreds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from archive.dicom.part10 import read_dataset
from archive.errors import ArchiveError
from archive.models import Instance, Study
from archive.pixels.description import ImageDescription, LookupTable, Window
from archive.storage import layout
from viewer.errors import NotFound, NothingToDraw, ViewerError
from viewer.rendering.displayed_area import area_box, viewport_turn
from viewer.rendering.parameters import function_text
from viewer.rendering.presentation_state import (
    STATE_KINDS,
    FrameState,
    PresentationState,
    References,
    StateKind,
    identity,
)
from viewer.rendering.presentation_state_reading import read_presentation_state
from viewer.rendering.voi_lut import ValueRange
from viewer.stacks.facts import FrameFacts, InstanceFacts, facts_of
from viewer.stacks.lookup import Kept, SplitSeries
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable

logger = logging.getLogger(__name__)

KEPT_STATES = 16
KEPT_SUMMARIES = 4096
KEPT_STUDIES = 64
MOST_OF_A_STUDY = 512
"""States of one study that are looked at, the latest first."""
MOST_OF_A_STACK = 64
"""States that a stack's manifest names, the latest first."""
TEXTS_TOLD = 200

ABSENT = "There is no such presentation state of this image."


@dataclass(frozen=True, slots=True)
class StateSummary:
    """What a list says of a state."""

    instance: InstanceFacts
    kind: StateKind
    label: str
    description: str
    creator: str
    created: str
    images: References


_instances: Kept[tuple[int, int], dict[str, InstanceFacts]] = Kept(KEPT_STUDIES)
_states: Kept[str, PresentationState] = Kept(KEPT_STATES)
_summaries: Kept[str, StateSummary | None] = Kept(KEPT_SUMMARIES)


def forget_states() -> None:
    """Drop what is kept, where it has turned out to be old."""
    for kept in (_instances, _states, _summaries):
        kept.clear()


def state_instances(study: Study, *, revision: int) -> dict[str, InstanceFacts]:
    """Shown presentation states of a study as of a revision, by SOP Instance UID."""
    return _instances.get((study.pk, revision), lambda: _find(study, revision))


def _find(study: Study, revision: int) -> dict[str, InstanceFacts]:
    rows = Instance.objects.shown().filter(
        series__study=study, added_revision__lte=revision, sop_class_uid__in=list(STATE_KINDS)
    )
    return {one.sop_instance_uid: one for one in facts_of(rows.order_by("-pk")[:MOST_OF_A_STUDY])}


def state_instance(study: Study, sop_instance_uid: str, *, revision: int) -> InstanceFacts:
    """One presentation state of a study.

    Raises
    ------
    NotFound
        The study has none of that UID, or it is hidden.
    """
    found = state_instances(study, revision=revision).get(sop_instance_uid)
    if found is None:
        raise NotFound(ABSENT)
    return found


def read_state(instance: InstanceFacts) -> PresentationState:
    """A whole state, read once.

    Raises
    ------
    NothingToDraw
        It cannot be read, or is none that can be shown; the message is for people.
    """
    return _states.get(instance.key, lambda: _read(instance))


def _read(instance: InstanceFacts) -> PresentationState:
    try:
        return read_presentation_state(read_dataset(layout.path_of(instance.key)))
    except (ArchiveError, OSError) as error:
        logger.warning(
            "a presentation state could not be read",
            extra={"why": type(error).__name__, "instance": instance.sop_instance_uid},
        )
        raise NothingToDraw("The presentation state cannot be read.") from error


def state_of_frame(instance: InstanceFacts, frame: FrameFacts) -> FrameState:
    """What a state says about one frame.

    Raises
    ------
    NotFound
        It is not about this frame, or it blends two series, which no tile of one can show.
    NothingToDraw
        The state, or the frame itself, cannot be drawn.
    """
    state = read_state(instance)
    if state.kind is StateKind.BLENDING:
        raise NotFound("This presentation state blends two series: it is drawn as a whole, not as tiles of one.")
    signed = bool(drawable(frame.instance).description.pixel_representation)
    found = state.for_frame(frame.instance.sop_instance_uid, frame.frame_number, signed=signed)
    if found is None:
        raise NotFound("This presentation state is not about this image.")
    return found


def _summary(instance: InstanceFacts) -> StateSummary | None:
    """What a list says of a state; None for one that cannot be read."""
    return _summaries.get(instance.key, lambda: _summarise(instance))


def _summarise(instance: InstanceFacts) -> StateSummary | None:
    try:
        state = read_state(instance)
    except ViewerError:
        return None
    return StateSummary(
        instance, state.kind, state.label, state.description, state.creator, state.created, state.images
    )


def summaries_of(study: Study, *, revision: int) -> list[StateSummary]:
    """Every state of a study that can be read, the latest first."""
    found = [_summary(one) for one in state_instances(study, revision=revision).values()]
    return sorted((one for one in found if one is not None), key=lambda one: one.created, reverse=True)


# --- For manifests --------------------------------------------------------------------------------------------------


def states_of_study(study: Study, splits: list[SplitSeries], *, revision: int) -> list[dict[str, Any]]:
    """The states of a study and the stacks whose images they name, as values for JSON."""
    summaries = summaries_of(study, revision=revision)
    if not summaries:
        return []
    stacks: dict[str, list[str]] = {}
    for split in splits:
        for stack in split.stacks:
            for uid in dict.fromkeys(frame.instance.sop_instance_uid for frame in stack.frames):
                stacks.setdefault(uid, []).append(stack.id)
    return [
        {
            **_named(one),
            "stacks": list(dict.fromkeys(stack for uid in one.images for stack in stacks.get(uid, []))),
            "images": len(one.images),
        }
        for one in summaries
    ]


def _named(summary: StateSummary) -> dict[str, Any]:
    return {
        "SOPInstanceUID": summary.instance.sop_instance_uid,
        "ContentLabel": summary.label,
        "ContentDescription": summary.description,
        "ContentCreatorName": summary.creator,
        "created": summary.created,
        "kind": summary.kind.value,
    }


def states_of_stack(stack: Stack, split: SplitSeries) -> list[dict[str, Any]]:
    """The states that can be shown over frames of a stack, each with how the viewport shall lie, as values for JSON.

    ``frames`` holds for each frame of the stack the place of its view in ``views``, or null
    where the state is not about it.
    """
    listed: list[dict[str, Any]] = []
    uids = {frame.instance.sop_instance_uid for frame in stack.frames}
    for summary in summaries_of(split.study, revision=split.revision):
        is_about = not uids.isdisjoint(summary.images)
        if not is_about or summary.kind is StateKind.BLENDING or len(listed) == MOST_OF_A_STACK:
            continue
        entry = _entry(summary, stack)
        if any(place is not None for place in entry["frames"]):
            listed.append(entry)
    return listed


def _entry(summary: StateSummary, stack: Stack) -> dict[str, Any]:
    state = read_state(summary.instance)
    views: list[dict[str, Any]] = []
    frames: list[int | None] = []
    for frame in stack.frames:
        view = _view(state, frame)
        if view is not None and view not in views:
            views.append(view)
        frames.append(None if view is None else views.index(view))
    texts = [text.text for annotation in state.annotations for text in annotation.texts]
    return {
        **_named(summary),
        "notes": list(state.notes),
        "texts": texts[:TEXTS_TOLD],
        "views": views,
        "frames": frames,
    }


def _view(state: PresentationState, frame: FrameFacts) -> dict[str, Any] | None:
    """How a viewport shall lie for one frame: turned, with which area, and the window that a drag begins from."""
    try:
        description = drawable(frame.instance).description
    except NothingToDraw:
        return None
    signed = bool(description.pixel_representation)
    stated = state.for_frame(frame.instance.sop_instance_uid, frame.frame_number, signed=signed)
    if stated is None:
        return None
    rotation, flipped = viewport_turn(stated)
    box = area_box(stated.area, description.rows, description.columns)
    return {
        "rotation": rotation,
        "flipped": flipped,
        "area": {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom},
        "mode": str(stated.area.mode) if stated.area else "SCALE TO FIT",
        "magnification": stated.area.magnification if stated.area else 1.0,
        "window": _window_like(stated, description),
    }


def _window_like(stated: FrameState, description: ImageDescription) -> dict[str, Any] | None:
    """A window that looks the same, or nearly, as numbers for people and for a drag; None for colors."""
    if description.samples_per_pixel > 1:
        return None
    voi = stated.voi or identity(description, stated.modality)
    if isinstance(voi, LookupTable):
        count = len(voi.entries) // 2
        voi = Window(voi.first_mapped + count / 2, float(max(count, 1)))
    elif isinstance(voi, ValueRange):
        voi = Window(voi.lowest + voi.span / 2, max(voi.span, 1.0))
    if voi is None:
        return None
    return {"center": voi.center, "width": voi.width, "function": function_text(voi.function)}
