"""The report's addresses: who reads and writes what, each in both directions, and what every refusal says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from archive.models import AuditEvent, BreakGlass, Grant, Study
from tests.viewer.reports.conftest import TEXT, proof
from tests.viewer.worklist.studies import make_study
from viewer.models import Macro, Report, ReportPolicy, ReportTemplate, ReportVersion

if TYPE_CHECKING:
    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], Client]
Save = Callable[..., Report]
Sign = Callable[..., ReportVersion]
READ = ("report", "report/versions", "report.pdf", "report.txt")


@pytest.fixture
def as_(client_of: ClientOf) -> ClientOf:
    return client_of


def address(study: Study, rest: str = "report") -> str:
    return f"/api/studies/{study.study_instance_uid}/{rest}"


def put(client: Client, study: Study, number: int | None, **values: Any) -> Any:
    body = {"patient": study.patient_id, "text": TEXT} | values
    headers = {} if number is None else {"If-Match": f'"{number}"'}
    return client.put(address(study), json.dumps(body), content_type="application/json", headers=headers)


def post(client: Client, study: Study, rest: str, number: int, **values: Any) -> Any:
    body = {"patient": study.patient_id} | proof() | values
    return client.post(
        address(study, rest), json.dumps(body), content_type="application/json", headers={"If-Match": f'"{number}"'}
    )


def statuses(client: Client, study: Study) -> list[int]:
    pages = [client.get(f"/studies/{study.study_instance_uid}/report/").status_code]
    return [client.get(address(study, rest)).status_code for rest in READ] + pages


# --- Writing ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_saved_read_back_signed_and_added_to(study: Study, cast: Cast, as_: ClientOf) -> None:
    reader = as_(cast.reader)
    told = reader.get(address(study))
    assert (told["ETag"], told.json()["state"], told.json()["may_write"]) == ('"0"', "none", True)
    assert put(reader, study, 0)["ETag"] == '"1"'
    told = reader.get(address(study)).json()
    assert (told["draft"]["findings"], told["number"], told["state"]) == ("No nodule.", 1, "draft")
    signed = post(reader, study, "report/sign", 1, kind="final")
    assert signed.status_code == 201
    other = as_(cast.reader2)
    number = other.get(address(study)).json()["number"]
    assert put(other, study, number, text={"addendum": "Also a rib."}).status_code == 200
    assert post(other, study, "report/addendum", number + 1).status_code == 201
    told = as_(cast.reader).get(address(study)).json()
    assert [(one["kind"], one["author"]) for one in told["versions"]] == [
        ("final", "Rita Reader"),
        ("addendum", "Rudi Reader"),
    ]
    assert told["versions"][0]["sha256"] == signed.json()["sha256"]


def test_two_windows_the_second_gets_both_texts_and_nothing_is_lost(study: Study, cast: Cast, as_: ClientOf) -> None:
    reader = as_(cast.reader)
    put(reader, study, 0, text={"findings": "first window"})
    told = put(reader, study, 0, text={"findings": "second window"})
    assert told.status_code == 409
    answer = told.json()
    assert (answer["yours"]["findings"], answer["theirs"]["findings"]) == ("second window", "first window")
    assert answer["number"] == 1 and "Rita Reader saved this draft" in answer["error"]
    assert put(reader, study, answer["number"], text=answer["yours"]).status_code == 200


def test_the_second_reader_is_told_who_has_the_study(study: Study, cast: Cast, as_: ClientOf) -> None:
    told = put(as_(cast.reader2), study, 0)
    assert told.status_code == 409
    assert "Rita Reader is reading this study" in told.json()["error"]
    assert not Report.objects.exists()


def test_a_save_without_a_number_is_asked_for_it(study: Study, cast: Cast, as_: ClientOf) -> None:
    told = put(as_(cast.reader), study, None)
    assert told.status_code == 428 and "If-Match" in told.json()["error"]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"patient": true, "text": {}}', '{"text": {"findings": "x"}}'])
def test_a_body_that_cannot_be_used_is_refused_in_words(study: Study, cast: Cast, as_: ClientOf, body: str) -> None:
    told = as_(cast.reader).put(address(study), body, content_type="application/json", headers={"If-Match": '"0"'})
    assert told.status_code == 400 and told.json()["error"].endswith(("needed.", "is needed."))


def test_images_of_another_patient_refuse_text_and_signature(study: Study, cast: Cast, as_: ClientOf) -> None:
    reader = as_(cast.reader)
    assert put(reader, study, 0, patient=study.patient_id + 1).status_code == 409
    put(reader, study, 0)
    refused = post(reader, study, "report/sign", 1, kind="final", patient=study.patient_id + 1)
    assert refused.status_code == 409 and refused.json()["reason"] == "OtherPatient"


# --- The password -----------------------------------------------------------------------------------------------------


def test_a_wrong_password_signs_nothing_is_audited_and_locks_out(study: Study, cast: Cast, as_: ClientOf) -> None:
    reader = as_(cast.reader)
    put(reader, study, 0)
    refused = [post(reader, study, "report/sign", 1, kind="final", password="guess") for _ in range(5)]
    assert [one.status_code for one in refused] == [403, 403, 403, 403, 429]
    assert all("Nothing was signed" in one.json()["error"] for one in refused)
    assert AuditEvent.objects.filter(event="sign-in-failed").count() >= 5
    assert post(reader, study, "report/sign", 1, kind="final").status_code == 429
    assert not ReportVersion.objects.exists()


def test_a_second_factor_is_asked_of_who_has_one(
    study: Study, cast: Cast, as_: ClientOf, settings: Any, portal_data: Any
) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    settings.IS_DEMO = False
    codes = RecoveryCodes.activate(cast.reader).get_unused_codes()
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(cast.reader, generate_totp_secret())
    reader = as_(cast.reader)
    put(reader, study, 0)
    assert reader.get(address(study)).json()["asks_code"] is True
    refused = post(reader, study, "report/sign", 1, kind="final")
    assert refused.status_code == 403 and "code is not right" in refused.json()["error"]
    assert post(reader, study, "report/sign", 1, kind="final", code="000").status_code == 403
    assert post(reader, study, "report/sign", 1, kind="final", code=codes[0]).status_code == 201


def test_in_production_nobody_signs_without_a_second_factor_unless_the_site_says_so(
    study: Study, cast: Cast, as_: ClientOf, settings: Any
) -> None:
    settings.IS_DEMO = False
    reader = as_(cast.reader)
    put(reader, study, 0)
    refused = post(reader, study, "report/sign", 1, kind="final")
    assert refused.status_code == 403 and refused.json()["reason"] == "NoSecondFactor"
    assert not ReportVersion.objects.exists()
    ReportPolicy.objects.create(pk=1, second_factor_to_sign=False)
    assert post(reader, study, "report/sign", 1, kind="final").status_code == 201


# --- The access table -------------------------------------------------------------------------------------------------


def test_before_a_report_is_final_nobody_but_radiologists_reads_anything(
    study: Study, save: Save, sign_as: Sign, cast: Cast, as_: ClientOf
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    save()
    sign_as("preliminary")
    assert [one["kind"] for one in as_(cast.reader2).get(address(study)).json()["versions"]] == ["preliminary"]
    clinician = as_(cast.referrer)
    told = clinician.get(address(study)).json()
    assert (told["draft"], told["versions"], told["state"]) == (None, [], "none")
    assert "nodule" not in clinician.get(f"/studies/{study.study_instance_uid}/").content.decode()
    assert clinician.get(address(study, "report.txt")).status_code == 404


def test_a_draft_is_read_by_its_author_and_who_holds_the_study_only(
    study: Study, save: Save, cast: Cast, as_: ClientOf
) -> None:
    save()
    told = as_(cast.reader2).get(address(study)).json()
    assert (told["draft"], told["saved_by"], told["may_write"]) == (None, "Rita Reader", False)
    from django.contrib.auth.models import Group

    group = Group.objects.create(name="thorax")
    cast.reader.groups.add(group)
    cast.reader2.groups.add(group)
    assert as_(cast.reader2).get(address(study)).json()["draft"]["findings"] == "No nodule."


def test_the_clinician_reads_the_final_report_of_their_own_patient_alone(
    study: Study, save: Save, sign_as: Sign, cast: Cast, as_: ClientOf
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    save()
    sign_as()
    assert statuses(as_(cast.referrer), study) == [200] * 5
    assert statuses(as_(cast.referrer2), study) == [404] * 5
    html = as_(cast.referrer).get(f"/studies/{study.study_instance_uid}/").content.decode()
    assert "Final report" in html and "No nodule." in html
    assert put(as_(cast.referrer), study, 1).status_code == 403
    assert post(as_(cast.referrer), study, "report/sign", 1, kind="final").status_code == 403
    assert AuditEvent.objects.filter(event="report-viewed", user_id=cast.referrer.pk).exists()


def test_a_technologist_knows_the_state_and_reads_no_text(
    study: Study, save: Save, sign_as: Sign, cast: Cast, as_: ClientOf
) -> None:
    save()
    sign_as()
    technologist = as_(cast.technologist)
    assert statuses(technologist, study) == [403, 403, 404, 404, 403]
    for page in (f"/studies/{study.study_instance_uid}/", f"/studies/{study.study_instance_uid}/report/"):
        assert "nodule" not in technologist.get(page).content.decode()
    assert put(technologist, study, 1).status_code == 403
    assert as_(cast.technologist).get(address(study, "report/writing-aids")).status_code == 403
    assert 'data-state="final"' in technologist.get("/?state=all").content.decode()


def test_an_administrator_reads_the_final_report_in_an_emergency_only(
    study: Study, save: Save, sign_as: Sign, cast: Cast, as_: ClientOf
) -> None:
    save()
    sign_as()
    administrator = as_(cast.admin)
    assert statuses(administrator, study) == [404] * 5
    until = timezone.now() + timedelta(minutes=5)
    BreakGlass.objects.create(user=cast.admin, study=study, reason="asked by the court", expires_at=until)
    assert statuses(administrator, study) == [200] * 5
    assert put(administrator, study, 1).status_code == 403


def test_nobody_reads_without_an_account_or_a_role(
    study: Study, save: Save, sign_as: Sign, cast: Cast, as_: ClientOf
) -> None:
    save()
    sign_as()
    assert as_(None).get(address(study)).status_code == 401
    assert statuses(as_(cast.outsider), study) == [404] * 5


def test_a_foreign_study_is_absent_for_every_verb(cast: Cast, as_: ClientOf) -> None:
    other = make_study(2, modality="US", patient_id="other")
    technologist = as_(cast.technologist)
    assert put(technologist, other, 0).status_code == 404
    assert post(technologist, other, "report/sign", 0, kind="final").status_code == 404
    assert technologist.get(address(other, "report/versions")).status_code == 404


# --- What is given out ------------------------------------------------------------------------------------------------


def test_text_is_escaped_on_pages_and_plain_in_plain_text(
    study: Study, save: Save, sign_as: Sign, cast: Cast, as_: ClientOf
) -> None:
    save(findings="<script>alert(1)</script> & 8 mm")
    sign_as()
    html = as_(cast.reader).get(f"/studies/{study.study_instance_uid}/").content.decode()
    assert "<script>alert(1)" not in html and "&lt;script&gt;alert(1)" in html
    text = as_(cast.reader).get(address(study, "report.txt"))
    assert text["Content-Type"].startswith("text/plain") and text["X-Content-Type-Options"] == "nosniff"
    assert "<script>alert(1)</script> & 8 mm" in text.content.decode()


def test_templates_fit_the_study_and_own_macros_come_first(study: Study, cast: Cast, as_: ClientOf) -> None:
    ReportTemplate.objects.create(name="mine", modality="CT", owner=cast.reader, findings="own words")
    ReportTemplate.objects.create(name="hers", modality="CT", owner=cast.reader2)
    Study.objects.filter(pk=study.pk).update(body_parts="CHEST")
    Macro.objects.create(word="nl", text="Normal.")
    Macro.objects.create(word="nl", text="Nothing of note.", owner=cast.reader)
    told = as_(cast.reader).get(address(study, "report/writing-aids")).json()
    assert [one["name"] for one in told["templates"]] == ["mine", "CT chest", "CT abdomen and pelvis"]
    assert told["macros"] == {"nl": "Nothing of note."}
    assert as_(cast.reader2).get(address(study, "report/writing-aids")).json()["macros"] == {"nl": "Normal."}
