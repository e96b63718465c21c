"""The OpenAPI description of DICOMweb, WADO-URI and the addresses of our own pages.

The views are plain functions: what they take and give stands in tables, and drf-spectacular makes a document of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from archive.dicomweb import operations as dicomweb
from archive.dicomweb.described import ERROR, TEXT, WHOLE, Operation, Parameter, Schema
from viewer.api import operations as own
from viewer.stack_converter import STACK

UID: Final[Schema] = {"type": "string", "pattern": r"^[0-9.]{1,64}$"}
PARTS: Final[Mapping[str, Schema]] = {
    "study_instance_uid": UID,
    "series_instance_uid": UID,
    "sop_instance_uid": UID,
    "stack": {"type": "string", "pattern": f"^{STACK}$"},
    "frame": WHOLE,
    "frames": {"type": "string", "pattern": r"^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,20}$"},
    "place": {"type": "string", "pattern": r"^([0-9A-F]{8}/[1-9][0-9]{0,3}/){0,4}[0-9A-F]{8}$"},
    "annotation_id": {"type": "string", "format": "uuid"},
    "kind": {"type": "string", "enum": list(own.PARAMETERS)},
    "suffix": {"type": "string", "enum": ["pdf", "txt"]},
    "pk": WHOLE,
    "action": {"type": "string", "enum": ["acknowledge", "tell", "withdraw"]},
}
"""Parts of addresses, by the names that the address map gives them."""
REFUSAL: Final[Schema] = {"type": "object", "properties": {"error": TEXT}, "required": ["error"]}
WITHOUT_BODY: Final = frozenset({204, 304})
COMMON: Final = (401, 403)


def described() -> tuple[Operation, ...]:
    """Every operation that the document describes."""
    return (*dicomweb.operations(), *own.operations())


class PortalGenerator(SchemaGenerator):
    """Paths from the tables, in place of what drf-spectacular would find in views of its own kind."""

    def parse(self, input_request: Request | None, public: bool) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for one in described():
            paths.setdefault(one.path, {})[one.method.lower()] = operation_of(one)
        return paths


def operation_of(one: Operation) -> dict[str, Any]:
    """An Operation Object of OpenAPI 3."""
    parts = re.findall(r"{(\w+)}", one.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": PARTS[name]} for name in parts]
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.path.split("/")[1]],
        "security": [{"token": []}, {"session": []}],
        "parameters": parameters + [_parameter(parameter) for parameter in one.parameters],
        "responses": _responses(one),
    }
    if one.takes:
        found["requestBody"] = {"required": True, "content": _content(one.takes)}
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.style,
        "required": parameter.is_required,
        "description": parameter.summary,
        "schema": parameter.schema,
    }


def _responses(one: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in sorted({*one.statuses, *one.refusals, *COMMON}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if status in one.statuses and status not in WITHOUT_BODY and one.gives:
            responses[str(status)]["content"] = _content(one.gives)
        elif status not in one.statuses:
            kinds = {kind: REFUSAL if kind == ERROR else TEXT for kind in one.refusal_types}
            responses[str(status)]["content"] = _content(kinds)
    return responses


def _content(kinds: Mapping[str, Schema]) -> dict[str, Any]:
    return {kind: {"schema": schema} for kind, schema in kinds.items()}
