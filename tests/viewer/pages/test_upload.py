"""The upload page and its two addresses: who may, what is answered, what is remembered."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from archive.errors import StorageFailed
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, QuarantinedFile
from archive.receiving import upload as taking
from tests.archive.receiving.sending import other_content, store, zip_of
from tests.conftest import Cast
from tests.phantoms import ct_image, ct_series, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
FILES, OUTCOME = "/api/uploads/files", "/api/uploads/outcome"


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


def put(client: Client, data: bytes, **headers: Any) -> Any:
    return client.put(FILES, data, content_type="application/octet-stream", **headers)


def lines(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


@pytest.mark.parametrize("who", ["reader", "technologist", "admin"])
def test_those_who_may_upload_see_the_page_and_their_image_shows(who: str, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    assert b"Drop files" in client.get("/upload/").content
    (line,) = lines(put(client, to_part10_bytes(ct_image())))
    assert line["verdict"] == "taken"
    index_waiting_files()
    assert Instance.objects.get().door == "upload"


def test_what_a_clinician_sends_is_held_and_they_are_told_before(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.referrer)
    assert b"waits for a technologist" in client.get("/upload/").content
    (line,) = lines(put(client, to_part10_bytes(ct_image())))
    assert line["verdict"] == "held for a look"
    index_waiting_files()
    assert QuarantinedFile.objects.get().reason == "upload-review" and Instance.objects.count() == 0


def test_an_outsider_uploads_nothing(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.outsider)
    assert client.get("/upload/").status_code == 403
    assert put(client, to_part10_bytes(ct_image())).status_code == 403
    assert client.post(OUTCOME, {"instances": []}, content_type="application/json").status_code == 403
    index_waiting_files()
    assert Instance.objects.count() == 0


def test_nobody_signed_in_is_asked_to(client_of: ClientOf) -> None:
    assert put(client_of(None), b"x").status_code == 401
    assert client_of(None).get("/upload/").status_code == 302


def test_a_request_of_another_site_is_refused(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader, enforce_csrf_checks=True)
    assert put(client, to_part10_bytes(ct_image())).status_code == 403
    client.get("/upload/")
    token = client.cookies["csrftoken"].value
    assert lines(put(client, to_part10_bytes(ct_image()), headers={"X-CSRFToken": token}))[0]["verdict"] == "taken"


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_only_put_sends_a_file(method: str, cast: Cast, client_of: ClientOf) -> None:
    assert getattr(client_of(cast.reader), method)(FILES).status_code == 405


def test_a_zip_is_answered_line_by_line(cast: Cast, client_of: ClientOf) -> None:
    members = {f"{number}.dcm": to_part10_bytes(ds) for number, ds in enumerate(ct_series(3))}
    found = lines(put(client_of(cast.reader), zip_of(members | {"<b>x</b>.txt": b"hello"})))
    assert [line["verdict"] for line in found] == ["taken"] * 3 + ["refused"]
    assert [line["members"] for line in found] == [4] * 4
    assert found[3]["name"] == "<b>x</b>.txt"


def test_what_is_no_image_is_an_answer_and_no_error(cast: Cast, client_of: ClientOf) -> None:
    (line,) = lines(put(client_of(cast.reader), b"hello"))
    assert (line["verdict"], line["words"]) == ("refused", taking.NO_IMAGE)


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_file_and_one_of_a_single_byte_are_refused(size: int, cast: Cast, client_of: ClientOf) -> None:
    assert lines(put(client_of(cast.reader), b"x" * size, CONTENT_LENGTH=str(size)))[0]["verdict"] == "refused"


def test_a_file_over_the_limit_is_refused_before_it_is_read(cast: Cast, client_of: ClientOf, settings: Any) -> None:
    settings.PORTAL_MAX_UPLOAD_MB = 1
    response = put(client_of(cast.reader), bytes((1 << 20) + 1))
    assert response.status_code == 413 and "1 MiB" in response.json()["error"]


def test_a_file_without_a_size_is_refused(cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.reader).put(FILES, b"x", CONTENT_LENGTH="")
    assert response.status_code == 411


def test_a_file_that_comes_short_is_refused_and_leaves_nothing(cast: Cast, client_of: ClientOf) -> None:
    data = to_part10_bytes(ct_image())
    announced = {"CONTENT_LENGTH": str(len(data) + 10), "wsgi.input": io.BytesIO(data)}
    response = put(client_of(cast.reader), data, **announced)
    assert response.status_code == 400 and "did not come whole" in response.json()["error"]
    assert index_waiting_files().added == 0


def test_a_full_disk_and_a_full_backlog_say_so(
    cast: Cast, client_of: ClientOf, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(cast.reader)
    settings.PORTAL_RESERVED_MB = 10**9
    assert put(client, to_part10_bytes(ct_image())).status_code == 507
    settings.PORTAL_RESERVED_MB = 0
    monkeypatch.setattr(taking, "receive_part10", _fails)
    assert put(client, to_part10_bytes(ct_image())).status_code == 507
    monkeypatch.undo()
    settings.PORTAL_BACKLOG_FILES = 0
    response = put(client, to_part10_bytes(ct_image()))
    assert (response.status_code, response["Retry-After"]) == (503, "30")


def _fails(*_arguments: Any) -> None:
    raise StorageFailed("The disk does not write.")


def test_a_zip_that_cannot_be_taken_to_its_end_says_so_in_its_last_line(
    cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, calls = taking.receive_part10, []

    def once(*arguments: Any) -> Any:
        calls.append(1)
        return receive(*arguments) if len(calls) == 1 else _fails()

    monkeypatch.setattr(taking, "receive_part10", once)
    members = {str(number): to_part10_bytes(ds) for number, ds in enumerate(ct_series(3))}
    first, last = lines(put(client_of(cast.reader), zip_of(members)))
    assert first["verdict"] == "taken"
    assert last == {"error": "The disk does not write. The rest of the file was not taken."}


# --- Audit ------------------------------------------------------------------------------------------------------------


def test_a_folder_of_many_files_is_one_event_a_study(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    for ds in ct_series(3):
        lines(put(client, to_part10_bytes(ds), headers={"X-Upload-Batch": "0123456789abcdef" * 2}))
    event = AuditEvent.objects.get(event="uploaded")
    assert event.user == cast.reader and event.study_instance_uid == str(ct_image().StudyInstanceUID)


def test_a_zip_is_one_event_a_study_with_its_counts(cast: Cast, client_of: ClientOf) -> None:
    members = {str(number): to_part10_bytes(ds) for number, ds in enumerate(ct_series(3))}
    lines(put(client_of(cast.reader), zip_of(members), headers={"X-Upload-Batch": "no batch; x=1"}))
    assert AuditEvent.objects.get(event="uploaded").details == {"batch": "", "taken": 3}


# --- What became of them ----------------------------------------------------------------------------------------------


def ask(client: Client, *uids: str) -> dict[str, Any]:
    response = client.post(OUTCOME, {"instances": list(uids)}, content_type="application/json")
    assert response.status_code == 200
    return dict(response.json())


def test_what_waits_what_shows_and_what_is_held_is_told(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    shown, held, other = ct_image(number=1), ct_image(number=2), "2.25.987"
    store(held)
    for ds in (shown, other_content(number=2, SOPInstanceUID=held.SOPInstanceUID)):
        lines(put(client, to_part10_bytes(ds)))
    assert ask(client, shown.SOPInstanceUID, other)["waiting"] == 2
    index_waiting_files()
    answer = ask(client, shown.SOPInstanceUID, held.SOPInstanceUID, other)
    assert answer["waiting"] == 1
    assert answer["held"] == {held.SOPInstanceUID: "another image with this UID is already stored"}
    (study,) = answer["studies"]
    assert (study["StudyInstanceUID"], study["instances"]) == (shown.StudyInstanceUID, 2)


def test_a_study_that_the_person_may_not_open_is_not_named(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    uid = Instance.objects.get().sop_instance_uid
    answer = ask(client_of(cast.referrer), uid)
    assert (answer["studies"], answer["held"], answer["waiting"]) == ([], {}, 0)


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"instances": 1}', '{"instances": [1]}', "{", json.dumps({"instances": ["1"] * 2001})]
)
def test_a_question_that_is_none_is_refused_in_words(body: str, cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.reader).post(OUTCOME, body, content_type="application/json")
    assert response.status_code == 400 and "'instances'" in response.json()["error"]
