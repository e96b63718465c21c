"""Every transaction of the DICOMweb service: one table, which a test compares with the address map.

The views of rendered resources are the viewer's; as resources of PS3.18 they are described here with the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from archive.dicomweb.described import BINARY, JSON_ARRAY, JSON_OBJECT, WHOLE, Operation, Parameter, Schema
from archive.models.instance import Rejection
from archive.querying.keys import KEYS, Level

ROOT: Final = "/dicom-web"
STUDY: Final = f"{ROOT}/studies/{{study_instance_uid}}"
SERIES: Final = f"{STUDY}/series/{{series_instance_uid}}"
INSTANCE: Final = f"{SERIES}/instances/{{sop_instance_uid}}"
FRAMES: Final = f"{INSTANCE}/frames"

DATA_SETS: Final[Mapping[str, Schema]] = {
    "application/dicom+json": JSON_ARRAY,
    "application/json": JSON_ARRAY,
    'multipart/related; type="application/dicom+xml"': BINARY,
}
STORED: Final[Mapping[str, Schema]] = {
    "application/dicom+json": JSON_OBJECT,
    "application/json": JSON_OBJECT,
    "application/dicom+xml": BINARY,
}
FILES: Final[Mapping[str, Schema]] = {'multipart/related; type="application/dicom"': BINARY, "application/zip": BINARY}
PIXELS: Final[Mapping[str, Schema]] = {
    'multipart/related; type="application/octet-stream"': BINARY,
    "application/octet-stream": BINARY,
    'multipart/related; type="image/jpeg"': BINARY,
    'multipart/related; type="image/jls"': BINARY,
    'multipart/related; type="image/jp2"': BINARY,
    'multipart/related; type="image/jphc"': BINARY,
    'multipart/related; type="image/jxl"': BINARY,
    'multipart/related; type="image/dicom-rle"': BINARY,
    "image/jpeg": BINARY,
    "image/jls": BINARY,
    "image/jp2": BINARY,
    "image/jphc": BINARY,
    "image/jxl": BINARY,
    "image/dicom-rle": BINARY,
}
PICTURES: Final[Mapping[str, Schema]] = {
    **dict.fromkeys(("image/jpeg", "image/png", "image/gif", "image/jp2", "image/jph"), BINARY),
    **dict.fromkeys(("video/mp4", "video/mpeg", "text/html", "text/plain", "text/xml", "text/rtf"), BINARY),
    "application/pdf": BINARY,
    **{f'multipart/related; type="{one}"': BINARY for one in ("image/jpeg", "image/png")},
}

ACCEPT: Final = Parameter("accept", "Replaces the Accept header (PS3.18 8.3.3.1).")
NONE_MATCH: Final = Parameter("If-None-Match", "ETag of an answer that the client has.", style="header")
RANGE: Final = (
    Parameter("Range", "One range of bytes of a single part: bytes=0-1023, bytes=1024-, bytes=-512.", style="header"),
    Parameter("If-Range", "ETag of the answer that the range is of.", style="header"),
)
FLAG: Final[Schema] = {"type": "string", "enum": ["true", "false"]}
LEVEL_OF: Final = {"Studies": Level.STUDY, "Series": Level.SERIES, "Instances": Level.IMAGE}
CODE: Final[Schema] = {"type": "string", "enum": [code.value for code in Rejection if code]}
REJECTING: Final = (
    Parameter("code", f"Why: {', '.join(f'{one.value} ({one.label})' for one in Rejection if one)}.", CODE),
    Parameter("reason", "The same in a sentence for people, without a patient's name."),
    Parameter("Rejection-Code", "The code, in place of the parameter.", CODE, style="header"),
    Parameter("Rejection-Reason", "The sentence, in place of the parameter; UTF-8, percent-encoded.", style="header"),
)
RENDERED: Final = (
    Parameter("accept", "Replaces the Accept header (PS3.18 8.3.3.1)."),
    Parameter("annotation", "patient, technique: texts burnt in."),
    Parameter("quality", "1 to 100, of lossy media types.", {"type": "integer", "minimum": 1, "maximum": 100}),
    Parameter("viewport", "width,height and, of the source, x,y,width,height."),
    Parameter("window", "center,width,function: linear, linear-exact or sigmoid."),
    Parameter("iccprofile", "no, yes, srgb, adobergb or rommrgb."),
    NONE_MATCH,
)
THUMBNAIL: Final = (ACCEPT, Parameter("viewport", "width,height"), NONE_MATCH)
NOT_OFFERED: Final[Mapping[str, str]] = {
    # PS3.18 11, 12, 13, 14: services whose base resources are no resources of ours.
    "workitems": "The worklist service (UPS-RS)",
    "color-palettes": "The non-patient instance service for color palettes",
    "defined-procedure-protocols": "The non-patient instance service for procedure protocols",
    "hanging-protocols": "The non-patient instance service for hanging protocols",
    "implant-templates": "The non-patient instance service for implant templates",
    "commitment-requests": "Storage commitment over HTTP; over DICOM it is offered",
}
"""First part of the address -> what of the standard is not offered."""


def operations() -> tuple[Operation, ...]:
    """All of them, in the order of the standard: search, retrieve, store; then deletion, which the standard leaves open."""
    return (*_searches(), *_retrievals(), *_pictures(), *_stores(), *_deletions())


def _searches() -> Iterator[Operation]:
    for name, path, of in (
        ("SearchForStudies", f"{ROOT}/studies", "Studies"),
        ("SearchForSeries", f"{ROOT}/series", "Series"),
        ("SearchForInstances", f"{ROOT}/instances", "Instances"),
        ("SearchForStudySeries", f"{STUDY}/series", "Series"),
        ("SearchForStudyInstances", f"{STUDY}/instances", "Instances"),
        ("SearchForSeriesInstances", f"{SERIES}/instances", "Instances"),
    ):
        yield Operation(
            "GET", path, name, f"{of} that match (QIDO-RS).", DATA_SETS, (200,), (400, 406), _keys(LEVEL_OF[of])
        )


def _keys(level: Level) -> tuple[Parameter, ...]:
    """Parameters of a search; any other attribute is taken too, by its keyword or tag."""
    found = [Parameter(key.keyword, f"Matching key, {key.use.name.lower()}.") for key in KEYS.values()]
    return (
        *(one for one, key in zip(found, KEYS.values(), strict=True) if key.level <= level),
        Parameter("includefield", "Further attributes of the answer: keywords or tags with commas, or all."),
        Parameter("fuzzymatching", "Whether names that sound alike match.", FLAG),
        Parameter("limit", "Results of this answer at most.", WHOLE),
        Parameter("offset", "Results to leave out before them.", WHOLE),
        ACCEPT,
    )


def _retrievals() -> Iterator[Operation]:
    single = {"application/dicom": BINARY, **FILES}
    for name, path, what in (
        ("RetrieveStudy", STUDY, "study"),
        ("RetrieveSeries", SERIES, "series"),
        ("RetrieveInstance", INSTANCE, "instance"),
    ):
        yield Operation(
            "GET",
            path,
            name,
            f"The files of a {what} (WADO-RS), a ZIP file with its DICOMDIR among the forms.",
            single if what == "instance" else FILES,
            (200, 206, 304) if what == "instance" else (200, 304),
            (400, 404, 406, 410, *((416,) if what == "instance" else ())),
            (ACCEPT, NONE_MATCH, *(RANGE if what == "instance" else ())),
        )
        yield Operation(
            "GET",
            f"{path}/metadata",
            f"{name}Metadata",
            f"The data sets of a {what} without bulk data (WADO-RS).",
            DATA_SETS,
            (200, 304),
            (404, 406, 410),
            (ACCEPT, NONE_MATCH),
        )
    for name, path, what in (
        ("RetrieveFrames", f"{FRAMES}/{{frames}}", "Frames, decoded or as they are stored (WADO-RS)."),
        ("RetrieveBulkData", f"{INSTANCE}/bulkdata/{{place}}", "The value that metadata names by this address."),
    ):
        offered = PIXELS if name == "RetrieveFrames" else dict(list(PIXELS.items())[:2])
        yield Operation(
            "GET", path, name, what, offered, (200, 206, 304), (400, 404, 406, 410, 416), (ACCEPT, NONE_MATCH, *RANGE)
        )

    multipart = {kind: schema for kind, schema in PIXELS.items() if kind.startswith("multipart")}
    octets = dict(list(PIXELS.items())[:1])
    for name, path, what in (
        ("Study", STUDY, "study"),
        ("Series", SERIES, "series"),
        ("Instance", INSTANCE, "instance"),
    ):
        for kind, words, offered in (
            ("PixelData", "Every frame", multipart),
            ("BulkData", "Every value that metadata names by an address", octets),
        ):
            yield Operation(
                "GET",
                f"{path}/{kind.lower()}",
                f"Retrieve{name}{kind}",
                f"{words} of a {what}, each as a part (WADO-RS).",
                offered,
                (200, 304),
                (404, 406, 410),
                (ACCEPT, NONE_MATCH),
            )


def _pictures() -> Iterator[Operation]:
    for name, path, what in (
        ("Study", STUDY, "study"),
        ("Series", SERIES, "series"),
        ("Instance", INSTANCE, "instance"),
        ("Frames", f"{FRAMES}/{{frames}}", "list of frames"),
    ):
        yield Operation(
            "GET",
            f"{path}/rendered",
            f"RetrieveRendered{name}",
            f"A {what} as pictures, video or text that anything can show (WADO-RS).",
            PICTURES,
            (200, 206, 304),
            (400, 404, 406, 410, 413, 422),
            RENDERED,
        )
        yield Operation(
            "GET",
            f"{path}/thumbnail",
            f"Retrieve{name}Thumbnail",
            f"One small picture that stands for a {what} (WADO-RS).",
            PICTURES,
            (200, 304),
            (400, 404, 406, 410, 413, 422),
            THUMBNAIL,
        )


def _stores() -> Iterator[Operation]:
    takes: Mapping[str, Schema] = {
        'multipart/related; type="application/dicom"': BINARY,
        'multipart/related; type="application/dicom+json"': BINARY,
        'multipart/related; type="application/dicom+xml"': BINARY,
        "application/dicom": BINARY,
    }
    for name, path, what in (
        ("StoreInstances", f"{ROOT}/studies", "Store instances (STOW-RS)."),
        ("StoreStudyInstances", STUDY, "Store instances of this study (STOW-RS)."),
    ):
        yield Operation(
            "POST", path, name, what, STORED, (200, 202, 409), (400, 406, 411, 413, 415, 503, 507), (ACCEPT,), takes
        )


def _deletions() -> Iterator[Operation]:
    for name, path, what in (
        ("RejectStudy", STUDY, "study"),
        ("RejectSeries", SERIES, "series"),
        ("RejectInstance", INSTANCE, "instance"),
    ):
        yield Operation(
            "DELETE",
            path,
            name,
            f"Reject a {what} with a reason: it is no longer shown; its bytes stay, and those who may can restore it.",
            {},
            (204,),
            (400, 404, 410),
            REJECTING,
        )


def unoffered(address: str) -> str:
    """Words for an address of a service that the standard has and the portal has not."""
    return f"{NOT_OFFERED[address]} is not offered. OPTIONS {ROOT}/ tells what is."
