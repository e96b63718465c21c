"""The study's page and its viewer as the server sends them, before any script has run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from archive.models import AuditEvent, Grant, Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series
from viewer.models import WindowPreset
from viewer.pages.study import titled, viewer_modules

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., "Client"]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study() -> Study:
    facts = {
        "PatientName": "Yamada^Tarou=山田^太郎",
        "PatientID": "12345",
        "PatientBirthDate": "19720301",
        "PatientSex": "F",
        "StudyDate": "20261124",
        "StudyTime": "095812",
        "StudyDescription": "CT <script>alert(1)</script>",
        "SpecificCharacterSet": "ISO_IR 192",
    }
    store(*ct_series(3, **facts))
    return Study.objects.get()


def viewer(client: Client, study: Study, query: str = "") -> str:
    response = client.get(f"/studies/{study.study_instance_uid}/viewer/{query}")
    assert response.status_code == 200
    return response.content.decode()


def data_of(html: str) -> Any:
    found = re.search(r'<script id="viewer-data" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize("page", ["", "viewer/"])
def test_only_who_may_see_a_study_gets_its_pages(study: Study, page: str, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    address = f"/studies/{study.study_instance_uid}/{page}"
    found = {name: client_of(getattr(cast, name)).get(address).status_code for name in vars(cast)}
    assert found == {
        "reader": 200,
        "reader2": 200,
        "referrer": 200,
        "referrer2": 404,
        "technologist": 200,
        "admin": 404,
        "outsider": 404,
    }
    assert client_of(cast.reader).get(f"/studies/2.25.404/{page}").status_code == 404
    assert client_of().get(address).status_code == 302


@pytest.mark.parametrize("page", ["", "viewer/"])
def test_patient_and_study_are_said_in_every_group_of_the_name_and_escaped(
    study: Study, page: str, cast: Cast, client_of: ClientOf
) -> None:
    html = client_of(cast.reader).get(f"/studies/{study.study_instance_uid}/{page}").content.decode()
    for words in ("Yamada, Tarou · 山田 太郎", "F 54Y", "1972-03-01", "12345", "2026-11-24"):
        assert words in html
    assert "<script>alert" not in html


@pytest.mark.parametrize("page", ["", "viewer/"])
def test_a_page_has_no_script_and_no_style_of_its_own(study: Study, page: str, cast: Cast, client_of: ClientOf) -> None:
    html = client_of(cast.reader).get(f"/studies/{study.study_instance_uid}/{page}").content.decode()
    scripts = re.findall(r"<script\b[^>]*>", html)
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", html)


def test_the_address_of_the_first_picture_is_in_the_page_and_good_for_the_cache(
    study: Study, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.reader)
    html = viewer(client, study)
    found = re.search(r'<img class="first-picture"[^>]* src="([^"]+)"', html)
    assert found is not None
    picture = client.get(found[1].replace("&amp;", "&"))
    assert picture["Content-Type"] == "image/png"
    assert picture["Cache-Control"].startswith("private, max-age=")


def test_a_link_to_another_view_is_not_held_up_by_a_first_picture(
    study: Study, cast: Cast, client_of: ClientOf
) -> None:
    assert "first-picture" not in viewer(client_of(cast.reader), study, "?view=1.2.3~2")


def test_the_viewer_is_told_what_the_person_may_do(study: Study, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    rights = {}
    for name in ("reader", "referrer", "technologist"):
        data = data_of(viewer(client_of(getattr(cast, name)), study))
        rights[name] = (data["may_download"], data["may_process"])
    assert rights == {"reader": (True, True), "referrer": (False, False), "technologist": (False, False)}


def test_presets_are_the_site_s_and_the_reader_s_own_after_them(study: Study, cast: Cast, client_of: ClientOf) -> None:
    WindowPreset.objects.all().delete()
    WindowPreset.objects.create(modality="CT", name="mine", center=1, width=2, user=cast.reader)
    WindowPreset.objects.create(modality="CT", name="brain", center=40, width=80, position=5)
    WindowPreset.objects.create(modality="CT", name="somebody's", center=1, width=2, user=cast.reader2)
    presets = data_of(viewer(client_of(cast.reader), study))["presets"]
    assert presets == {
        "CT": [{"name": "brain", "center": 40.0, "width": 80.0}, {"name": "mine", "center": 1.0, "width": 2.0}]
    }


def test_images_that_are_held_back_are_said(study: Study, cast: Cast, client_of: ClientOf) -> None:
    Study.objects.update(held_back_count=12)
    for page in ("", "viewer/"):
        html = client_of(cast.reader).get(f"/studies/{study.study_instance_uid}/{page}").content.decode()
        assert "12 images of this study are held back" in html


def test_opening_the_viewer_is_one_row_of_the_audit_trail(study: Study, cast: Cast, client_of: ClientOf) -> None:
    viewer(client_of(cast.reader), study)
    rows = AuditEvent.objects.filter(event="study-viewed", study_instance_uid=study.study_instance_uid)
    assert [row.user_id for row in rows] == [cast.reader.pk]


def test_every_module_that_the_viewer_imports_is_named_in_the_page() -> None:
    root = Path(settings.STATICFILES_DIRS[0])
    named = set(viewer_modules(root))
    seen, waiting = set(), [root / "js/pages/viewer.js"]
    while waiting:
        path = waiting.pop()
        for name in re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8")):
            imported = (path.parent / name).resolve()
            if imported not in seen:
                seen.add(imported)
                waiting.append(imported)
    assert {path.relative_to(root.resolve()).as_posix() for path in seen} <= named


def test_a_title_names_the_modality_once() -> None:
    assert titled("CT", "CT chest") == "CT chest"
    assert titled("CT", "Chest") == "CT Chest"
    assert titled("MR", "") == "MR"
