"""What the ``annotation`` parameter burns into a picture: who, and what was done (PS3.18 8.3.5.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

from archive.dicom.dates import format_date, format_time
from archive.pixels.description import Window
from viewer.rendering.burned_text import name_on_picture
from viewer.rendering.media_types import Category
from viewer.rendering.parameters import RenderParameters, number_text
from viewer.rendering.rendered_parameters import Annotation, RenderedParameters
from viewer.tiles.drawing import window_for
from viewer.tiles.frames import drawable
from viewer.tiles.targets import Target


def lines_of(target: Target, frame_number: int, parameters: RenderedParameters) -> list[str]:
    """Lines of text for one frame; none where none were asked for."""
    lines: list[str] = []
    if Annotation.PATIENT in parameters.annotation:
        lines += _patient(target)
    is_image = target.category in (Category.SINGLE_FRAME, Category.MULTI_FRAME)
    if Annotation.TECHNIQUE in parameters.annotation and is_image:
        lines += _technique(target, frame_number, parameters)
    return [line for line in lines if line.strip()]


def _patient(target: Target) -> Iterator[str]:
    study = target.study
    yield name_on_picture(study.patient_name)
    yield f"ID {study.patient.patient_id}" if study.patient.patient_id else ""
    born = f"born {format_date(study.patient_birth_date)}" if study.patient_birth_date else ""
    yield "  ".join(part for part in (born, study.patient_sex) if part)


def _technique(target: Target, frame_number: int, parameters: RenderedParameters) -> Iterator[str]:
    study, series, instance = target.study, target.split.series, target.instance
    when = (format_date(study.study_date), format_time(study.study_time))
    yield "  ".join(part for part in (*when, series.modality, study.study_description) if part)
    number = "" if series.series_number is None else f"Series {series.series_number}"
    yield "  ".join(part for part in (number, series.series_description) if part)
    image = "" if instance.instance_number is None else f"Image {instance.instance_number}"
    frame = f"Frame {frame_number} of {instance.frames}" if instance.frames > 1 else ""
    yield "  ".join(part for part in (image, frame) if part)
    attributes = drawable(instance).description.frame(frame_number)
    if attributes.image_position_patient:
        yield f"Position {', '.join(f'{value:.1f}' for value in attributes.image_position_patient)} mm"
    if not parameters.presentation_state:
        yield _window(target, parameters)


def _window(target: Target, parameters: RenderedParameters) -> str:
    window: Window | None = parameters.window
    if window is None:
        shown = window_for(target.stack, target.split, RenderParameters())
        window = shown.window if shown else None
    return f"W {number_text(window.width)} L {number_text(window.center)}" if window else ""
