"""Every address of ``/api/`` and WADO-URI: one table, which a test compares with the address map.

Whoever adds an address there adds a line here; the OpenAPI schema is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from archive.dicomweb.described import (
    BINARY,
    ERROR,
    JSON_OBJECT,
    TEXT,
    WHOLE,
    Operation,
    Parameter,
    Schema,
)
from archive.dicomweb.operations import NONE_MATCH, PICTURES
from viewer.api.operations_of_objects import SHAPE, operations_of_objects
from viewer.api.processing import PARAMETERS

STACK: Final = "/api/stacks/{stack}"
FRAME: Final = f"{STACK}/frames/{{frame}}"
STUDY: Final = "/api/studies/{study_instance_uid}"
REPORT: Final = f"{STUDY}/report"
INSTANCE: Final = "/api/instances/{sop_instance_uid}"
JSON: Final[Mapping[str, Schema]] = {"application/json": JSON_OBJECT}
UID: Final[Schema] = {"type": "string", "pattern": r"^[0-9.]{1,64}$"}
IF_MATCH: Final = Parameter("If-Match", "ETag of the draft that this began with.", style="header")
SIGNATURE: Final[Schema] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["preliminary", "final"]},
        "password": TEXT,
        "code": TEXT,
        "patient": {"type": "integer"},
    },
    "required": ["password", "patient"],
}
DRAWN: Final[Schema] = {
    "type": "object",
    "properties": {
        "version": WHOLE,
        "kind": TEXT,
        "geometry": {"type": "object"},
        "stack": TEXT,
        "SOPInstanceUID": UID,
        "FrameNumber": {"type": "integer", "minimum": 1},
        "label": TEXT,
    },
    "required": ["version"],
}


def operations() -> tuple[Operation, ...]:
    """All of them; refusals of pages that are not there may be a page."""
    found = (*_of_stacks(), *_of_studies(), *_of_reports(), *_of_instances(), *_of_uploads(), *operations_of_objects())
    return (*(replace(one, refusal_types=(ERROR, "text/html")) for one in found), _wado(), _schema())


def _of_stacks() -> tuple[Operation, ...]:
    processing: Schema = {
        "type": "object",
        "properties": {
            name: {"type": "number", "minimum": low, "maximum": high}
            for numbers in PARAMETERS.values()
            for name, (low, high) in numbers.items()
        },
    }
    place = (
        Parameter("row", "Row of the image's own pixels, from 0.", WHOLE, is_required=True),
        Parameter("column", "Column, from 0.", WHOLE, is_required=True),
    )
    return (
        Operation(
            "GET",
            f"{FRAME}/value",
            "Value",
            "Value of one pixel.",
            JSON,
            refusals=(400, 404, 410, 422),
            parameters=place,
        ),
        Operation(
            "POST",
            f"{FRAME}/statistics",
            "Statistics",
            "What a shape measures on a frame, before it is kept.",
            JSON,
            refusals=(400, 404, 410, 422),
            takes={"application/json": SHAPE},
        ),
        Operation(
            "POST",
            f"{STACK}/{{kind}}",
            "Process",
            f"Have a derived series made ({', '.join(PARAMETERS)}); the answer is the job.",
            JSON,
            (202,),
            (400, 404, 410, 422),
            takes={"application/json": processing},
        ),
        Operation(
            "GET", "/api/color-maps.json", "ColorMaps", "Pseudo-colour maps: 256 times RGB, in base 64 by name.", JSON
        ),
    )


def _of_studies() -> tuple[Operation, ...]:
    kept = {"application/json": DRAWN}
    one = f"{STUDY}/annotations/{{annotation_id}}"
    return (
        Operation("GET", f"{STUDY}/annotations", "Annotations", "What is drawn on a study.", JSON, refusals=(404,)),
        Operation(
            "PUT",
            one,
            "SaveAnnotation",
            "Make a measurement (version 0), change it or bring it back.",
            JSON,
            refusals=(400, 404, 409, 422),
            takes=kept,
        ),
        Operation(
            "DELETE",
            one,
            "DeleteAnnotation",
            "Take a measurement off.",
            JSON,
            refusals=(400, 404, 409, 422),
            takes={"application/json": {"type": "object", "properties": {"version": WHOLE}, "required": ["version"]}},
        ),
    )


def _of_reports() -> tuple[Operation, ...]:
    draft: Schema = {
        "type": "object",
        "properties": {
            "text": {"type": "object", "additionalProperties": TEXT},
            "patient": {"type": "integer"},
            "patient_confirmed": {"type": "boolean"},
            "puts_back": {"type": "boolean"},
            "measurements": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["text", "patient"],
    }
    refusals = (400, 404, 409, 428, 429)
    signed = {"application/json": SIGNATURE}
    return (
        Operation("GET", REPORT, "Report", "State and text of a report.", JSON, refusals=(404,)),
        Operation(
            "PUT",
            REPORT,
            "SaveDraft",
            "Keep a draft.",
            JSON,
            refusals=refusals,
            parameters=(IF_MATCH,),
            takes={"application/json": draft},
        ),
        Operation(
            "POST", f"{REPORT}/sign", "SignReport", "Sign a report.", JSON, (201,), refusals, (IF_MATCH,), signed
        ),
        Operation(
            "POST",
            f"{REPORT}/addendum",
            "SignAddendum",
            "Sign an addendum.",
            JSON,
            (201,),
            refusals,
            (IF_MATCH,),
            signed,
        ),
        Operation("GET", f"{REPORT}/versions", "ReportVersions", "What was signed.", JSON, refusals=(404,)),
        Operation(
            "GET", f"{REPORT}/writing-aids", "WritingAids", "Templates and macros for a report.", JSON, refusals=(404,)
        ),
        Operation(
            "GET",
            f"{REPORT}.{{suffix}}",
            "PrintedReport",
            "The report that stands, printed.",
            {"application/pdf": BINARY, "text/plain": TEXT},
            refusals=(404,),
        ),
    )


def _of_instances() -> tuple[Operation, ...]:
    return (
        Operation("GET", f"{INSTANCE}/tags", "Tags", "Every element of a data set, shortened.", JSON, refusals=(404,)),
        Operation(
            "GET",
            f"{INSTANCE}/file",
            "OriginalFile",
            "The file of an instance, its data set byte for byte.",
            {"application/dicom": BINARY},
            refusals=(404,),
        ),
    )


def _of_uploads() -> tuple[Operation, ...]:
    asked: Schema = {
        "type": "object",
        "properties": {"instances": {"type": "array", "items": UID, "maxItems": 2000}},
        "required": ["instances"],
    }
    return (
        Operation(
            "PUT",
            "/api/uploads/files",
            "UploadFile",
            "Upload an image, a ZIP file or an index; one line of JSON for each file in it.",
            {"application/x-ndjson": TEXT},
            refusals=(400, 411, 413, 503, 507),
            parameters=(
                Parameter("X-Upload-Batch", "32 hexadecimal digits that files of one upload share.", style="header"),
            ),
            takes={"application/octet-stream": BINARY},
        ),
        Operation(
            "POST",
            "/api/uploads/outcome",
            "UploadOutcome",
            "What became of uploaded images.",
            JSON,
            refusals=(400,),
            takes={"application/json": asked},
        ),
    )


def _wado() -> Operation:
    return Operation(
        "GET",
        "/wado",
        "RetrieveByURI",
        "One object, as it is or rendered, by query parameters (WADO-URI).",
        {**PICTURES, "application/dicom": BINARY},
        (200, 304),
        (400, 404, 406, 410, 413, 422),
        (
            Parameter("requestType", "WADO", {"type": "string", "enum": ["WADO"]}, is_required=True),
            Parameter("studyUID", "Study Instance UID", UID, is_required=True),
            Parameter("seriesUID", "Series Instance UID", UID, is_required=True),
            Parameter("objectUID", "SOP Instance UID", UID, is_required=True),
            Parameter("contentType", "Media types, application/dicom among them."),
            Parameter("frameNumber", "Frame of a multi-frame image, from 1.", {"type": "integer", "minimum": 1}),
            Parameter("rows", "Rows of the picture at most.", {"type": "integer", "minimum": 1}),
            Parameter("columns", "Columns of the picture at most.", {"type": "integer", "minimum": 1}),
            Parameter("region", "xmin,ymin,xmax,ymax from 0 to 1."),
            Parameter("windowCenter", "With windowWidth: the linear window.", {"type": "number"}),
            Parameter("windowWidth", "With windowCenter: the linear window.", {"type": "number"}),
            Parameter("transferSyntax", "Of application/dicom: that which the instance is stored in.", UID),
            NONE_MATCH,
        ),
        refusal_types=(ERROR, "text/html"),
    )


def _schema() -> Operation:
    return Operation(
        "GET",
        "/api/schema/",
        "Schema",
        "This description.",
        {
            "application/vnd.oai.openapi": TEXT,
            "application/vnd.oai.openapi+json": JSON_OBJECT,
            "application/json": JSON_OBJECT,
        },
        refusals=(404, 406),
        parameters=(Parameter("format", "json or yaml.", {"type": "string", "enum": ["json", "yaml"]}),),
    )
