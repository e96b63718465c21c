"""One frame as a picture to take away: as it was seen, in true proportions, with a few words on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.dicom.dates import format_date
from archive.jobs.run import JobRefused
from archive.models import Study
from viewer.errors import NotFound, NothingToDraw, StackChanged
from viewer.exports.wishes import WantedFrame
from viewer.rendering.burned_text import burn_text, name_on_picture
from viewer.rendering.pipeline import render_thumbnail, thumbnail_level
from viewer.stacks.lookup import stack_at
from viewer.tiles.drawing import frame_of, window_for
from viewer.tiles.frames import drawable, frame_at_level

LONGEST_SIDE_PX = 2048
SMALLEST_SIDE_PX = 512
"""A smaller image is enlarged to it, so that the words beside it can be read."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture and what it shows."""

    image: NDArray[np.uint8]
    """(rows, columns) grey or (rows, columns, 3) sRGB."""
    words: str
    """Series and image, without any name."""
    rate: float | None
    """Frames a second that the file states."""


def take(wanted: WantedFrame, study: Study, *, longest_px: int = LONGEST_SIDE_PX) -> Taken:
    """Draw one frame of a study.

    Raises
    ------
    JobRefused
        It is no longer there, or cannot be drawn.
    """
    try:
        stack, split = stack_at(wanted.stack)
        if split.study.pk != study.pk:
            raise JobRefused("A picture belongs to another study.")
        frame = frame_of(stack, wanted.frame)
        description = drawable(frame.instance).description
        size = min(longest_px, max(SMALLEST_SIDE_PX, description.rows, description.columns))
        level = thumbnail_level(description, frame.frame_number, size)
        image = render_thumbnail(
            frame_at_level(frame.instance, frame.frame_number, level),
            description,
            frame.frame_number,
            stack_window=window_for(stack, split, wanted.look),
            size=size,
            parameters=wanted.look,
        )
    except NothingToDraw as error:
        raise JobRefused(f"An image cannot be drawn: {error.reason}") from None
    except (NotFound, StackChanged):
        raise JobRefused("An image is no longer there.") from None
    series = split.series
    number = "" if series.series_number is None else f"S{series.series_number}"
    words = " ".join(part for part in (series.modality, number, f"Im {wanted.frame}/{len(stack.frames)}") if part)
    return Taken(turned(image, wanted), words, description.frame_rate)


def turned(image: NDArray[np.uint8], wanted: WantedFrame) -> NDArray[np.uint8]:
    """Mirrored left and right, then turned clockwise, as a viewport does."""
    mirrored = image[:, ::-1] if wanted.flipped else image
    return np.ascontiguousarray(np.rot90(mirrored, k=-(wanted.rotation // 90)))


def identity_lines(study: Study) -> tuple[str, ...]:
    """Two identifiers and the examination, for the corner of a picture."""
    patient = ", ".join(
        part for part in (study.patient.patient_id or "no ID", format_date(study.patient_birth_date)) if part
    )
    examination = " ".join(
        part for part in (*study.modality_list(), study.study_description, format_date(study.study_date)) if part
    )
    return (name_on_picture(study.patient_name) or "no name", patient, examination)


def labelled(taken: Taken, study: Study, *, with_names: bool) -> NDArray[np.uint8]:
    """The picture with its words in the upper left corner."""
    lines = (*identity_lines(study), taken.words) if with_names else (taken.words,)
    return burn_text(taken.image, lines)
