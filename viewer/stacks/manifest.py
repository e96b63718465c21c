"""What a viewport needs to know of a stack, and a study's stacks in order, as plain values for JSON.

Keys that mirror DICOM attributes are their keywords.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archive.dicom.sop_classes import is_readable
from archive.dicom.transfer_syntaxes import is_video
from archive.models import Series, Study, User
from archive.pixels.description import ImageDescription, Window
from viewer.errors import NothingToDraw, ViewerError
from viewer.rendering.equivalent_window import equivalent_window
from viewer.rendering.geometry import edges, pixel_aspect_ratio, pixel_spacing
from viewer.rendering.stack_window import WindowOrigin
from viewer.rendering.tiles import TILE_SIZE, levels
from viewer.rendering.values import unit_of
from viewer.rendering.voi_lut import usable_voi_luts, usable_windows
from viewer.stacks.facts import FrameFacts, InstanceFacts
from viewer.stacks.lookup import SplitSeries, split_series_of
from viewer.stacks.presentation_states import states_of_stack, states_of_study
from viewer.stacks.splitting import Stack, plane_of
from viewer.stacks.suv import suv_kinds_of_stack, suv_of_stack, unused_mapping_objects
from viewer.stacks.value_facts import value_facts, window_facts
from viewer.stacks.windows import window_choices, window_of_stack
from viewer.tiles.frames import drawable

TILES = "/tiles/{stack}/{frame}/{level}/{row}/{column}.png"


def series_in_order(study: Study) -> list[Series]:
    """Series with something to show, originals first, by Series Number."""
    found = Series.objects.filter(study=study, instance_count__gt=0).select_related("study__patient")
    return sorted(found, key=lambda one: (one.is_derived, one.series_number is None, one.series_number or 0, one.pk))


def split_study(study: Study) -> list[SplitSeries]:
    """Every series of a study with its stacks, as of the present revision."""
    return [split_series_of(series, revision=study.revision) for series in series_in_order(study)]


def study_manifest(study: Study) -> dict[str, Any]:
    """A study's stacks in the order of the strip."""
    splits = split_study(study)
    return {
        "StudyInstanceUID": study.study_instance_uid,
        "revision": study.revision,
        "ready": study.ready_at is not None,
        "held_back": study.held_back_count,
        "instances": study.instance_count,
        "stacks": [entry for split in splits for entry in _entries(split)],
        "presentation_states": states_of_study(study, splits, revision=study.revision),
    }


def _entries(split: SplitSeries) -> Iterable[dict[str, Any]]:
    for stack in split.stacks:
        reason = undrawable(stack)
        entry = _entry(split, stack.id, len(stack.frames), _label(stack), reason)
        page = {"page": page_of(split.study, stack.first.instance)} if reason else {}
        yield entry | {"plane": plane_of(stack.first.orientation), "Laterality": _laterality(stack)} | page
    if not split.stacks:
        first = split.instances[0] if split.instances else None
        entry = _entry(split, "", 0, kind_of_object(first), first.undrawable_reason if first else "Nothing to show.")
        yield entry | {"page": page_of(split.study, first) if first else ""}


def _entry(split: SplitSeries, stack_id: str, frames: int, label: str, reason: str) -> dict[str, Any]:
    series = split.series
    return {
        "stack": stack_id,
        "SeriesInstanceUID": series.series_instance_uid,
        "SeriesNumber": series.series_number,
        "SeriesDescription": series.series_description,
        "Modality": series.modality,
        "frames": frames,
        "label": label,
        "thumbnail": thumbnail_address(stack_id, split.revision) if stack_id and not reason else None,
        "manifest": f"/stacks/{stack_id}/manifest.json" if stack_id else None,
        "derived": series.is_derived,
        "processed": series.processing,
        "drawable": bool(stack_id) and not reason,
        "reason": reason,
        "instances": [one.sop_instance_uid for one in split.without_picture] if not stack_id else [],
    }


def page_of(study: Study, instance: InstanceFacts) -> str:
    """Address of the page that an object without a picture is read or played on; empty where it has none."""
    if not (is_readable(instance.sop_class_uid) or is_video(instance.transfer_syntax_uid)):
        return ""
    return f"/studies/{study.study_instance_uid}/objects/{instance.sop_instance_uid}/"


def _label(stack: Stack) -> str:
    if stack.label:
        return stack.label
    try:
        return drawable(stack.first.instance).description.view_position
    except ViewerError:
        return ""


