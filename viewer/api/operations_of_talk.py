"""Addresses of ``/api/`` about remarks, requests to look and lists, for the table in ``operations.py``."""

from __future__ import annotations

from typing import Final

from archive.dicomweb.described import JSON_OBJECT, TEXT, WHOLE, Operation, Schema

STUDY: Final = "/api/studies/{study_instance_uid}"
JSON: Final = {"application/json": JSON_OBJECT}
REMARK: Final[Schema] = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "thread": WHOLE,
        "series": TEXT,
        "image": TEXT,
        "frame": {"type": "integer", "minimum": 1},
        "view": TEXT,
        "region": {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "enum": ["rectangle", "arrow"]},
                "points": {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 2,
                    "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
                },
            },
            "required": ["kind", "points"],
        },
    },
    "required": ["text"],
}
QUESTION: Final[Schema] = {
    "type": "object",
    "properties": {"reader": TEXT, "question": TEXT},
    "required": ["reader"],
}
ENTRY: Final[Schema] = {
    "type": "object",
    "properties": {"list": WHOLE, "name": TEXT, "series": TEXT, "view": TEXT, "note": TEXT},
}


def operations_of_talk() -> tuple[Operation, ...]:
    """All of them."""
    refusals = (400, 404, 409)
    return (
        Operation("GET", f"{STUDY}/talk", "Talk", "What was said about a study, in threads.", JSON, refusals=(404,)),
        Operation(
            "POST",
            f"{STUDY}/talk",
            "AddRemark",
            "Say something about a study, a series, an image or a region of it.",
            JSON,
            (201,),
            refusals,
            takes={"application/json": REMARK},
        ),
        Operation(
            "POST",
            f"{STUDY}/talk/{{pk}}/{{action}}",
            "ChangeRemark",
            "resolve, reopen, remove or restore.",
            JSON,
            refusals=(404, 409),
        ),
        Operation(
            "POST",
            f"{STUDY}/consultations",
            "Consult",
            "Ask another reader to look.",
            JSON,
            (201,),
            (*refusals, 403),
            takes={"application/json": QUESTION},
        ),
        Operation(
            "POST",
            f"{STUDY}/consultations/{{pk}}/looked",
            "Looked",
            "A request is done with.",
            JSON,
            refusals=(404, 409),
        ),
        Operation("GET", f"{STUDY}/lists", "Lists", "Lists that the study can be put on.", JSON, refusals=(404,)),
        Operation(
            "POST",
            f"{STUDY}/lists",
            "PutOnList",
            "Put a study, a series or a view on a list, or on a new one.",
            JSON,
            (201,),
            refusals,
            takes={"application/json": ENTRY},
        ),
    )
