"""Jobs: write measurements, key images or a view as DICOM objects, into the archive by the same intake as every image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from pydicom import Dataset

from archive.jobs.run import JobRefused
from archive.models import User
from archive.pixels.description import VoiFunction, Window
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from viewer.annotations.export_gsps import View, presentation_states, state_of_view
from viewer.annotations.export_kos import key_object_selection
from viewer.annotations.export_sr import measurement_report
from viewer.annotations.exported import Exported, images_of
from viewer.errors import NotFound, StackChanged
from viewer.jobs.sources import part10_bytes
from viewer.stacks.lookup import stack_at
from viewer.stacks.windows import window_of_stack

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job


def write_measurements(job: Job, progress: Progress) -> str:
    """Parameters: ``drawn``, the measurements as they were when it was asked for."""
    exported = _exported(job)
    progress.start(1, "Writing measurements")
    made = measurement_objects(exported)
    if not made:
        raise JobRefused("No measurement could be written: its images are hidden or cannot be read.")
    receive_all(made, user=job.created_by, processing="measurements", at=exported.made_at)
    progress.step()
    return f"Written: {in_words(made)}."


def write_view(job: Job, progress: Progress) -> str:
    """Parameters: ``drawn``, and the ``view`` of one frame as ``viewer.api.saved_objects`` read it."""
    exported, asked = _exported(job), job.parameters["view"]
    progress.start(1, "Writing the view")
    uid = asked["SOPInstanceUID"]
    image = images_of(exported.study, [uid]).get(uid)
    if image is None:
        raise JobRefused("The image is hidden or cannot be read; nothing was written.")
    view = View(
        window=_window(asked["window"]),
        inverted=asked["inverted"],
        rotation=asked["rotation"],
        flipped=asked["flipped"],
        area=tuple(asked["area"]),
    )
    ds = state_of_view(exported, image, asked["FrameNumber"], view, asked["description"])
    receive_all([ds], user=job.created_by, processing="presentation state of a view", at=exported.made_at)
    progress.step()
    return "The view was saved as a presentation state."


def _exported(job: Job) -> Exported:
    if job.study is None:
        raise JobRefused("The study is no longer there.")
    return Exported(
        study=job.study,
        drawn=job.parameters["drawn"],
        author=str(job.created_by or ""),
        made_at=timezone.localtime(job.created_at),
        name=f"job {job.pk}",
    )


def _window(asked: dict[str, Any] | None) -> Window | None:
    if asked is None:
        return None
    return Window(asked["center"], asked["width"], VoiFunction(asked["function"]))


def measurement_objects(exported: Exported) -> list[Dataset]:
    """Structured report, key object selection and presentation states, as far as there is something to say."""
    windows = first_windows(exported)
    found = [measurement_report(exported), key_object_selection(exported), *presentation_states(exported, windows)]
    return [ds for ds in found if ds is not None]


def first_windows(exported: Exported) -> dict[str, Window | None]:
    """The window that each image is first shown with; None where it is a table of the file, or colors."""
    found: dict[str, Window | None] = {}
    for one in exported.drawn:
        try:
            shown = window_of_stack(*stack_at(one["stack"]))
        except (NotFound, StackChanged):
            found.setdefault(one["SOPInstanceUID"], None)
            continue
        found[one["SOPInstanceUID"]] = None if shown.voi_lut else shown.window
    return found


def receive_all(made: Sequence[Dataset], *, user: User | None, processing: str, at: datetime) -> None:
    """All of them through the intake, once all are made."""
    origin = Origin(door=Door.DERIVED, user_id=user.pk if user else None, processing=processing, received_at=at)
    for data in [part10_bytes(ds) for ds in made]:
        receive_part10(io.BytesIO(data), origin)


def in_words(made: Sequence[Dataset]) -> str:
    """ "measurements (SR), key images (KO), 2 presentation states (PR)"."""
    modalities = [ds.Modality for ds in made]
    states = modalities.count("PR")
    words = [
        "measurements (SR)" if "SR" in modalities else "",
        "key images (KO)" if "KO" in modalities else "",
        f"{states} presentation state{'' if states == 1 else 's'} (PR)" if states else "",
    ]
    return ", ".join(word for word in words if word)