def _laterality(stack: Stack) -> str:
    try:
        return drawable(stack.first.instance).description.frame(stack.first.frame_number).laterality
    except ViewerError:
        return ""


def kind_of_object(instance: InstanceFacts | None) -> str:
    """What an object without a picture is called in the strip."""
    from archive.dicom.sop_classes import name_of

    return name_of(instance.sop_class_uid) if instance else ""


def thumbnail_address(stack_id: str, revision: int) -> str:
    return f"/stacks/{stack_id}/thumbnail.png?rev={revision}"


def undrawable(stack: Stack) -> str:
    """Why no frame of a stack can be drawn; empty where at least one can."""
    reasons = []
    for frame in stack.frames:
        try:
            drawable(frame.instance)
        except NothingToDraw as error:
            reasons.append(error.reason)
        else:
            return ""
    return reasons[0] if reasons else "Nothing to show."


def stack_manifest(stack: Stack, split: SplitSeries, *, tile_key: str, with_values: bool = False) -> dict[str, Any]:
    """All that a viewport asks before its first tile; ``with_values`` where stored values may be sent."""
    first = _first_drawable(stack)
    description = drawable(first.instance).description
    shown = window_of_stack(stack, split)
    return {
        "stack": stack.id,
        **_named(split, description),
        "label": stack.label,
        "revision": split.revision,
        "key": tile_key,
        **_picture(description, first.frame_number),
        "tiles": TILES.replace("{stack}", stack.id),
        "color": shown.origin is WindowOrigin.COLOR,
        "inverted": shown.inverted,
        "values": value_facts(stack, shown) if with_values else None,
        "window": _first_window(shown),
        "windows": [
            {"name": one.name, "key": one.key, **(_window(one.window) or {})} for one in window_choices(stack, split)
        ],
        "unit": unit_of(description, first.frame_number),
        "uptake": _uptake(stack, split),
        **_scales(description, first.frame_number),
        "cine": _cine(description, stack),
        "processed": split.series.processing,
        "derived": split.series.is_derived,
        "lossy": lossy_text(description),
        "notes": [*stack.notes, *_uptake_notes(stack, split)],
        "presentation_states": states_of_stack(stack, split),
        "frames": _frames(stack),
    }


def _cine(description: ImageDescription, stack: Stack) -> dict[str, Any] | None:
    """Frames a second, and how long each stands where they differ and the stack is the frames of one instance."""
    if not description.frame_rate or len(stack.frames) < 2:
        return None
    times = description.frame_times_ms if len(stack.frames) == len(description.frame_times_ms) else ()
    return {"rate": description.frame_rate, "source": description.frame_rate_source, "times_ms": list(times)}


def _named(split: SplitSeries, description: ImageDescription) -> dict[str, Any]:
    """Which series it is."""
    series = split.series
    return {
        "StudyInstanceUID": split.study.study_instance_uid,
        "SeriesInstanceUID": series.series_instance_uid,
        "SeriesNumber": series.series_number,
        "SeriesDescription": series.series_description,
        "Modality": series.modality,
        "BodyPartExamined": series.body_part_examined or description.body_part_examined,
        "FrameOfReferenceUID": series.frame_of_reference_uid,
        "ViewPosition": description.view_position,
    }


def _picture(description: ImageDescription, frame_number: int) -> dict[str, Any]:
    """Its size, its proportions and the levels that it is cut into."""
    return {
        "TileSize": TILE_SIZE,
        "Rows": description.rows,
        "Columns": description.columns,
        "PixelAspectRatio": list(pixel_aspect_ratio(description, frame_number)),
        "levels": [
            {
                "level": one.level,
                "Rows": one.rows,
                "Columns": one.columns,
                "rows": one.tile_rows,
                "columns": one.tile_columns,
                "scale": one.scale,
            }
            for one in levels(description.rows, description.columns)
        ],
    }


def _scales(description: ImageDescription, frame_number: int) -> dict[str, Any]:
    """What lengths are measured by."""
    spacing = pixel_spacing(description, frame_number)
    return {
        "PixelSpacing": {
            "row_mm": spacing.row_mm,
            "column_mm": spacing.column_mm,
            "source": spacing.source,
            "note": spacing.note,
        }
        if spacing
        else None,
        "calibration": {"regions": [_region(one) for one in description.ultrasound_regions]},
    }


