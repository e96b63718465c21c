"""The administration: who may open it, what its actions ask and touch, what each look and change leaves behind."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from archive.access.break_glass import open_in_emergency
from archive.access.permissions import give_administrators_their_permissions
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import (
    AuditEvent,
    BreakGlass,
    Grant,
    Instance,
    Job,
    NameMapping,
    Patient,
    Peer,
    PersonIdentifier,
    StoredFile,
    Study,
    User,
)
from archive.storage import layout
from tests.archive.receiving.sending import store
from tests.conftest import PASSWORD, Cast
from tests.phantoms import ct_image, ct_series, mr_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
REASON = "Agreed with the head of department"
LISTS = (
    *(f"archive/{name}" for name in ("user", "peer", "grant", "personidentifier", "namemapping", "breakglass")),
    *(f"archive/{name}" for name in ("patient", "study", "series", "instance", "storedfile", "quarantinedfile")),
    *("archive/job", "archive/auditevent", "auth/group", "viewer/windowpreset", "viewer/readingtask"),
)


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def administrator(cast: Cast) -> User:
    """An administrator by role, without Django's superuser status."""
    give_administrators_their_permissions()
    user = User.objects.create_user("ordinary", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="administrator"))
    return user


def text_of(response: Any) -> str:
    content = re.sub(r"<(script|style|option).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content))


def act(client: Client, name: str, action: str, rows: Any, **values: Any) -> Any:
    """Choose rows of a list and an action; without ``reason`` only the question comes."""
    asked = {"action": action, "_selected_action": [row.pk for row in rows]}
    confirmed = {"confirmed": "1"} if "reason" in values else {}
    return client.post(f"/admin/{name}/", asked | confirmed | values, follow=True)


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["reader", "referrer", "technologist", "outsider"])
def test_for_others_the_administration_does_not_exist(who: str, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    for path in ("/admin/", "/admin/archive/study/", "/admin/archive/user/1/change/", "/admin/jsi18n/"):
        assert client.get(path, follow=True).status_code == 404, path


def test_nobody_signed_in_is_asked_to_and_led_back(client_of: ClientOf) -> None:
    response = client_of(None).get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=%2Fadmin%2F")


@pytest.mark.parametrize("name", LISTS)
def test_an_administrator_by_role_opens_every_list(name: str, administrator: User, client_of: ClientOf) -> None:
    store(ct_image())
    response = client_of(administrator).get(f"/admin/{name}/")
    assert response.status_code == 200
    assert (
        b"<style" not in response.content and b" style=" not in response.content and b"onclick" not in response.content
    )


@pytest.mark.parametrize("name", ["study", "series", "instance", "storedfile", "patient", "auditevent", "job"])
def test_what_comes_from_files_is_never_typed_into(name: str, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    record_event(Event.STARTED)
    client = client_of(cast.admin)
    model = {"storedfile": StoredFile, "auditevent": AuditEvent}.get(name) or next(
        model
        for model in (Study, Instance, Patient, Job, Instance._meta.get_field("series").related_model)
        if model._meta.model_name == name
    )
    pk = model.objects.first().pk
    assert client.get(f"/admin/archive/{name}/add/").status_code == 403
    assert client.post(f"/admin/archive/{name}/{pk}/change/", {"modality": "X"}).status_code == 403
    assert client.post(f"/admin/archive/{name}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/archive/{name}/{pk}/change/").status_code == 200


# --- Looks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["patient", "study", "series", "instance", "quarantinedfile", "grant"])
def test_a_look_at_identifying_rows_is_on_record(name: str, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(), mr_image(SeriesInstanceUID="2.25.4", PatientID="other"))
    Grant.objects.create(user=cast.referrer, study=Study.objects.get())
    client_of(cast.admin).get(f"/admin/archive/{name}/")
    event = AuditEvent.objects.get(event="identity-looked-at")
    assert event.user == cast.admin and "list of" in event.subject and len(event.details["rows"]) == 1


def test_a_look_at_one_patient_is_on_record(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    pk = Patient.objects.get().pk
    client_of(cast.admin).get(f"/admin/archive/patient/{pk}/change/")
    assert AuditEvent.objects.get(event="identity-looked-at").details == {"rows": [str(pk)]}


def test_a_study_is_found_by_any_part_of_its_search_text(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(PatientName="Müller^Öle", PatientID="K-77", SpecificCharacterSet="ISO_IR 192"))
    client = client_of(cast.admin)
    for text in ("müller", "MULLER", "k-77", "ole mull", Study.objects.get().study_instance_uid):
        assert "Müller, Öle" in text_of(client.get("/admin/archive/study/", {"q": text})), text
    assert "Müller, Öle" in text_of(client.get("/admin/archive/patient/", {"q": "muller"})) or "Müller" in text_of(
        client.get("/admin/archive/patient/", {"q": "Müller"})
    )


# --- Rejecting --------------------------------------------------------------------------------------------------------


def test_rejecting_says_in_numbers_what_it_touches(cast: Cast, client_of: ClientOf) -> None:
    store(*ct_series(3), mr_image(SeriesInstanceUID="2.25.55"))
    client = client_of(cast.admin)
    question = text_of(act(client, "archive/study", "reject", Study.objects.all()))
    assert "This touches 1 study" in question and "4 images of 2 series in 1 studies" in question
    assert Instance.objects.shown().count() == 4


@pytest.mark.parametrize(
    "values", [{"reason": ""}, {"reason": "  no "}, {"reason": REASON, "choice": "1"}, {"reason": REASON}]
)
def test_without_reason_and_code_nothing_is_rejected(values: dict[str, str], cast: Cast, client_of: ClientOf) -> None:
    store(*ct_series(2))
    response = act(client_of(cast.admin), "archive/study", "reject", Study.objects.all(), **values)
    assert response.status_code == 400 and "Please" in text_of(response)
    assert Instance.objects.shown().count() == 2


@pytest.mark.parametrize(("name", "left"), [("study", 0), ("series", 1), ("instance", 3)])
def test_studies_series_and_instances_are_rejected_and_restored(
    name: str, left: int, administrator: User, client_of: ClientOf
) -> None:
    store(*ct_series(3), mr_image(SeriesInstanceUID="2.25.55"))
    series = Instance._meta.get_field("series").related_model
    rows = {
        "study": Study.objects.all(),
        "series": series.objects.filter(modality="CT"),
        "instance": Instance.objects.all()[:1],
    }[name]
    client = client_of(administrator)
    response = act(client, f"archive/{name}", "reject", rows, reason=REASON, choice="113039")
    assert "are rejected; they can be restored" in text_of(response)
    assert Instance.objects.shown().count() == left
    event = AuditEvent.objects.get(event="instances-rejected")
    assert (event.user, event.details["reason"], event.details["code"]) == (administrator, REASON, "113039")
    act(client, f"archive/{name}", "restore", rows, reason=REASON)
    assert Instance.objects.shown().count() == 4


def test_all_rows_of_a_filter_are_meant_after_the_question_too(cast: Cast, client_of: ClientOf) -> None:
    store(
        *[
            ct_image(StudyInstanceUID=f"2.25.9{n}", SeriesInstanceUID=f"2.25.9{n}.1", Modality="CT" if n % 2 else "MR")
            for n in range(6)
        ]
    )
    client = client_of(cast.admin)
    url = "/admin/archive/study/?modality=MR"
    chosen = {
        "action": "reject",
        "select_across": "1",
        "_selected_action": [Study.objects.filter(modalities="MR").first().pk],
    }
    question = client.post(url, chosen)
    assert "This touches 3 studies" in text_of(question)
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', question.content.decode())
    client.post(url, {**dict(hidden), "reason": REASON, "choice": "113001"})
    assert set(Study.objects.filter(instance_count=0).values_list("pk", flat=True)) == {
        instance.series.study_id for instance in Instance.objects.filter(series__modality="MR")
    }


# --- Accounts ---------------------------------------------------------------------------------------------------------


def change_user(client: Client, user: User, **values: Any) -> Any:
    fields = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_active": "on",
        "groups": [group.pk for group in user.groups.all()],
        "modalities": ", ".join(user.modalities),
        "identifiers-TOTAL_FORMS": "0",
        "identifiers-INITIAL_FORMS": "0",
    }
    return client.post(f"/admin/archive/user/{user.pk}/change/", fields | values, follow=True)


def test_modalities_are_written_as_people_write_them(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    change_user(client, cast.technologist, modalities="us, mr;us  ct")
    cast.technologist.refresh_from_db()
    assert cast.technologist.modalities == ["US", "MR", "CT"]
    assert "a modality is a code" in text_of(change_user(client, cast.technologist, modalities="CT/MR!"))


def test_the_role_decides_who_opens_the_administration(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    role = Group.objects.get(name="administrator")
    assert "may now open the administration" in text_of(change_user(client, cast.reader2, groups=[role.pk]))
    cast.reader2.refresh_from_db()
    assert cast.reader2.is_staff
    change_user(client, cast.reader2, groups=[Group.objects.get(name="radiologist").pk])
    cast.reader2.refresh_from_db()
    assert not cast.reader2.is_staff
    event = AuditEvent.objects.filter(event="rights-changed", subject=f"user {cast.reader2.pk}").first()
    assert event is not None and event.details["account"] == "reader2" and event.user == cast.admin


def test_an_administrator_by_role_makes_nobody_a_superuser(
    cast: Cast, administrator: User, client_of: ClientOf
) -> None:
    client = client_of(administrator)
    change_user(client, cast.reader2, is_superuser="on", is_staff="on", user_permissions=["1"])
    change_user(client, administrator, is_superuser="on")
    assert list(User.objects.filter(is_superuser=True)) == [cast.admin]
    cast.reader2.refresh_from_db()
    assert not cast.reader2.is_staff and cast.reader2.user_permissions.count() == 0


def test_an_administrator_by_role_does_not_change_those_above(
    cast: Cast, administrator: User, client_of: ClientOf
) -> None:
    client = client_of(administrator)
    assert change_user(client, cast.admin, username="taken-over").status_code == 403
    assert (
        client.post(
            f"/admin/archive/user/{cast.admin.pk}/password/", {"password1": "x" * 20, "password2": "x" * 20}
        ).status_code
        == 403
    )
    act(client, "archive/user", "deactivate", [cast.admin, administrator, cast.reader], reason=REASON)
    active = set(User.objects.filter(is_active=True).values_list("username", flat=True))
    assert {"admin", "ordinary"} <= active and "reader" not in active


def test_accounts_are_never_deleted(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    assert client.get(f"/admin/archive/user/{cast.reader.pk}/delete/").status_code == 403
    assert (
        "delete"
        not in client.get("/admin/archive/user/").content.decode().split('name="action"')[1].split("</select>")[0]
    )


def test_sessions_are_ended_everywhere(cast: Cast, client_of: ClientOf) -> None:
    others = [client_of(cast.reader), client_of(cast.reader), client_of(cast.reader2)]
    client = client_of(cast.admin)
    response = act(client, "archive/user", "end_sessions", [cast.reader], reason=REASON)
    assert "2 sessions were ended" in text_of(response)
    assert [one.get("/account/").status_code for one in others] == [302, 302, 200]
    assert Session.objects.count() == 2
    assert AuditEvent.objects.get(subject="account reader").details["reason"] == REASON


def test_a_lock_out_is_seen_and_lifted(cast: Cast, client_of: ClientOf) -> None:
    stranger = client_of(None)
    for _ in range(6):
        stranger.post("/accounts/login/", {"login": "reader", "password": "wrong"})
    client = client_of(cast.admin)
    users = client.get("/admin/archive/user/").context["cl"].queryset
    assert [user.username for user in users if user.locked] == ["reader"]
    act(client, "archive/user", "unlock", [cast.reader], reason=REASON)
    assert not any(user.locked for user in client.get("/admin/archive/user/").context["cl"].queryset)
    assert stranger.post("/accounts/login/", {"login": "reader", "password": PASSWORD}).status_code == 302


def test_roles_cannot_be_renamed_or_deleted(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    role = Group.objects.get(name="radiologist")
    client.post(f"/admin/auth/group/{role.pk}/change/", {"name": "boss"})
    assert client.post(f"/admin/auth/group/{role.pk}/delete/", {"confirmed": "1", "reason": REASON}).status_code == 403
    ward = Group.objects.create(name="Ward 3")
    response = act(client, "auth/group", "delete_with_reason", [role, ward], reason=REASON)
    assert "1 deleted. Roles stay." in text_of(response)
    assert Group.objects.filter(name="radiologist").exists() and not Group.objects.filter(name="Ward 3").exists()


# --- Peers, grants, names ---------------------------------------------------------------------------------------------


def test_deleting_a_peer_asks_why(cast: Cast, client_of: ClientOf) -> None:
    peer = Peer.objects.create(ae_title="OLD", host="h", port=104)
    client = client_of(cast.admin)
    url = f"/admin/archive/peer/{peer.pk}/delete/"
    assert "refused where the site is closed" in text_of(client.get(url))
    assert client.post(url, {"post": "yes"}).status_code == 200
    assert client.post(url, {"confirmed": "1", "reason": "x"}).status_code == 400
    assert Peer.objects.count() == 1
    assert client.post(url, {"confirmed": "1", "reason": REASON}).status_code == 302
    assert Peer.objects.count() == 0
    event = AuditEvent.objects.get(event="rights-changed")
    assert (
        event.details["what"] == "deleted" and event.details["ae_title"] == "OLD" and event.details["reason"] == REASON
    )


def test_peers_are_refused_and_let_in_with_a_reason(cast: Cast, client_of: ClientOf) -> None:
    peers = [Peer.objects.create(ae_title=f"P{n}", host="h", port=104) for n in range(3)]
    client = client_of(cast.admin)
    assert "This touches 2 peers" in text_of(act(client, "archive/peer", "disable", peers[:2]))
    act(client, "archive/peer", "disable", peers[:2], reason=REASON)
    assert list(Peer.objects.values_list("enabled", flat=True)) == [False, False, True]
    act(client, "archive/peer", "enable", peers, reason=REASON)
    assert Peer.objects.filter(enabled=True).count() == 3


def test_a_peer_that_does_not_answer_is_said_in_words(cast: Cast, client_of: ClientOf) -> None:
    Peer.objects.create(ae_title="NOBODY", host="127.0.0.1", port=9)
    response = act(client_of(cast.admin), "archive/peer", "verify", Peer.objects.all())
    assert "NOBODY does not answer: connection refused (127.0.0.1:9)" in text_of(response)


def test_an_ae_title_that_is_none_is_refused(cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.admin).post("/admin/archive/peer/add/", {"ae_title": "A\\B", "host": "h", "port": "104"})
    assert "1 to 16 printable characters" in text_of(response) and Peer.objects.count() == 0


def test_an_identifier_grants_the_studies_that_name_it(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    Study.objects.update(referring_physician_identifiers=["LANR-7"])
    response = client_of(cast.admin).post(
        "/admin/archive/personidentifier/add/", {"value": "LANR-7", "user": cast.referrer.pk}, follow=True
    )
    assert "1 studies name this identifier" in text_of(response)
    assert Study.objects.visible_to(cast.referrer).count() == 1 and PersonIdentifier.objects.get().user == cast.referrer


def test_a_name_is_confirmed_in_numbers_or_refused(cast: Cast, client_of: ClientOf) -> None:
    for number in range(3):
        store(
            ct_image(
                StudyInstanceUID=f"2.25.9{number}",
                SeriesInstanceUID=f"2.25.9{number}.1",
                ReferringPhysicianName="CLINICIAN^CLARA",
            )
        )
    mapping = NameMapping.objects.get(user=cast.referrer)
    client = client_of(cast.admin)
    assert "3 studies whose referrer is" in text_of(act(client, "archive/namemapping", "confirm", [mapping]))
    assert Study.objects.visible_to(cast.referrer).count() == 0
    act(client, "archive/namemapping", "confirm", [mapping], reason=REASON)
    assert Study.objects.visible_to(cast.referrer).count() == 3
    other = NameMapping.objects.exclude(pk=mapping.pk).first()
    if other is not None:
        act(client, "archive/namemapping", "refuse", [other], reason=REASON)
        other.refresh_from_db()
        assert other.state == NameMapping.State.REFUSED


def test_a_grant_is_given_by_hand_and_taken_back_with_a_reason(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(PatientName="Doe^Jane"))
    client = client_of(cast.admin)
    study = Study.objects.get()
    client.post("/admin/archive/grant/add/", {"user": cast.referrer.pk, "study": study.pk})
    grant = Grant.objects.get()
    assert (grant.source, grant.granted_by) == ("hand", cast.admin)
    assert "Doe, Jane" in text_of(client.get("/admin/archive/grant/"))
    act(client, "archive/grant", "delete_with_reason", [grant], reason=REASON)
    assert Study.objects.visible_to(cast.referrer).count() == 0
    details = [event.details for event in AuditEvent.objects.filter(event="rights-changed").order_by("pk")]
    assert [entry["what"] for entry in details] == ["added", "deleted"]
    assert details[1]["study"] == study.study_instance_uid and "Doe" not in str(details)


def test_a_grant_to_both_or_of_both_is_refused_in_words(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    study = Study.objects.get()
    group = Group.objects.create(name="Ward 3")
    client = client_of(cast.admin)
    for values in ({"user": cast.referrer.pk, "group": group.pk, "study": study.pk}, {"user": cast.referrer.pk}):
        response = client.post("/admin/archive/grant/add/", values)
        assert response.status_code == 200 and Grant.objects.count() == 0


# --- Emergencies, jobs, files, trail ----------------------------------------------------------------------------------


def test_an_emergency_access_is_looked_at_by_another(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image())
    for user in (cast.reader, cast.admin):
        open_in_emergency(user=user, study=Study.objects.get(), reason="Patient in the shock room")
    response = act(client_of(cast.admin), "archive/breakglass", "seen", BreakGlass.objects.all())
    content = text_of(response)
    assert "1 are your own" in content and "1 emergency accesses are marked" in content
    assert {access.user: access.seen_by for access in BreakGlass.objects.all()} == {
        cast.reader: cast.admin,
        cast.admin: None,
    }


def test_jobs_are_cancelled_and_tried_again_with_a_reason(cast: Cast, client_of: ClientOf) -> None:
    jobs = [
        Job.objects.create(kind="enhance", state=state)
        for state in (Job.State.QUEUED, Job.State.DONE, Job.State.PARKED)
    ]
    client = client_of(cast.admin)
    question = text_of(act(client, "archive/job", "cancel", jobs))
    assert "This touches 3 jobs" in question and "1 waiting" in question
    act(client, "archive/job", "cancel", jobs, reason=REASON)
    act(client, "archive/job", "retry", jobs[2:], reason=REASON)
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "done", "queued"]
    assert AuditEvent.objects.get(subject="jobs cancelled").details == {"jobs": [jobs[0].pk], "reason": REASON}


def test_files_are_compared_with_their_digest(cast: Cast, client_of: ClientOf) -> None:
    store(*ct_series(2))
    layout.path_of(StoredFile.objects.first().key).unlink()
    response = act(client_of(cast.admin), "archive/storedfile", "compare", StoredFile.objects.all())
    assert "2 files were read; 1 are damaged or missing" in text_of(response)


def test_an_identity_is_confirmed_once_checked(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(PatientID=""))
    assert Patient.objects.get().identity_to_be_checked
    act(client_of(cast.admin), "archive/patient", "confirm", Patient.objects.all(), reason=REASON)
    assert not Patient.objects.get().identity_to_be_checked


def test_the_trail_is_exported_without_a_formula(cast: Cast, client_of: ClientOf) -> None:
    record_event(Event.SIGN_IN_FAILED, actor="=HYPERLINK(1)")
    events = AuditEvent.objects.filter(event="sign-in-failed")
    response = act(client_of(cast.admin), "archive/auditevent", "export", events)
    (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    assert row["actor"] == "'=HYPERLINK(1)"
    assert AuditEvent.objects.get(event="exported").user == cast.admin


# --- The first page ---------------------------------------------------------------------------------------------------


def test_the_first_page_shows_what_waits_and_leads_there(
    cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(ct_image(number=1), ct_image(number=2, PatientID="other"))
    Job.objects.create(kind="enhance", state="parked", finished_at=timezone.now())
    StoredFile.objects.update(damage="The file is missing.")
    open_in_emergency(user=cast.reader, study=Study.objects.get(), reason="Patient in the shock room")
    Peer.objects.create(ae_title="CT1", host="h", port=104, last_seen_at=timezone.now() - timedelta(hours=2))
    monkeypatch.setattr("pacs_portal.health.receiver", lambda: ("failed", "The receiver did not answer."))
    response = client_of(cast.admin).get("/admin/")
    figures = {figure.label: figure for figure in (*response.context["health"], *response.context["work"])}
    assert (figures["Receiver"].state, figures["Receiver"].value) == ("failed", "failed")
    for label in ("Held back", "Jobs failed", "Damaged files", "Emergency accesses"):
        assert (figures[label].value, figures[label].state) == ("1", "warning"), label
    assert figures["Held back"].url == "/quarantine/" and figures["Held back"].hours[-1] == 1
    assert "2 hours ago" in text_of(response).replace("\xa0", " ")
    for figure in figures.values():
        assert client_of(cast.admin).get(figure.url).status_code in {200, 503}, figure.label


def test_the_first_page_is_for_administrators(cast: Cast, administrator: User, client_of: ClientOf) -> None:
    assert client_of(administrator).get("/admin/").status_code == 200
    assert client_of(cast.reader).get("/admin/", follow=True).status_code == 404
