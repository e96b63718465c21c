"""From a target and its parameters to the bytes of a rendered resource (PS3.18 10.4.2)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from archive.dicom.coercion import coerce_dataset
from archive.dicom.part10 import read_dataset
from archive.mending.coercion import facts_of
from archive.storage import layout
from archive.storage.frames import StoredStream, stored_stream
from viewer.errors import NothingToDraw, TooLarge
from viewer.rendering import documents
from viewer.rendering.burned_text import burn_text
from viewer.rendering.formats import LOSSY, check_profile, encode_gif, encode_picture
from viewer.rendering.geometry import pixel_aspect_ratio
from viewer.rendering.media_types import (
    HTML,
    OFFERED,
    PLAIN,
    Category,
    MediaRange,
    Selected,
    select,
    video_container,
)
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.presentation_target import Size, render_presentation_state
from viewer.rendering.rendered_parameters import RenderedParameters, Viewport
from viewer.rendering.viewports import Placement, place, render_viewport
from viewer.stacks.presentation_states import state_instance, state_of_frame
from viewer.tiles.annotation_lines import lines_of
from viewer.tiles.drawing import window_for
from viewer.tiles.frames import drawable, frame_at_level, full_frame
from viewer.tiles.states import draw_presentation_state
from viewer.tiles.targets import Target

DRAWING_VERSION = 1
"""Part of every ETag; counted up when the same request begins to look different."""
THUMBNAIL_SIZE = 256
MOST_ANIMATED_PIXELS = 1 << 26
"""Pixels of all frames of an animation together; they are in memory while it is written."""
LARGEST_DOCUMENT = 1 << 28
"""Bytes of a document that is taken out of its object."""

Choice = tuple[Target, Selected]


def offered_for(target: Target) -> tuple[str, ...]:
    """Media types that a target can be given as, the default first (table 8.7.4-1)."""
    if target.category is Category.VIDEO:
        container = video_container(_stream(target).head(), target.instance.transfer_syntax_uid)
        return (container,) if container else ()
    return OFFERED[target.category]


def _stream(target: Target) -> StoredStream:
    if target.instance.damage:
        raise NothingToDraw(f"{target.instance.damage} The video is not shown; an alarm has been raised.")
    return stored_stream(target.instance.key)


def choose(target: Target, parameters: RenderedParameters, header: Sequence[MediaRange]) -> Selected:
    """The media type for a target, or ``NotAcceptable`` with the list of what is offered."""
    what = f"SOP Instance {target.instance.sop_instance_uid} ({target.category})"
    return select(offered_for(target), parameter=parameters.accept, header=header, what=what)


def check(choices: Sequence[Choice], parameters: RenderedParameters) -> tuple[str, ...]:
    """Refuse before anything is drawn what cannot be made; returns what is ignored.

    Raises
    ------
    InvalidParameter
        The viewport's region lies outside of an image, or a media type cannot carry an ICC profile.
    TooLarge
        A picture or an animation would have more pixels than the portal makes.
    """
    for target, selected in choices:
        if parameters.embeds_profile and selected.media_type.startswith("image/"):
            check_profile(selected.media_type)
        if target.category not in (Category.SINGLE_FRAME, Category.MULTI_FRAME):
            continue
        instance = target.instance
        placement = place(parameters.viewport, rows=instance.rows, columns=instance.columns)
        if target.category is Category.MULTI_FRAME:
            _check_animation(placement, instance.frames)
    return _ignored({selected.media_type for _, selected in choices}, parameters)


def _check_animation(placement: Placement, frames: int) -> None:
    pixels = placement.rows * placement.columns * frames
    if pixels > MOST_ANIMATED_PIXELS:
        raise TooLarge(
            f"An animation of {frames} frames of {placement.columns} x {placement.rows} pixels is larger than "
            f"{MOST_ANIMATED_PIXELS} pixels; ask for a smaller viewport or for single frames."
        )


def _ignored(media_types: set[str], parameters: RenderedParameters) -> tuple[str, ...]:
    ignored = list(parameters.ignored)
    if parameters.quality is not None and not media_types & LOSSY:
        ignored.append("The quality parameter applies to lossy media types only and was ignored")
    asked = (parameters.window, parameters.viewport, *parameters.annotation)
    if not any(media_type.startswith("image/") for media_type in media_types) and any(asked):
        ignored.append("The rendering parameters apply to images only and were ignored")
    return tuple(ignored)


def make(target: Target, media_type: str, parameters: RenderedParameters) -> bytes | Iterator[bytes]:
    """The bytes of one representation, or blocks of them."""
    category = target.category
    if category is Category.VIDEO:
        return _stream(target).blocks()
    if category is Category.TEXT:
        return _report(target, media_type)
    if category is Category.DOCUMENT:
        return _document(target)
    if category is Category.PRESENTATION_STATE:
        return _encoded(_draw_state(target, parameters), media_type, parameters)
    if category is Category.MULTI_FRAME:
        frames = (_draw(target, number, parameters) for number in range(1, target.instance.frames + 1))
        return encode_gif(frames, frame_rate=drawable(target.instance).description.frame_rate)
    return _encoded(_draw(target, target.frame_number or 1, parameters), media_type, parameters)


def _encoded(image: NDArray[np.uint8], media_type: str, parameters: RenderedParameters) -> bytes:
    return encode_picture(image, media_type, quality=parameters.quality, with_profile=parameters.embeds_profile)


def _draw_state(target: Target, parameters: RenderedParameters) -> NDArray[np.uint8]:
    """A presentation state as the target: the images that it is about, as it wants them."""
    image = draw_presentation_state(
        target.study,
        target.instance.sop_instance_uid,
        revision=target.split.revision,
        viewport=_size(parameters.viewport),
    )
    return burn_text(image, lines_of(target, 1, parameters))


def _draw_by_state(target: Target, frame_number: int, parameters: RenderedParameters) -> NDArray[np.uint8]:
    """An image as a presentation state of its study says, with its area, turn and annotations (9.5.2.3)."""
    instance = target.instance
    state = state_instance(target.study, parameters.presentation_state, revision=target.split.revision)
    return render_presentation_state(
        full_frame(instance, frame_number),
        drawable(instance).description,
        frame_number,
        state_of_frame(state, target.frame(frame_number)),
        viewport=_size(parameters.viewport),
    )


def _size(viewport: Viewport | None) -> Size | None:
    return None if viewport is None else Size(viewport.rows, viewport.columns)


def _draw(target: Target, frame_number: int, parameters: RenderedParameters) -> NDArray[np.uint8]:
    if parameters.presentation_state:
        image = _draw_by_state(target, frame_number, parameters)
        return burn_text(image, lines_of(target, frame_number, parameters))
    description = drawable(target.instance).description
    placement = place(parameters.viewport, rows=description.rows, columns=description.columns)
    image = _draw_placed(target, frame_number, RenderParameters(window=parameters.window), placement)
    return burn_text(image, lines_of(target, frame_number, parameters)) if parameters.annotation else image


def _draw_placed(target: Target, frame_number: int, look: RenderParameters, placement: Placement) -> NDArray[np.uint8]:
    instance = target.instance
    description = drawable(instance).description
    # A tile of a slide has no levels of its own.
    is_tile = description.tiling is not None and description.frames > 1 and instance.slide is None
    return render_viewport(
        lambda level: frame_at_level(instance, frame_number, -1 if is_tile else level),
        description,
        frame_number,
        look,
        placement,
        stack_window=window_for(target.stack, target.split, look),
    )


def make_thumbnail(target: Target, media_type: str, viewport: Viewport | None) -> bytes:
    """One frame in true proportions, without any text of ours (10.4.3.3.4)."""
    if target.category is Category.PRESENTATION_STATE:
        shown = RenderedParameters(viewport=viewport or Viewport(THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        return encode_picture(_draw_state(target, shown), media_type)
    number = target.frame_number or 1
    description = drawable(target.instance).description
    placement = place(
        viewport or Viewport(THUMBNAIL_SIZE, THUMBNAIL_SIZE),
        rows=description.rows,
        columns=description.columns,
        aspect=pixel_aspect_ratio(description, number),
    )
    return encode_picture(_draw_placed(target, number, RenderParameters(), placement), media_type)


def _report(target: Target, media_type: str) -> bytes:
    ds = read_dataset(layout.path_of(target.instance.key))
    facts = facts_of(target.study)
    if facts is not None:
        coerce_dataset(ds, facts)
    writers = {HTML: documents.report_as_html, PLAIN: documents.report_as_text}
    return writers[media_type](ds).encode("utf-8")


def _document(target: Target) -> bytes:
    path = layout.path_of(target.instance.key)
    if path.stat().st_size > LARGEST_DOCUMENT:
        raise TooLarge(f"The document is larger than {LARGEST_DOCUMENT} bytes.")
    return documents.encapsulated_document(read_dataset(path))


def tag_of(choices: Sequence[Choice], parameters: RenderedParameters, kind: str = "rendered") -> str:
    """An ETag that is known before anything is drawn: equal tags, equal bytes.

    Stored files never change under their key; what a stack's window is found from changes
    only with the study's revision.
    """
    facts = [
        (target.instance.key, target.frame_number, selected.media_type, selected.multipart)
        for target, selected in choices
    ]
    text = [lines_of(target, target.frame_number or 1, parameters) for target, _ in choices]
    study = choices[0][0].study
    everything = json.dumps([DRAWING_VERSION, kind, study.pk, study.revision, facts, repr(parameters), text])
    return f'"{hashlib.sha256(everything.encode()).hexdigest()[:32]}"'