def _uptake(stack: Stack, split: SplitSeries) -> dict[str, Any] | None:
    """What turns modality values of a PET into uptake, for windows in words; None where nothing does."""
    kinds = suv_kinds_of_stack(stack, split).kinds if split.series.modality == "PT" else ()
    return {"name": kinds[0].name, "unit": kinds[0].unit, "factor": kinds[0].factor} if kinds else None


def _uptake_notes(stack: Stack, split: SplitSeries) -> Iterable[str]:
    """Why a PET is read in the units of its file and not as uptake, and whose uptake values are not shown."""
    if split.series.modality != "PT":
        return
    if (found := suv_of_stack(stack, split)).factor is None:
        yield f"No uptake values (SUV): {found.reason}"
    for name in unused_mapping_objects(stack, split):
        yield f"The mapping object {name} gives other uptake values (SUV); they are not used."


def _first_drawable(stack: Stack) -> FrameFacts:
    reason = ""
    for frame in stack.frames:
        try:
            drawable(frame.instance)
            return frame
        except NothingToDraw as error:
            reason = reason or error.reason
    raise NothingToDraw(reason or "Nothing to show.")


def _first_window(shown: Any) -> dict[str, Any] | None:
    if shown.origin is WindowOrigin.COLOR:
        return None
    values = _window(shown.window) or {"center": None, "width": None, "function": None}
    key = str(shown.voi_lut) if shown.voi_lut else None
    return {**values, "name": shown.name, "key": key, "origin": str(shown.origin)}


def _window(window: Window | None) -> dict[str, Any] | None:
    return window_facts(window) if window is not None else None


def _region(region: Any) -> dict[str, Any]:
    return {
        "x0": region.x0,
        "y0": region.y0,
        "x1": region.x1,
        "y1": region.y1,
        "units_x": region.units_x,
        "units_y": region.units_y,
        "delta_x": region.delta_x,
        "delta_y": region.delta_y,
    }


def lossy_text(description: ImageDescription) -> str:
    """What a reader must know of lossy compression; empty where there was none."""
    if not description.lossy:
        return ""
    return f"lossy {description.lossy_ratio}:1" if description.lossy_ratio else "lossy"


def _frames(stack: Stack) -> list[dict[str, Any]]:
    found = []
    for frame in stack.frames:
        entry: dict[str, Any] = {
            "SOPInstanceUID": frame.instance.sop_instance_uid,
            "FrameNumber": frame.frame_number,
            "InstanceNumber": frame.instance.instance_number,
            "ImagePositionPatient": frame.position,
            "ImageOrientationPatient": frame.orientation,
            "SliceThickness": frame.slice_thickness,
            "reason": "",
        }
        try:
            description = drawable(frame.instance).description
        except NothingToDraw as error:
            found.append(entry | {"reason": error.reason, "edges": None, "Laterality": "", "window": None})
            continue
        letters = edges(description, frame.frame_number)
        attributes = description.frame(frame.frame_number)
        windows = usable_windows(attributes)
        entry["edges"] = letters._asdict() if letters else None
        entry["Laterality"] = attributes.laterality
        entry["window"] = _window(windows[0]) if windows else None
        if tables := usable_voi_luts(attributes):
            entry["luts"] = [_window(equivalent_window(table)) for table in tables]
        found.append(entry)
    return found


def first_stack(study: Study) -> tuple[Stack, SplitSeries] | None:
    """The stack that a study opens with: the first original that can be drawn."""
    for series in series_in_order(study):
        split = split_series_of(series, revision=study.revision)
        for stack in split.stacks:
            if not undrawable(stack):
                return stack, split
    return None


def first_picture(study: Study, user: User, session: Any) -> str | None:
    """Address of the tile that a study's viewer shows first, good for the browser's cache of this session."""
    from viewer.tiles.sessions import tile_key

    found = first_stack(study)
    if found is None or not session.session_key:
        return None
    stack, split = found
    return f"/tiles/{stack.id}/1/0/0/0.png?k={tile_key(session.session_key)}&rev={split.revision}"


def thumbnails_of(study: Study, limit: int = 3) -> list[str]:
    """Addresses of the first few thumbnails of a study."""
    addresses: list[str] = []
    for series in series_in_order(study):
        split = split_series_of(series, revision=study.revision)
        for stack in split.stacks:
            if len(addresses) == limit:
                return addresses
            if not undrawable(stack):
                addresses.append(thumbnail_address(stack.id, split.revision))
    return addresses
