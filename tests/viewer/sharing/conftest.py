"""A study with names in it, and what tests of links ask again and again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from archive.models import Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

NAMES = {
    "PatientName": "Secret^Sally",
    "PatientID": "SEC-4711",
    "PatientBirthDate": "19720301",
    "StudyDescription": "CT of Sally Secret",
    "AccessionNumber": "ACC-9",
    "StudyDate": "20261124",
}


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study(portal_data: object, no_messages: None, db: None) -> Study:
    store(*ct_series(3, **NAMES))
    return Study.objects.get()


@pytest.fixture
def make(study: Study, cast: Cast, client_of: Callable[..., Client]) -> Callable[..., str]:
    """Make a link as the reader does, through the page; returns its path."""

    def through_the_page(who: Any = None, **values: Any) -> str:
        form = {"recipient": "Dr Visitor", "days": "7", "what": "all"} | values
        answer = client_of(who or cast.reader).post(f"/studies/{study.study_instance_uid}/share", form)
        found = re.search(r'value="https?://[^/]+(/s/[^"]+)"', answer.content.decode())
        assert found, answer.content.decode()
        return found[1]

    return through_the_page


@pytest.fixture
def visit(client_of: Callable[..., Client]) -> Callable[..., tuple[Client, str]]:
    """Open a link in a browser of its own; returns the browser and the address below which everything lies."""

    def open_it(path: str, **form: str) -> tuple[Client, str]:
        client = client_of(None)
        answer = client.post(path, form)
        assert answer.status_code == 302, answer.content.decode()
        return client, answer["Location"].rstrip("/")

    return open_it


@pytest.fixture(autouse=True)
def nothing_drawn_before() -> None:
    """Row ids begin anew with each test, and with them the keys of what is kept in memory."""
    from tests.journeys.sending import forget_what_was_drawn

    forget_what_was_drawn()
