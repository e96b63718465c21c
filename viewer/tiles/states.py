"""A presentation state as the picture that is asked for: find its images, decode them, draw the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from archive.models import Instance, Study
from viewer.errors import NotFound, NothingToDraw
from viewer.rendering.blending import PlacedFrame, frames_needed, render_blending
from viewer.rendering.presentation_state import PresentationState, References
from viewer.rendering.presentation_target import Size, render_presentation_state
from viewer.stacks.facts import InstanceFacts, facts_of
from viewer.stacks.presentation_states import read_state, state_instance
from viewer.tiles.frames import drawable, full_frame

AT_ONCE = 500
"""UIDs in one query."""


def draw_presentation_state(
    study: Study, sop_instance_uid: str, *, revision: int, viewport: Size | None = None
) -> NDArray[np.uint8]:
    """Draw a presentation state of a study: the image in the middle of those that it names, as it wants it shown.

    Returns
    -------
    uint8, (rows, columns) grey or (rows, columns, 3) sRGB, in ``viewport`` where one is given.

    Raises
    ------
    NotFound
        The study has no such state.
    NothingToDraw
        The state or its images cannot be drawn; the message is for people.
    """
    state = read_state(state_instance(study, sop_instance_uid, revision=revision))
    if state.blending is not None:
        return _draw_blending(study, state, revision, viewport)
    image, frame_number = _middle(_frames_of(study, state.images, revision))
    description = drawable(image).description
    stated = state.for_frame(image.sop_instance_uid, frame_number, signed=bool(description.pixel_representation))
    if stated is None:
        raise NotFound("This presentation state is not about this image.")
    return render_presentation_state(
        full_frame(image, frame_number), description, frame_number, stated, viewport=viewport
    )


def _draw_blending(study: Study, state: PresentationState, revision: int, viewport: Size | None) -> NDArray[np.uint8]:
    if state.blending is None:
        raise NothingToDraw("The presentation state blends nothing.")
    below = _frames_of(study, state.blending.underlying.images, revision)
    above = _frames_of(study, state.blending.superimposed.images, revision)
    image, frame_number = _middle(below)
    if not above:
        raise NothingToDraw("The images that the presentation state superimposes are not here.")
    _check_frame_of_reference([image, *(one for one, _ in above)])
    underlying = _placed(image, frame_number)
    superimposed = [_placed(*one) for one in above]
    pixels = {index: full_frame(*above[index]) for index in frames_needed(underlying, superimposed)}
    return render_blending(state, underlying, full_frame(image, frame_number), superimposed, pixels, viewport=viewport)


def _placed(image: InstanceFacts, frame_number: int) -> PlacedFrame:
    return PlacedFrame(image.sop_instance_uid, frame_number, drawable(image).description)


def _middle(frames: Sequence[tuple[InstanceFacts, int]]) -> tuple[InstanceFacts, int]:
    if not frames:
        raise NothingToDraw("The images that the presentation state names are not here.")
    return frames[len(frames) // 2]


def _frames_of(study: Study, references: References, revision: int) -> list[tuple[InstanceFacts, int]]:
    """The frames that references name and the study has, in their order."""
    images = {one.sop_instance_uid: one for one in _images(study, list(references), revision)}
    found = []
    for uid, frames in references.items():
        image = images.get(uid)
        if image is None or not image.frames:
            continue
        numbers: Iterable[int] = sorted(frames) or range(1, image.frames + 1)
        found += [(image, number) for number in numbers if 1 <= number <= image.frames]
    return found


def _images(study: Study, uids: list[str], revision: int) -> Iterator[InstanceFacts]:
    here = Instance.objects.shown().filter(series__study=study, added_revision__lte=revision)
    for start in range(0, len(uids), AT_ONCE):
        yield from facts_of(here.filter(sop_instance_uid__in=uids[start : start + AT_ONCE]))


def _check_frame_of_reference(images: list[InstanceFacts]) -> None:
    """Places in the patient can be compared within one frame of reference only (PS3.3 C.7.4.1)."""
    uids = {image.sop_instance_uid for image in images}
    found = set()
    for start in range(0, len(images), AT_ONCE):
        part = [image.pk for image in images[start : start + AT_ONCE]]
        found |= set(Instance.objects.filter(pk__in=part).values_list("series__frame_of_reference_uid", flat=True))
    if len(uids) > 1 and (len(found) != 1 or "" in found):
        raise NothingToDraw("The images that the presentation state blends have no common frame of reference.")
