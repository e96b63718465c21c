"""Every address for every role, own and foreign, by cookie and by token; an address without a row fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from archive.access.tokens import make_token
from archive.models import AccessToken, Delegation, Grant, Job, QuarantinedFile, Study, User
from tests.journeys.sending import forget_what_was_drawn, store
from tests.pacs_portal.access_table import ROLES, ROWS, Row
from tests.phantoms import ct_image, ramp
from viewer.critical.flagging import Flag, flag
from viewer.models import Annotation, CriticalCategory, Notification, Question
from viewer.worklist.claiming import Change, claim

if TYPE_CHECKING:
    from tests.conftest import Cast

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
WHOLE_TREES = ("admin/", "accounts/", "static/")
"""Trees of others: Django's administration and allauth have one line each, and tests of their own."""
PATIENT_ID = "unmistakable-77"
STRANGERS = ("anonymous", "foreign", "elsewhere", "outsider")
"""Whoever has nothing to do with the study: whatever the status is, the patient is in no answer."""
TOKENS = ("read", "store", "all")
BEARER = ("api/", "dicom-web/", "wado")


def addresses(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """Every address of the URL map as it stands there."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver) and not route.startswith(WHOLE_TREES):
            yield from addresses(one.url_patterns, route)
        elif isinstance(one, URLPattern | URLResolver):
            yield route


def test_every_address_has_a_row() -> None:
    named = {row.route for row in ROWS}
    missing = sorted(set(addresses()) - named)
    assert not missing, (
        f"tests/pacs_portal/access_table.py does not say who may use {missing}. "
        f'Add to ROWS a line such as Row("GET", "{missing[0]}", "..."), with the status that CONTRACT\'s access table '
        f"gives each of: {' '.join(ROLES)}."
    )


def test_every_row_is_an_address_of_the_map_or_of_the_tile_door() -> None:
    known = set(addresses())
    gone = sorted({row.route for row in ROWS} - known - {"tiles/<stack>/<frame>/0/0/0.png"})
    assert not gone, f"tests/pacs_portal/access_table.py names addresses that are not there any more: {gone}"


@pytest.fixture
def values(portal_data: object, transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stored CT that ``reader`` has claimed and that was given to ``referrer``, and one row of all that has numbers."""
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    monkeypatch.setattr("viewer.notifying.telling.wake_sender", lambda: None)
    forget_what_was_drawn()
    facts = {"PatientID": PATIENT_ID, "PatientName": "Unmistakable^Jane"}
    store(*(ct_image(ramp(start=800 + 100 * n), z=10.0 * n, number=n + 1, **facts) for n in range(4)))
    store(ct_image(ramp(), z=50.0, number=9, PatientID="somebody else"))
    study = Study.objects.get()
    now = timezone.now()
    Study.objects.update(ready_at=now)
    study.refresh_from_db()
    Grant.objects.create(user=cast.referrer, study=study, source=Grant.Source.IDENTIFIER)
    claim(Change(cast.reader, study))
    category, _ = CriticalCategory.objects.get_or_create(name="Within the hour")
    asked = Flag(category.pk, "Embolism.", cast.referrer.pk, study.patient_id)
    critical = flag(Change(cast.reader, study), asked, at_once=True)
    question = Question.objects.create(
        study=study, text="?", asked_by=cast.referrer, asked_at=now, asked_of=cast.reader
    )
    instance = study.series.get().instances.order_by("pk").first()
    mark = Annotation.objects.create(
        study=study,
        stack=study.series.get().series_instance_uid,
        sop_instance_uid=instance.sop_instance_uid,
        frame_number=1,
        kind="key_image",
        geometry=[],
        created_at=now,
        changed_at=now,
    )
    return {
        "study_instance_uid": study.study_instance_uid,
        "prior_uid": study.study_instance_uid,
        "series_instance_uid": study.series.get().series_instance_uid,
        "sop_instance_uid": instance.sop_instance_uid,
        "stack": study.series.get().series_instance_uid,
        "frame": 1,
        "frames": "1",
        "numbers": "1",
        "place": "7FE00010",
        "kind": "enhance",
        "suffix": "pdf",
        "action": "cancel",
        "annotation_id": mark.pk,
        "job": Job.objects.create(kind="enhance", study=study).pk,
        "quarantined": QuarantinedFile.objects.get().pk,
        "critical": critical.pk,
        "question": question.pk,
        "notification": Notification.objects.get(user=cast.referrer).pk,
        "delegation": Delegation.objects.create(
            clinician=cast.referrer, delegate=cast.admin, begins_at=now, ends_at=now + timedelta(days=1)
        ).pk,
        "patient": study.patient_id,
    }


def filled(value: Any, values: dict[str, Any]) -> Any:
    """A word that names one of ``values`` stands for it."""
    return values.get(value, value) if isinstance(value, str) else value


def path_of(row: Row, values: dict[str, Any]) -> str:
    known = values | {name: filled(value, values) for name, value in row.with_.items()}
    route = row.route.replace("(?P<study_instance_uid>[0-9.]{1,64})", "<study_instance_uid>")
    route = route.replace(r"(?P<suffix>pdf|txt)$", "<suffix>").replace("\\", "").removeprefix("^")
    unknown = [name for name in PARAMETER.findall(route) if name not in known]
    assert not unknown, f"{row.route}: give {unknown} in with_=, or in the fixture `values` of {__name__}"
    return "/" + PARAMETER.sub(lambda found: str(known[found[1]]), route) + row.query


def people(cast: Cast) -> dict[str, User | None]:
    elsewhere = User.objects.create_user("elsewhere", modalities=["MG"])
    elsewhere.groups.set(cast.technologist.groups.all())
    return {
        "anonymous": None,
        "own": cast.referrer,
        "foreign": cast.referrer2,
        "reader": cast.reader,
        "reader2": cast.reader2,
        "technologist": cast.technologist,
        "elsewhere": elsewhere,
        "admin": cast.admin,
        "outsider": cast.outsider,
    }


def answer_to(client: Client, row: Row, values: dict[str, Any], **headers: str) -> tuple[int, bool]:
    """The status, and whether the patient is named; whatever the request changed is undone."""
    body = {name: filled(value, values) for name, value in row.body.items()}
    options: dict[str, Any] = {"content_type": "application/json"} if row.is_json else {}
    send: Callable[..., Any] = getattr(client, row.method.lower())
    with transaction.atomic():
        response = (
            send(path_of(row, values), body, headers=headers, **options)
            if body
            else send(path_of(row, values), headers=headers, **options)
        )
        content = b"".join(response.streaming_content) if response.streaming else response.content
        response.close()
        transaction.set_rollback(True)
    return int(response.status_code), b"unmistakable" in content.lower()


def takes_tokens(row: Row) -> bool:
    return row.route.removeprefix("^").startswith(BEARER)


def by_token(row: Row, scope: str) -> int:
    """What a token of ``reader`` is answered: its scope first, then as the reader; elsewhere tokens count for nothing."""
    expected = row.expected()
    if not takes_tokens(row):
        return expected["anonymous"]
    if scope == "all":
        return expected["reader"]
    is_store = row.method == "POST" and row.route.startswith("dicom-web/studies")
    allowed = row.method == "GET" if scope == "read" else is_store
    return expected["reader"] if allowed else 403


def test_each_role_gets_what_the_table_says(
    values: dict[str, Any], cast: Cast, client_of: Callable[..., Client]
) -> None:
    clients = {name: client_of(user) for name, user in people(cast).items()}
    tokens = {scope: make_token(cast.reader, AccessToken.Scope(scope))[0] for scope in TOKENS}
    program = Client()
    for client in clients.values():
        client.get("/display/")  # the session's first use is written once, not undone with each request
    wrong = []
    for row in ROWS:
        for role, expected in row.expected().items():
            found, tells = answer_to(clients[role], row, values)
            if tells and role in STRANGERS:
                wrong.append(f"{row.method} {row.route} tells {role} who the patient is")
            if found != expected:
                wrong.append(f"{row.method} {row.route}{row.query} as {role}: {found}, the table says {expected}")
        for scope, token in tokens.items():
            if scope != "all" and not takes_tokens(row):
                continue
            found, _ = answer_to(program, row, values, Authorization=f"Bearer {token}")
            if found != by_token(row, scope):
                wrong.append(f"{row.method} {row.route} by token to {scope}: {found}, not {by_token(row, scope)}")
    assert not wrong, "\n".join(wrong)
