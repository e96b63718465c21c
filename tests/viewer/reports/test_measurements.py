"""Measurements in a report: kept with the draft, found in its text, told when they change, signed as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from archive.models import Study
from viewer.annotations.saving import annotations_of
from viewer.models import Annotation, EarlierDraft, Report, ReportVersion
from viewer.reports.document import compose
from viewer.reports.drafting import Draft, save_draft
from viewer.reports.earlier import drop_old_drafts
from viewer.reports.errors import InvalidText
from viewer.reports.html import as_html
from viewer.reports.measurements import Link, in_text, pieces_of, since
from viewer.reports.signing import is_intact
from viewer.worklist.claiming import Change

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = pytest.mark.django_db
LENGTH: dict[str, Any] = {"points": [[10, 10], [40, 10]]}
WORDS = "Nodule 8.2 mm (S3 Im 12)"


@pytest.fixture
def drawn(study: Study, cast: Cast) -> Annotation:
    now = timezone.now()
    said = {"stack": "1.2.3", "sop_instance_uid": "1.2.3.4", "frame_number": 1, "kind": "length"}
    return Annotation.objects.create(
        study=study, author=cast.reader, geometry=LENGTH, created_at=now, changed_at=now, **said
    )


def dropped(one: Annotation, **changes: Any) -> dict[str, Any]:
    entry = {"id": str(one.pk), "section": "findings", "words": WORDS, "view": "view=1.2.3~12~40,400"}
    return entry | {"drawn": {"geometry": LENGTH}} | changes


def keep(study: Study, cast: Cast, *measurements: Any, findings: str = f"Right: {WORDS}.") -> Report:
    number = Report.objects.filter(study=study).values_list("draft_number", flat=True).first() or 0
    draft = Draft({"findings": findings}, number, study.patient_id, measurements=list(measurements))
    return save_draft(Change(cast.reader, study), draft)


def test_a_measurement_is_signed_with_its_view_and_the_hash_covers_it(
    study: Study, cast: Cast, drawn: Annotation, sign_as: Callable[..., ReportVersion]
) -> None:
    report = keep(study, cast, dropped(drawn))
    version = sign_as()
    assert version.measurements == [dropped(drawn) | {"SOPInstanceUID": "1.2.3.4", "FrameNumber": 1}]
    assert is_intact(report)
    document = compose([version])
    assert document is not None
    address = f"/studies/{study.study_instance_uid}/viewer/?view=1.2.3~12~40,400"
    assert f'href="{address}"' in as_html(document, study=study)
    assert "report-measure" not in as_html(document)
    other = ReportVersion.objects.get(pk=version.pk)
    assert other.measurements is not None
    with pytest.raises(Exception, match="never changes"), connection.cursor() as cursor:
        cursor.execute("UPDATE viewer_reportversion SET measurements = NULL WHERE id = %s", [version.pk])


def test_a_change_after_signing_is_told_and_the_signed_words_stay(
    study: Study, cast: Cast, drawn: Annotation, sign_as: Callable[..., ReportVersion]
) -> None:
    keep(study, cast, dropped(drawn))
    document = compose([sign_as()])
    assert document is not None
    assert "has changed" not in as_html(document, study=study)
    Annotation.objects.filter(pk=drawn.pk).update(geometry={"points": [[10, 10], [60, 10]]})
    html = as_html(document, study=study)
    assert WORDS in html and "this value has changed after the report was signed" in html
    Annotation.objects.filter(pk=drawn.pk).update(deleted_at=timezone.now())
    assert "deleted after the report was signed" in as_html(document, study=study)


def test_a_calibration_by_hand_changes_what_was_measured_before(study: Study, cast: Cast, drawn: Annotation) -> None:
    (kept,) = keep(study, cast, dropped(drawn)).measurements
    assert since(kept, annotations_of(study)) == "same"
    now = timezone.now()
    Annotation.objects.create(
        study=study,
        stack="1.2.3",
        sop_instance_uid="1.2.3.4",
        frame_number=1,
        kind="calibration",
        geometry={"points": [[0, 0], [10, 0]], "known_mm": 5.0},
        created_at=now,
        changed_at=now,
    )
    assert since(kept, annotations_of(study)) == "changed"


def test_a_save_of_another_window_takes_no_measurement_away(study: Study, cast: Cast, drawn: Annotation) -> None:
    keep(study, cast, dropped(drawn))
    report = keep(study, cast)
    assert [one["words"] for one in report.measurements] == [WORDS]
    report = keep(study, cast, dropped(drawn, words="9.1 mm (S3 Im 12)"))
    assert len(report.measurements) == 2


def test_only_what_still_stands_in_the_text_is_signed(study: Study, cast: Cast, drawn: Annotation) -> None:
    report = keep(study, cast, dropped(drawn), findings="No nodule after all.")
    assert in_text(report.measurements, {"findings": report.findings}) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": str(uuid4())}, "not of this study"),
        ({"id": "../.."}, "not of this study"),
        ({"section": "addenda"}, "no section"),
        ({"words": "two\nlines"}, "one line"),
        ({"words": ""}, "one line"),
        ({"view": "javascript:alert(1)"}, "view"),
        ({"view": "view=1~1&next=//evil"}, "view"),
        ({"drawn": {"geometry": {"points": "all"}}}, "points"),
        ({"drawn": None}, "points"),
    ],
)
def test_what_is_no_measurement_of_the_study_is_refused_in_words(
    study: Study, cast: Cast, drawn: Annotation, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidText, match=words):
        keep(study, cast, dropped(drawn) | changes)
    assert not Report.objects.exists()


def test_the_same_words_twice_are_two_links_in_their_order() -> None:
    links = [Link("findings", "8 mm", f"view={n}~1", "1", 1, str(n)) for n in (1, 2)]
    pieces = pieces_of("Left 8 mm, right 8 mm; 8 mm.", links)
    assert [(piece.text, piece.link.view if piece.link else "") for piece in pieces] == [
        ("Left ", ""),
        ("8 mm", "view=1~1"),
        (", right ", ""),
        ("8 mm", "view=2~1"),
        ("; 8 mm.", ""),
    ]


def test_an_earlier_text_is_kept_when_another_hand_saves_over_it_and_goes_after_its_time(
    study: Study, cast: Cast, save: Callable[..., Report]
) -> None:
    save(findings="first")
    save(findings="second")
    save(findings="third")
    assert list(EarlierDraft.objects.values_list("text__findings", flat=True)) == ["first"]
    assert drop_old_drafts() == 0
    EarlierDraft.objects.update(saved_at="2026-01-01T00:00:00Z")
    save(findings="fourth")
    assert set(EarlierDraft.objects.values_list("text__findings", flat=True)) == {"first", "third"}
    assert drop_old_drafts() == 1


def test_what_is_there_is_kept_when_an_earlier_text_is_put_back(
    study: Study, cast: Cast, client_of: Callable[..., Client], save: Callable[..., Report]
) -> None:
    for words in ("first", "second", "third"):
        save(findings=words)
    client = client_of(cast.reader)
    address = f"/api/studies/{study.study_instance_uid}/report"
    told = client.get(address).json()
    assert [one["text"]["findings"] for one in told["earlier"]] == ["first"]
    body = {"text": {"findings": "first"}, "patient": study.patient_id, "puts_back": True}
    headers = {"If-Match": f'"{told["number"]}"'}
    assert client.put(address, body, content_type="application/json", headers=headers).status_code == 200
    told = client.get(address).json()
    assert [one["text"]["findings"] for one in told["earlier"]] == ["third", "first"]
