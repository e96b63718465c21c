"""What every page knows: name, warning, roles and links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from viewer.pages.context import site

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.conftest import Cast


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("reader", ["Worklist", "Search", "Lists", "Upload", "Other archives", "Jobs"]),
        ("technologist", ["Studies", "Arrivals", "Search", "Lists", "Upload", "Other archives", "Jobs", "Quarantine"]),
        ("referrer", ["My referrals", "Search", "Lists", "Upload", "Emergency"]),
        ("admin", ["Upload", "Other archives", "Jobs", "Quarantine", "Emergency", "Network", "Administration"]),
        ("outsider", []),
    ],
)
def test_the_navigation_is_that_of_the_role(cast: Cast, rf: RequestFactory, name: str, labels: list[str]) -> None:
    request = rf.get("/")
    request.user = getattr(cast, name)
    context = site(request)
    assert [link.label for link in context["navigation"]] == labels
    assert [link.label for link in context["navigation"] if link.current] == labels[: name not in ("admin", "outsider")]


def test_the_worklist_s_own_address_is_the_worklist(cast: Cast, rf: RequestFactory) -> None:
    request = rf.get("/worklist/")
    request.user = cast.reader
    assert [link.label for link in site(request)["navigation"] if link.current] == ["Worklist"]


def test_without_a_user_there_are_no_roles(rf: RequestFactory) -> None:
    early, anonymous = rf.get("/"), rf.get("/")
    anonymous.user = AnonymousUser()
    for request in (early, anonymous):
        assert (site(request)["roles"], site(request)["navigation"]) == ([], [])


@pytest.mark.parametrize(("demo", "warns"), [(True, True), (False, False)])
def test_the_demo_warns(rf: RequestFactory, settings: Settings, demo: bool, warns: bool) -> None:
    settings.IS_DEMO = demo
    assert ("not for clinical use" in site(rf.get("/"))["not_for_clinical_use"]) is warns


@pytest.mark.parametrize(("cookie", "room"), [("light", "light"), ("dark", "dark"), ('"><script>', ""), ("", "")])
def test_pages_are_as_light_as_the_room_of_the_browser(rf: RequestFactory, cookie: str, room: str) -> None:
    request = rf.get("/")
    request.COOKIES["room"] = cookie
    assert site(request)["room"] == room
