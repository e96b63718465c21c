"""/api/schema/ says what there is: compared with the address map, and asked as it says, by schemathesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pydicom
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, status_code_conformance

from archive.access.tokens import make_token
from archive.dicomweb.capabilities import template_of
from archive.dicomweb.operations import NOT_OFFERED
from archive.models import AccessToken
from tests.archive.dicomweb.asking import ROOT
from tests.conftest import Cast
from tests.phantoms import ct_image, to_part10_bytes
from viewer.api.openapi import PortalGenerator, described

pytestmark = [pytest.mark.django_db(transaction=True)]
ClientOf = Callable[..., Client]
PREFIXES = ("/api/", "/dicom-web/", "/wado")
EXAMPLES = 3
SAMPLES = {"stack": "1.2.3", "annotation_id": "6f1b6a4e-3d6b-4a0e-9b1e-1f1c0f1b7a11", "kind": "mip", "suffix": "pdf"}

FILE = to_part10_bytes(ct_image())
FILES = st.sampled_from([FILE, FILE[:300], b"", b"DICM" * 40]) | st.binary(max_size=400)
for media_type in {kind for one in described() for kind in one.takes} - {
    "application/json",
    "application/octet-stream",
}:
    schemathesis.openapi.media_type(media_type, FILES)


def addresses() -> Iterator[str]:
    """Every address of the map that programs use, with the names of its parts in braces."""

    def walk(resolver: URLResolver, before: str) -> Iterator[str]:
        for one in resolver.url_patterns:
            route = before + str(one.pattern)
            if isinstance(one, URLPattern):
                yield route
            elif route.startswith("dicom-web/"):
                yield from walk(one, route)

    for route in walk(get_resolver(), ""):
        plain = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", route.removeprefix("^").removesuffix("$")).replace("\\", "")
        path = template_of(plain)
        first = path.removeprefix(f"{ROOT}/").partition("/")[0]
        if path.startswith(PREFIXES) and path != f"{ROOT}/" and first not in NOT_OFFERED:
            yield path


def methods_of(client: Client, path: str) -> set[str]:
    """What an address says that it takes, when it is asked for what no address takes."""
    address = re.sub(r"{(\w+)}", lambda found: SAMPLES.get(found[1], "1"), path)
    answer = client.generic("PATCH", address)
    assert answer.status_code == 405, path
    return set(answer["Allow"].replace(" ", "").split(",")) - {"HEAD", "OPTIONS"}


def test_every_address_and_method_is_described_and_no_other(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    said: dict[str, set[str]] = {}
    for one in described():
        said.setdefault(one.path, set()).add(one.method)
    assert said == {path: methods_of(client, path) for path in addresses()}


def test_the_description_is_valid_and_given_to_those_with_an_account(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(None).get("/api/schema/").status_code == 401
    client = client_of(cast.reader)
    answer = client.get("/api/schema/", headers={"Accept": "application/json"})
    validate_schema(answer.json())
    assert len({one.name for one in described()}) == len(described())
    assert client.get("/api/schema/", {"format": "yaml"}).content.startswith(b"openapi: 3.1")
    # A version or a language of the caller's goes into no header and no file name.
    assert client.get("/api/schema/?version=1%0d%0ax:%20y&lang=../../etc").status_code == 200


def known_of(ds: pydicom.Dataset) -> dict[str, Any]:
    return SAMPLES | {
        "study_instance_uid": ds.StudyInstanceUID,
        "series_instance_uid": ds.SeriesInstanceUID,
        "sop_instance_uid": ds.SOPInstanceUID,
        "stack": ds.SeriesInstanceUID,
        "frame": 1,
        "frames": "1",
        "place": "7FE00010",
    }


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_of_the_description_is_a_server_error(
    mode: GenerationMode, series: list[pydicom.Dataset], cast: Cast
) -> None:
    headers = {"Authorization": f"Bearer {make_token(cast.reader, AccessToken.Scope.ALL)[0]}"}
    document = PortalGenerator().get_schema(public=True)
    document.pop("servers")
    schema = schemathesis.openapi.from_dict(document)
    schema.app = get_wsgi_application()
    checks = [not_a_server_error]
    if mode is GenerationMode.POSITIVE:
        checks += [status_code_conformance, content_type_conformance]
    found = [one.ok() for one in schema.get_all_operations()]
    # What is rejected is gone for whatever comes after it.
    for operation in sorted(found, key=lambda one: one.method.lower() == "delete"):
        parts = {one.name for one in operation.path_parameters}
        known = {name: value for name, value in known_of(series[0]).items() if name in parts}

        @seed(20)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=known or None))
        def ask(case: Case) -> None:
            response = case.call(headers=headers)
            case.validate_response(response, checks=checks)

        ask()
