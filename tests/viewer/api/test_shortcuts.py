"""A person's own keys: kept for them alone, and refused where they would lock somebody out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from viewer.shortcuts import shortcuts_of

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = pytest.mark.django_db
ClientOf = Callable[..., "Client"]


def put(client: Client, shortcuts: Any) -> Any:
    return client.put("/api/preferences/shortcuts", {"shortcuts": shortcuts}, content_type="application/json")


def test_keys_are_kept_for_their_own_person(cast: Cast, client_of: ClientOf) -> None:
    chosen = {"tool-length": ["Shift+d"], "link": []}
    assert put(client_of(cast.reader), chosen).json() == {"shortcuts": chosen}
    assert shortcuts_of(cast.reader) == chosen
    assert shortcuts_of(cast.reader2) == {}
    assert put(client_of(cast.reader), {}).status_code == 200
    assert shortcuts_of(cast.reader) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"tool-length": "l"},
        {"tool-length": ["Escape"]},
        {"tool length": ["l"]},
        {"tool-length": ["l"], "link": ["l"]},
        {"tool-length": ["a", "b", "c", "d", "e"]},
        {"tool-length": [""]},
    ],
)
def test_what_are_no_keys_is_refused(cast: Cast, client_of: ClientOf, wrong: Any) -> None:
    assert put(client_of(cast.reader), wrong).status_code == 400
    assert shortcuts_of(cast.reader) == {}


def test_nobody_keeps_keys_without_signing_in(client_of: ClientOf) -> None:
    assert put(client_of(None), {}).status_code in {302, 401, 403}
