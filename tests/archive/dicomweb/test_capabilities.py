"""What the service says it can do (PS3.18 8.9, annex H), and how it answers what it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from archive.access.tokens import make_token
from archive.dicomweb.capabilities import NAMESPACE, template_of
from archive.dicomweb.operations import NOT_OFFERED, operations
from archive.models import AccessToken
from tests.archive.dicomweb.asking import ROOT
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True)]
ClientOf = Callable[..., Client]
WADL = "application/vnd.sun.wadl+xml"


def doors() -> dict[str, set[str]]:
    """Addresses of the map below /dicom-web with what the one of each allows."""
    patterns: list[tuple[str, URLPattern]] = []
    for one in get_resolver().url_patterns:
        route = str(one.pattern)
        if route == "dicom-web/":
            patterns += [(f"{route}{below.pattern}", below) for below in one.url_patterns]
        elif route.startswith("dicom-web/"):
            patterns.append((route, one))
    found = {}
    for route, _pattern in patterns:
        path = template_of(route)
        first = path.removeprefix(f"{ROOT}/").partition("/")[0]
        if first and first not in NOT_OFFERED:
            found[path] = re.sub(r"{\w+}", "1", path)
    return found


def test_every_address_and_method_is_described_and_every_description_is_true(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    said: dict[str, set[str]] = {}
    for one in operations():
        said.setdefault(one.path, set()).add(one.method)
    allowed = {}
    for path, address in doors().items():
        answer = client.options(address)
        assert answer.status_code == 200
        allowed[path] = set(answer["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
    assert allowed == said


def test_the_service_describes_all_of_it_and_an_address_what_is_below_it(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    answer = client.options(f"{ROOT}/", headers={"Accept": WADL})
    assert answer["Content-Type"] == WADL
    document = ET.fromstring(answer.content)  # noqa: S314 - our own answer
    resources = document.find(f"{{{NAMESPACE}}}resources")
    assert resources is not None and resources.get("base") == "http://127.0.0.1:8000/dicom-web"
    names = {method.get("id") for method in document.iter(f"{{{NAMESPACE}}}method")}
    assert names == {one.name for one in operations()}
    below = ET.fromstring(client.options(f"{ROOT}/studies/1.2/series/1.3/instances/1.4").content)  # noqa: S314
    names = {method.get("id") for method in below.iter(f"{{{NAMESPACE}}}method")}
    assert {"RetrieveInstance", "RetrieveFrames", "RejectInstance"} <= names
    assert not names & {"RetrieveStudy", "SearchForStudies", "StoreInstances"}


def test_capabilities_are_for_those_with_an_account_and_every_token(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(None).options(f"{ROOT}/").status_code == 401
    assert client_of(cast.reader).options(f"{ROOT}/", headers={"Accept": "image/png"}).status_code == 406
    for scope in (AccessToken.Scope.READ, AccessToken.Scope.STORE, AccessToken.Scope.ALL):
        token, _row = make_token(cast.technologist, scope)
        answer = client_of(None).options(f"{ROOT}/studies", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer["Allow"]) == (200, "GET, POST, HEAD, OPTIONS")


def test_a_service_that_is_not_offered_says_so(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    for path in (*NOT_OFFERED, "workitems/1.2.3", "workitems/1.2.3/state", "workitems/1.2/subscribers/A"):
        got = client.get(f"{ROOT}/{path}"), client.post(f"{ROOT}/{path}", b"{}", content_type="application/json")
        assert [answer.status_code for answer in got] == [404, 404]
        assert all("is not offered" in answer.json()["error"] for answer in got)


def test_another_method_is_refused_with_those_that_are_taken(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    for method, path in (("put", "studies/1.2"), ("delete", "studies"), ("post", "series"), ("patch", "studies")):
        answer = getattr(client, method)(f"{ROOT}/{path}")
        assert answer.status_code == 405 and "GET" in answer["Allow"]


def test_the_address_map_of_the_service_works_alone() -> None:
    lines = "import django; django.setup(); from django.urls import get_resolver; "
    lines += "from archive.dicomweb.urls import urlpatterns; print(urlpatterns[1].resolve('studies').url_name)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "dicomweb-studies"), done.stderr
