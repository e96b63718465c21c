"""What a row says: the words for images, waiting, age, state and names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pydicom
import pytest
from django.utils import timezone

from archive.models import Instance, Study
from tests.journeys.sending import send_study, store
from tests.viewer.worklist.studies import make_study
from viewer.annotations.saving import Drawn, delete_annotation, save_annotation
from viewer.annotations.shapes import read_shape
from viewer.models import ReadingTask, TimeLimit
from viewer.worklist.changes import change_number
from viewer.worklist.rows import StudyRow, digest_of, load_rows, waiting_in_words

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from tests.conftest import Cast


def row(study: Study, cast: Cast) -> StudyRow:
    return load_rows([study.pk], cast.reader)[0]


@pytest.mark.parametrize(
    ("waited", "words"),
    [
        (timedelta(), "0:00"),
        (timedelta(minutes=-3), "0:00"),
        (timedelta(minutes=44, seconds=59), "0:44"),
        (timedelta(hours=4), "4:00"),
        (timedelta(hours=47, minutes=59), "47:59"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=9, hours=23), "9 d"),
    ],
)
def test_waiting_is_hours_and_minutes_then_days(waited: timedelta, words: str) -> None:
    assert waiting_in_words(waited) == words


def test_arriving_images_are_counted_and_then_ready(cast: Cast) -> None:
    study = make_study(1, ready=False, instance_count=123)
    arriving = row(study, cast)
    Study.objects.update(ready_at=timezone.now())
    ready = row(study, cast)
    Study.objects.update(completed_at=timezone.now())
    complete = row(study, cast)
    assert (arriving.images, arriving.images_state, arriving.state.word) == ("arriving 123 images", "", "arriving")
    assert (ready.images, ready.images_state, ready.state.word) == ("123", "ready", "unread")
    assert complete.images_state == "complete"


def test_one_image_is_no_plural(cast: Cast) -> None:
    found = row(make_study(1, ready=False, instance_count=1, held_back_count=1), cast)
    assert (found.images, found.held_back) == ("arriving 1 image", "1 image of this study is held back")


def test_key_images_of_readers_and_of_others_are_counted(
    portal_data: Path, alone: None, data_dir: Path, cast: Cast
) -> None:
    slices = [data_dir / "mr_series/mister_mr" / name for name in ("cor_t1/0007.dcm", "sag_t1/0002.dcm")]
    study = send_study(*slices, data_dir / "presentation/derived_kos_mister.dcm")
    # The selection names these two images.
    assert row(study, cast).key_images == 2
    uid = Instance.objects.filter(series__modality="MR").values_list("sop_instance_uid", flat=True)[0]
    drawn = Drawn(read_shape("key_image", {"points": []}), "stack", uid, 1, "", None)
    before, made = change_number(), uuid4()
    save_annotation(study=study, annotation_id=made, version=0, drawn=drawn, user=cast.reader)
    assert row(study, cast).key_images == 3 and change_number() != before
    delete_annotation(study=study, annotation_id=made, version=1, user=cast.reader)
    assert row(study, cast).key_images == 2
    rejection = pydicom.dcmread(data_dir / "presentation/derived_kos_mister.dcm")
    rejection.SOPInstanceUID = rejection.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
    rejection.ConceptNameCodeSequence[0].CodeValue = "113001"
    Instance.objects.filter(sop_class_uid=rejection.SOPClassUID).update(rejection="quality")
    store(rejection)
    assert row(study, cast).key_images == 0


def test_images_that_are_held_back_are_said(cast: Cast) -> None:
    assert row(make_study(1, held_back_count=12), cast).held_back == "12 images of this study are held back"
    assert row(make_study(2), cast).held_back == ""


@pytest.fixture
def four_hours(db: None) -> None:
    TimeLimit.objects.all().delete()
    TimeLimit.objects.create(minutes=240)


@pytest.mark.usefixtures("four_hours")
def test_a_study_is_overdue_after_the_site_s_limit_until_it_is_read(cast: Cast) -> None:
    late = make_study(1, arrived_ago=timedelta(hours=4, minutes=5))
    soon = make_study(2, arrived_ago=timedelta(hours=3, minutes=54, seconds=30))
    early = make_study(3, arrived_ago=timedelta(hours=1, seconds=-30))
    found = row(late, cast)
    assert (found.waiting, found.time_left, found.is_overdue, found.is_short) == ("4:05", "0:05 over", True, False)
    found = row(soon, cast)
    assert (found.waiting, found.time_left, found.is_overdue, found.is_short) == ("3:54", "0:05 left", False, True)
    found = row(early, cast)
    assert (found.time_left, found.is_overdue, found.is_short) == ("3:00 left", False, False)
    ReadingTask.objects.filter(study=late).update(state="read", read_by=cast.reader2)
    read = row(late, cast)
    assert (read.waiting, read.time_left, read.is_overdue) == ("", "", False)
    assert (read.state.word, read.reader) == ("read", "Rudi Reader")


def test_without_a_limit_nothing_is_left_or_over(cast: Cast) -> None:
    TimeLimit.objects.all().delete()
    found = row(make_study(1, arrived_ago=timedelta(days=30)), cast)
    assert (found.waiting, found.time_left, found.is_overdue) == ("30 d", "", False)


def test_whom_a_study_waits_for_is_said_with_the_reason(cast: Cast) -> None:
    because = "rule “CT at night”: CT, 22:00 to 06:00"
    study = make_study(1, task={"assigned_to": cast.reader, "assigned_because": because})
    other = make_study(2, task={"assigned_to": cast.reader2})
    assert (row(study, cast).assigned, row(study, cast).assigned_because) == ("you", because)
    assert row(other, cast).assigned == "Rudi Reader"
    assert row(make_study(3), cast).assigned == ""


def test_all_name_groups_stand_as_sent(cast: Cast) -> None:
    study = make_study(1, name="Yamada^Tarou=山田^太郎=やまだ^たろう")
    assert row(study, cast).patient == "Yamada, Tarou · 山田 太郎 · やまだ たろう"


def test_nothing_is_said_of_what_is_not_known_but_two_identifiers_always_stand(cast: Cast) -> None:
    study = make_study(1, name="", patient_id="", birth_date="", sex="", study_date="", study_time="")
    found = row(study, cast)
    assert (found.patient, found.patient_id, found.birth_date) == ("no name", "no ID", "no birth date")
    assert (found.age, found.examined) == ("", "")


def test_age_is_at_the_study_s_date_and_disagreement_is_marked(cast: Cast) -> None:
    study = make_study(1, birth_date="19720301", study_date="20250228", patient_age="031Y")
    assert (row(study, cast).age, row(study, cast).age_disagrees) == ("52Y", True)


def test_dates_are_as_recorded_and_today_is_the_site_s(cast: Cast) -> None:
    old = row(make_study(1, study_date="20250311", study_time="140259.5"), cast)
    now = row(make_study(2, study_date=f"{timezone.localdate():%Y%m%d}", study_time="0958"), cast)
    away = row(make_study(3, study_date="20250311", study_time="140259", timezone_offset_from_utc="+0900"), cast)
    assert (old.examined, old.examined_in_full) == ("2025-03-11 14:02", "2025-03-11 14:02:59")
    assert now.examined == "today 09:58"
    assert away.examined == "2025-03-11 14:02 +0900"


def test_a_silent_claim_says_so_and_can_be_claimed(cast: Cast) -> None:
    now = timezone.now()
    held = {"state": "in-progress", "claimed_by": cast.reader2, "claimed_at": now}
    lively = make_study(1, task=held | {"claim_seen_at": now})
    silent = make_study(2, task=held | {"claim_seen_at": now - timedelta(minutes=7)})
    assert (row(lively, cast).reader, row(lively, cast).can_claim) == ("Rudi Reader", False)
    assert (row(silent, cast).reader, row(silent, cast).can_claim) == ("Rudi Reader (silent 0:07)", True)
    assert load_rows([silent.pk], cast.technologist)[0].can_claim is False


def test_the_words_for_referrers(cast: Cast) -> None:
    said = [
        row(make_study(1, ready=False), cast).state_for_referrer,
        row(make_study(2), cast).state_for_referrer,
        row(make_study(3, task={"state": "in-progress", "claimed_by": cast.reader}), cast).state_for_referrer,
        row(make_study(4, task={"state": "read"}), cast).state_for_referrer,
    ]
    assert said == ["images are arriving", "waiting to be read", "being read", "read"]


def test_rows_of_a_page_take_one_query_and_keep_the_order(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    studies = [make_study(number, patient_id=f"P{number}") for number in range(1, 6)]
    ids = [studies[place].pk for place in (3, 0, 4)]
    with django_assert_num_queries(2):  # roles of the person, and the rows
        assert [found.pk for found in load_rows([*ids, 10**9], cast.reader)] == ids
    with django_assert_num_queries(0):
        assert load_rows([], cast.reader) == []


def test_the_digest_changes_with_what_is_shown(cast: Cast) -> None:
    study = make_study(1)
    before = digest_of([row(study, cast)])
    assert digest_of([row(study, cast)]) == before
    Study.objects.update(instance_count=11)
    assert digest_of([row(study, cast)]) != before
