"""Images from outside: sent in without an account, held in quarantine, within what was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, QuarantinedFile
from tests.phantoms import ct_image, to_part10_bytes
from viewer.models import UploadRequest

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., "Client"]
FORM = {"sender": "Dr Outside", "purpose": "the CT of May", "days": "7", "gib": "1", "files": "2"}


@pytest.fixture
def path(cast: Cast, client_of: ClientOf) -> str:
    answer = client_of(cast.reader).post("/upload/requests", FORM)
    found = re.search(r'value="https?://[^/]+(/send-in/[^"]+)"', answer.content.decode())
    assert found
    return found[1]


def put(client: Client, path: str, number: int = 1) -> object:
    data = to_part10_bytes(ct_image(SOPInstanceUID=f"2.25.{number}", PatientName="Doe^Jane"))
    return client.generic("PUT", f"{path}files", data, content_type="application/dicom")


def test_what_is_sent_in_waits_in_quarantine_with_the_name_of_its_sender(path: str, client_of: ClientOf) -> None:
    client = client_of(None)
    page = client.get(path).content.decode()
    assert "Rita Reader asks Dr Outside for images: the CT of May" in page
    answer = put(client, path)
    assert b"held for a look" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    index_waiting_files()
    held = QuarantinedFile.objects.get()
    assert held.reason == "upload-review" and "Dr Outside" in held.explanation
    assert not Instance.objects.exists()
    event = AuditEvent.objects.get(event="uploaded")
    assert event.actor == f"upload request {UploadRequest.objects.get().pk}"


def test_no_more_is_taken_than_was_asked_for(path: str, client_of: ClientOf) -> None:
    client = client_of(None)
    assert [put(client, path, number).status_code for number in (1, 2, 3)] == [200, 200, 413]  # type: ignore[attr-defined]
    UploadRequest.objects.update(files=0, most_bytes=1)
    assert put(client, path, 4).status_code == 413  # type: ignore[attr-defined]


def test_an_ended_and_a_guessed_request_get_the_same_answer(path: str, cast: Cast, client_of: ClientOf) -> None:
    client, maker = client_of(None), client_of(cast.reader)
    pk = UploadRequest.objects.get().pk
    assert client_of(cast.reader2).post(f"/upload/requests/{pk}/revoke").status_code == 404
    assert maker.post(f"/upload/requests/{pk}/revoke").status_code == 302
    guessed = client.get("/send-in/guessed/")
    assert guessed.status_code == client.get(path).status_code == put(client, path).status_code == 404  # type: ignore[attr-defined]
    assert client.get(path).content == guessed.content
    assert client.post(f"{path}outcome", "{}", content_type="application/json").status_code == 404


def test_nothing_of_the_archive_is_told_to_who_sends_in(path: str, client_of: ClientOf) -> None:
    asked = {"instances": ["1.2.3"]}
    answer = client_of(None).post(f"{path}outcome", asked, content_type="application/json").json()
    assert answer["studies"] == [] and list(answer["held"]) == ["1.2.3"]


def test_who_has_no_role_asks_nobody(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.outsider).post("/upload/requests", FORM).status_code == 403


@pytest.mark.parametrize("values", [{"days": "31"}, {"days": "x"}, {"sender": ""}, {"gib": "51"}, {"files": "20001"}])
def test_a_request_without_bounds_is_refused(values: dict[str, str], cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.reader).post("/upload/requests", FORM | values).status_code == 400
    assert not UploadRequest.objects.exists()
