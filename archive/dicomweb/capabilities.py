"""Retrieve Capabilities (PS3.18 8.9, annex H): what the service offers, as WADL, below the address that is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as ET

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from archive.dicomweb.conditional import text_response
from archive.dicomweb.described import Operation, Parameter
from archive.dicomweb.operations import NOT_OFFERED, ROOT, operations
from archive.dicomweb.responses import chosen

WADL: Final = "application/vnd.sun.wadl+xml"
JSON: Final = "application/json"
NAMESPACE: Final = "http://wadl.dev.java.net/2009/02"
_XML_TYPES: Final = {"integer": "xs:int"}


def capabilities(request: HttpRequest, *, allow: str) -> HttpResponse:
    """What can be asked of an address and of those below it; ``Allow`` says it of the address alone."""
    base = template_of(request.resolver_match.route) if request.resolver_match else ROOT
    found = [one for one in operations() if one.path == base or one.path.startswith(f"{base.rstrip('/')}/")]
    kind = chosen(request, (WADL, JSON))
    content = wadl_of(found) if kind == WADL else json.dumps(summary_of(found)).encode()
    response = text_response(request, content, kind)
    response["Allow"] = allow
    return response


def template_of(route: str) -> str:
    """A route of Django with the names of its parts in braces.

    >>> template_of("dicom-web/studies/<uid:study_instance_uid>/series")
    '/dicom-web/studies/{study_instance_uid}/series'
    """
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def summary_of(found: Iterable[Operation]) -> Mapping[str, object]:
    """The same in short, as JSON."""
    return {
        "base": f"{settings.PORTAL_PUBLIC_URL}{ROOT}",
        "resources": [
            {
                "path": one.path.removeprefix(ROOT),
                "method": one.method,
                "id": one.name,
                "summary": one.summary,
                "accepts": list(one.takes),
                "gives": list(one.gives),
            }
            for one in found
        ],
        "not_offered": sorted(NOT_OFFERED),
    }


def wadl_of(found: Iterable[Operation]) -> bytes:
    """A WADL document: one resource for each path, one method for each operation (PS3.18 H.2)."""
    ET.register_namespace("", NAMESPACE)
    application = ET.Element(_name("application"), {"xmlns:xs": "http://www.w3.org/2001/XMLSchema"})
    resources = ET.SubElement(
        application, _name("resources"), base=f"{settings.PORTAL_PUBLIC_URL}{ROOT}", name="DICOMweb"
    )
    ordered = sorted(found, key=lambda one: one.path)
    for path, of_path in groupby(ordered, key=lambda one: one.path):
        resource = ET.SubElement(resources, _name("resource"), path=path.removeprefix(f"{ROOT}/"))
        for name in re.findall(r"{(\w+)}", path):
            ET.SubElement(resource, _name("param"), name=name, style="template", type="xs:string")
        for one in of_path:
            _add_method(resource, one)
    document: bytes = ET.tostring(application, encoding="utf-8", xml_declaration=True)
    return document


def _add_method(resource: ET.Element, one: Operation) -> None:
    method = ET.SubElement(resource, _name("method"), name=one.method, id=one.name)
    ET.SubElement(method, _name("doc"), title=one.summary)
    request = ET.SubElement(method, _name("request"))
    if one.gives:
        accept = ET.SubElement(
            request, _name("param"), name="Accept", style="header", type="xs:string", default=next(iter(one.gives))
        )
        for kind in one.gives:
            ET.SubElement(accept, _name("option"), value=kind)
    for parameter in one.parameters:
        _add_parameter(request, parameter)
    for kind in one.takes:
        ET.SubElement(request, _name("representation"), mediaType=kind)
    good = ET.SubElement(method, _name("response"), status=" ".join(map(str, one.statuses)))
    for kind in one.gives:
        ET.SubElement(good, _name("representation"), mediaType=kind)
    refused = " ".join(map(str, sorted({401, 403, *one.refusals})))
    bad = ET.SubElement(method, _name("response"), status=refused)
    for kind in one.refusal_types:
        ET.SubElement(bad, _name("representation"), mediaType=kind)


def _add_parameter(request: ET.Element, parameter: Parameter) -> None:
    kind = _XML_TYPES.get(str(parameter.schema.get("type")), "xs:string")
    element = ET.SubElement(request, _name("param"), name=parameter.name, style=parameter.style, type=kind)
    ET.SubElement(element, _name("doc"), title=parameter.summary)
    for value in parameter.schema.get("enum", ()):
        ET.SubElement(element, _name("option"), value=str(value))


def _name(element: str) -> str:
    return f"{{{NAMESPACE}}}{element}"
