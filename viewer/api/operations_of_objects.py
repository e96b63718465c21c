"""Addresses of ``/api/`` for what comes with images or is made of them: part of the table in ``operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from archive.dicomweb.described import BINARY, JSON_OBJECT, TEXT, WHOLE, Operation, Schema

STACK: Final = "/api/stacks/{stack}"
FRAME: Final = f"{STACK}/frames/{{frame}}"
STUDY: Final = "/api/studies/{study_instance_uid}"
JSON: Final[Mapping[str, Schema]] = {"application/json": JSON_OBJECT}
NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
TURN: Final[Schema] = {"type": "integer", "enum": [0, 90, 180, 270]}
SHAPE: Final[Schema] = {
    "type": "object",
    "properties": {"kind": TEXT, "geometry": {"type": "object"}, "calibration": {"type": "object"}},
    "required": ["kind", "geometry"],
}
VIEW: Final[Schema] = {
    "type": "object",
    "properties": {
        "rotation": TURN,
        "flipped": FLAG,
        "inverted": FLAG,
        "area": {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 4},
        "window": {"type": "object", "nullable": True},
        "description": {"type": "string", "maxLength": 64},
    },
    "required": ["rotation", "flipped", "inverted", "area"],
}
WISH: Final[Schema] = {
    "type": "object",
    "properties": {
        "form": TEXT,
        "with_names": FLAG,
        "rate": NUMBER,
        "frames": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"stack": TEXT, "frame": WHOLE, "look": TEXT, "rotation": TURN, "flipped": FLAG},
                "required": ["stack", "frame"],
            },
        },
    },
    "required": ["form"],
}
FLAGGED: Final[Schema] = {
    "type": "object",
    "properties": {"category": WHOLE, "text": TEXT, "recipient": WHOLE, "at_once": FLAG, "patient": WHOLE},
    "required": ["category", "text", "recipient", "patient"],
}
KEYS: Final[Schema] = {
    "type": "object",
    "properties": {
        "shortcuts": {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}},
    },
    "required": ["shortcuts"],
}
MEASURED: Final = (400, 404, 410, 422)


def operations_of_objects() -> tuple[Operation, ...]:
    """Overlays, charts, what others measured, exports, critical results, keys."""
    return (*_shown(), *_charts(), *_made(), *_told())


def _shown() -> tuple[Operation, ...]:
    overlay = "{sop_instance_uid}"
    return (
        Operation("GET", f"{STUDY}/overlays", "Overlays", "Segmentations and structure sets.", JSON, refusals=(404,)),
        Operation(
            "GET",
            f"{FRAME}/overlays/{overlay}",
            "OverlayOfFrame",
            "What of a segmentation or structure set lies on a frame.",
            JSON,
            refusals=MEASURED,
        ),
        Operation(
            "GET",
            f"{STACK}/overlays/{overlay}/statistics",
            "OverlayStatistics",
            "Volume of each segment, and the values of the stack under it.",
            JSON,
            refusals=MEASURED,
        ),
        Operation(
            "GET",
            f"{STUDY}/elsewhere",
            "Elsewhere",
            "What reports of others measured, and key images that others chose.",
            JSON,
            refusals=(404,),
        ),
        Operation(
            "GET",
            "/api/instances/{sop_instance_uid}/document.pdf",
            "EncapsulatedDocument",
            "The PDF that an instance holds.",
            {"application/pdf": BINARY},
            refusals=(404, 410),
        ),
        Operation(
            "GET",
            "/api/instances/{sop_instance_uid}/waveform",
            "Waveform",
            "Samples of a group of channels as they are stored: group from 1, first and count in samples.",
            JSON,
            refusals=(400, 404, 413, 422),
        ),
        Operation(
            "GET",
            "/api/instances/{sop_instance_uid}/video",
            "Video",
            "The video stream of an instance, all of it or a range of its bytes.",
            {"video/mp4": BINARY},
            refusals=(404, 416),
        ),
    )


def _charts() -> tuple[Operation, ...]:
    shape = {"application/json": SHAPE}
    return (
        Operation("POST", f"{FRAME}/profile", "Profile", "Values along a line.", JSON, refusals=MEASURED, takes=shape),
        Operation(
            "POST",
            f"{FRAME}/curve",
            "Curve",
            "Mean inside a shape at each time at which its place was seen.",
            JSON,
            refusals=MEASURED,
            takes=shape,
        ),
    )


def _made() -> tuple[Operation, ...]:
    return (
        Operation(
            "POST",
            f"{STUDY}/annotations/export",
            "SaveMeasurements",
            "Write measurements and key images as DICOM objects; the answer is the job.",
            JSON,
            (202,),
            (404, 409),
        ),
        Operation(
            "POST",
            f"{FRAME}/view",
            "SaveView",
            "Write the view of a frame as a presentation state; the answer is the job.",
            JSON,
            (202,),
            (400, 404, 409, 422),
            takes={"application/json": VIEW},
        ),
        Operation(
            "POST",
            f"{STUDY}/exports",
            "Export",
            "Have a file made to take away; the answer is the job.",
            JSON,
            (202,),
            (400, 404, 422),
            takes={"application/json": WISH},
        ),
        Operation(
            "POST",
            f"{STUDY}/exports/view",
            "ViewSaved",
            "Tell the audit trail that the view on the screen is saved as a picture.",
            {},
            (204,),
            (400, 404, 422),
            takes={"application/json": {"type": "object", "properties": {"with_names": FLAG}}},
        ),
    )


def _told() -> tuple[Operation, ...]:
    results = f"{STUDY}/critical"
    return (
        Operation(
            "GET", results, "CriticalResults", "Critical results, and what can be flagged.", JSON, refusals=(404,)
        ),
        Operation(
            "POST",
            results,
            "FlagCritical",
            "Flag a critical result.",
            JSON,
            (201,),
            (400, 404, 409, 422),
            takes={"application/json": FLAGGED},
        ),
        Operation(
            "POST",
            f"{results}/{{pk}}/{{action}}",
            "CriticalAction",
            "tell at once, withdraw or acknowledge.",
            JSON,
            refusals=(404, 409),
        ),
        Operation(
            "PUT",
            "/api/preferences/shortcuts",
            "Shortcuts",
            "Keep the keys that a person has changed.",
            JSON,
            refusals=(400, 422),
            takes={"application/json": KEYS},
        ),
    )
