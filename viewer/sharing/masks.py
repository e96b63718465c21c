"""Masks over burned-in text: which series need one, what is proposed, what a person has drawn."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Series, User
from archive.pixels.description import ImageDescription
from viewer.models import SeriesMask
from viewer.rendering.tiles import Region
from viewer.sharing.errors import CannotShare
from viewer.stacks.splitting import Stack
from viewer.tiles.frames import drawable

MOST_RECTANGLES = 50
WITH_TEXT = frozenset({"US", "IVUS", "ES", "XC", "GM", "SC", "OT", "DOC", "RF", "XA", "ECG", "HD"})
"""Modalities whose pictures usually carry text: somebody must look before names count as hidden."""
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""Root of the SOP classes of PS3.3 A.8: a screen may show anything."""

Size = tuple[int, int]
Masks = dict[Size, tuple[Region, ...]]


def needs_look(description: ImageDescription, sop_class_uid: str) -> bool:
    """Whether an image may carry burned-in text: it says so (C.7.6.1.1.5), or it is of a kind that often does."""
    if description.burned_in_annotation == "YES":
        return True
    is_capture = sop_class_uid == SECONDARY_CAPTURE or sop_class_uid.startswith(f"{SECONDARY_CAPTURE}.")
    return description.burned_in_annotation != "NO" and (description.modality in WITH_TEXT or is_capture)


def sizes_to_look_at(stacks: list[Stack]) -> list[Size]:
    """Sizes (rows, columns) of those images of a series that somebody must look at."""
    found: dict[Size, None] = {}
    for stack in stacks:
        for frame in stack.frames:
            description = drawable(frame.instance).description
            if needs_look(description, frame.instance.sop_class_uid):
                found[description.rows, description.columns] = None
    return list(found)


def masks_of(series: Series) -> Masks:
    """What was drawn on a series, by size of its images."""
    return {
        (one.rows, one.columns): tuple(Region(*rectangle) for rectangle in one.rectangles)
        for one in SeriesMask.objects.filter(series=series)
    }


def proposed(description: ImageDescription) -> list[Region]:
    """Everything outside of the ultrasound regions (PS3.3 C.8.5.5), where text usually stands; else nothing."""
    regions = description.ultrasound_regions
    rows, columns = description.rows, description.columns
    if not regions:
        return []
    top, left = max(0, min(one.y0 for one in regions)), max(0, min(one.x0 for one in regions))
    bottom, right = (
        min(rows, max(one.y1 for one in regions) + 1),
        min(columns, max(one.x1 for one in regions) + 1),
    )
    around = (
        Region(0, 0, top, columns),
        Region(bottom, 0, rows - bottom, columns),
        Region(top, 0, bottom - top, left),
        Region(top, right, bottom - top, columns - right),
    )
    return [one for one in around if one.rows > 0 and one.columns > 0]


def read_rectangles(values: Any, *, rows: int, columns: int) -> list[Region]:
    """Rectangles as a form sends them, cut to the image.

    Raises
    ------
    CannotShare
        They are no lists of four whole numbers, or too many.
    """
    if not isinstance(values, list) or len(values) > MOST_RECTANGLES:
        raise CannotShare(f"A mask is a list of at most {MOST_RECTANGLES} rectangles.")
    found = []
    for one in values:
        if not (isinstance(one, list) and len(one) == 4 and all(type(part) is int for part in one)):
            raise CannotShare("A rectangle is row, column, height and width in whole pixels.")
        top, left = max(0, one[0]), max(0, one[1])
        bottom, right = min(rows, one[0] + one[2]), min(columns, one[1] + one[3])
        if bottom > top and right > left:
            found.append(Region(top, left, bottom - top, right - left))
    return found


def draw_mask(series: Series, size: Size, rectangles: list[Region], *, by: User, address: str) -> SeriesMask:
    """Keep a mask; from now on names count as hidden in images of this series and size."""
    values = {"rectangles": [list(one) for one in rectangles], "drawn_by": by, "drawn_at": timezone.now()}
    with transaction.atomic():
        mask, _ = SeriesMask.objects.update_or_create(series=series, rows=size[0], columns=size[1], defaults=values)
        record_event(
            Event.MASK_DRAWN,
            user=by,
            address=address,
            study_instance_uid=series.study.study_instance_uid,
            subject=f"series {series.series_instance_uid}",
            details={"rows": size[0], "columns": size[1], "rectangles": values["rectangles"]},
        )
    return mask
