"""DELETE rejects with a reason: who may, what is answered, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pydicom
import pytest
from django.test import Client

from archive.access.tokens import make_token
from archive.indexing.rejecting import restore_instances
from archive.models import AccessToken, AuditEvent, Grant, Instance, Study
from archive.storage.layout import path_of
from tests.archive.dicomweb.asking import ROOT, address
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True)]
ClientOf = Callable[..., Client]
QUALITY, SAFETY, EXPIRED = "113001", "113037", "113039"
WORDS = "The patient moved."


def reject(client: Client, path: str, code: str = QUALITY, reason: str = WORDS, **headers: str) -> Any:
    return client.delete(path, query_params={"code": code, "reason": reason}, headers=headers)


def rejected() -> dict[str, tuple[str, str]]:
    rows = Instance.objects.exclude(rejection="")
    return {one.sop_instance_uid: (one.rejection, one.rejection_reason) for one in rows}


@pytest.mark.parametrize(("level", "count"), [({"instance": True}, 1), ({"series": True}, 3), ({}, 3)])
def test_what_is_deleted_is_hidden_and_kept_and_can_come_back(
    level: dict[str, bool], count: int, series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    client, path = client_of(cast.reader), address(series[0], **level)
    files = [path_of(one.stored_file.key) for one in Instance.objects.all()]
    answer = reject(client, path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert rejected() == {ds.SOPInstanceUID: (QUALITY, WORDS) for ds in series[:count]}
    assert client.get(path).status_code == 410
    assert reject(client, path).status_code == 410
    assert all(file.is_file() for file in files)
    event = AuditEvent.objects.get(event="instances-rejected")
    assert (event.details["code"], event.details["reason"], event.details["instances"]) == (QUALITY, WORDS, count)
    restore_instances(Instance.objects.all(), reason="It was the wrong one.", by=cast.reader)
    assert client.get(path).status_code == 200


def test_the_reason_may_come_in_header_fields(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    headers = {"Rejection-Code": SAFETY, "Rejection-Reason": "Verd%C3%A4chtig: falsche Seite"}
    answer = client_of(cast.reader).delete(address(series[1], instance=True), headers=headers)
    assert answer.status_code == 204
    assert rejected() == {series[1].SOPInstanceUID: (SAFETY, "Verdächtig: falsche Seite")}


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({}, "code"),
        ({"code": "1", "reason": WORDS}, "113001"),
        ({"code": QUALITY}, "reason"),
        ({"code": QUALITY, "reason": "no"}, "reason"),
    ],
)
def test_without_a_code_and_a_reason_nothing_is_done(
    asked: dict[str, str], word: str, series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    answer = client_of(cast.reader).delete(address(series[0]), query_params=asked)
    assert answer.status_code == 400 and word in answer.json()["error"]
    assert rejected() == {}


def test_who_may_reject_and_who_may_not(series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf) -> None:
    path = address(series[0], instance=True)
    mr = Study.objects.exclude(study_instance_uid=series[0].StudyInstanceUID).get()
    cast.technologist.modalities = ["CT"]
    cast.technologist.save()
    Grant.objects.create(user=cast.referrer, study=mr, source=Grant.Source.HAND)
    assert reject(client_of(None), path).status_code == 401
    assert reject(client_of(cast.outsider), path).status_code == 404
    assert reject(client_of(cast.referrer), path).status_code == 404
    assert reject(client_of(cast.referrer), f"{ROOT}/studies/{mr.study_instance_uid}").status_code == 403
    assert reject(client_of(cast.technologist), f"{ROOT}/studies/{mr.study_instance_uid}").status_code == 404
    assert reject(client_of(cast.technologist), path, SAFETY).status_code == 403
    assert reject(client_of(cast.reader), path, EXPIRED).status_code == 403
    assert rejected() == {}
    assert reject(client_of(cast.technologist), path).status_code == 204
    # An administrator may not look at the images, and may reject them all the same (as on the page for it).
    assert client_of(cast.admin).get(address(series[0])).status_code == 404
    assert reject(client_of(cast.admin), address(series[0]), EXPIRED).status_code == 204
    assert len(rejected()) == 3


def test_nothing_is_rejected_through_another_studys_path(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    other = Study.objects.exclude(study_instance_uid=series[0].StudyInstanceUID).get().study_instance_uid
    path = address(series[0], instance=True).replace(series[0].StudyInstanceUID, other)
    assert reject(client_of(cast.reader), path).status_code == 404
    assert rejected() == {}


@pytest.mark.parametrize(
    ("scope", "status"), [(AccessToken.Scope.READ, 403), (AccessToken.Scope.STORE, 403), (AccessToken.Scope.ALL, 204)]
)
def test_a_token_needs_the_scope_of_everything(
    scope: AccessToken.Scope, status: int, series: list[pydicom.Dataset], cast: Cast
) -> None:
    token, _row = make_token(cast.reader, scope)
    answer = reject(Client(enforce_csrf_checks=True), address(series[0]), Authorization=f"Bearer {token}")
    assert answer.status_code == status


def test_a_session_needs_the_token_against_forgery(
    series: list[pydicom.Dataset], cast: Cast, client_of: ClientOf
) -> None:
    assert reject(client_of(cast.reader, enforce_csrf_checks=True), address(series[0])).status_code == 403
    assert rejected() == {}
