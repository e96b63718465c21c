"""Images are hidden with a code and a reason, and shown again; both at once everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from archive.indexing.rejecting import RejectionRefused, codes_of, reject_instances, restore_instances
from archive.models import AuditEvent, Instance, Study, User
from archive.models.instance import Rejection
from archive.signals import studies_changed
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image, ct_series, mr_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study() -> Study:
    store(*ct_series(3), mr_image(SeriesInstanceUID="2.25.55"))
    return Study.objects.get()


def reject(by: User, code: str = Rejection.QUALITY, reason: str = "Motion in all slices", **narrowed: Any) -> int:
    return reject_instances(Instance.objects.filter(**narrowed), code=code, reason=reason, by=by).instances


def test_rejected_images_leave_every_count_and_the_modality_list(study: Study, cast: Cast) -> None:
    assert reject(cast.reader, series__modality="MR") == 1
    after = Study.objects.get()
    assert (after.modalities, after.series_count, after.instance_count) == ("CT", 1, 3)
    assert after.revision == study.revision + 1 == after.rearranged_revision
    assert Instance.objects.shown().count() == 3


def test_restored_images_come_back_as_of_a_new_revision(study: Study, cast: Cast) -> None:
    reject(cast.reader, series__modality="MR")
    changed = restore_instances(Instance.objects.all(), reason="It was the right patient", by=cast.reader)
    after, instance = Study.objects.get(), Instance.objects.get(series__modality="MR")
    assert changed.instances == 1 and changed.revisions == {study.study_instance_uid: study.revision + 2}
    assert (after.modalities, after.instance_count) == ("CT\\MR", 4)
    assert instance.added_revision == after.revision == after.rearranged_revision
    assert (instance.rejection, instance.rejection_reason, instance.rejected_by) == ("", "", None)


def test_who_why_and_when_stand_with_the_image(study: Study, cast: Cast) -> None:
    reject(cast.admin, Rejection.RETENTION_EXPIRED, "Ten years are over")
    instance = Instance.objects.order_by("pk")[0]
    assert (instance.rejection, instance.rejection_reason, instance.rejected_by) == (
        "113039",
        "Ten years are over",
        cast.admin,
    )
    assert instance.rejected_at is not None
    assert Study.objects.with_images().count() == 0


def test_both_are_audited_with_uids_and_reason(study: Study, cast: Cast) -> None:
    reject(cast.reader, series__modality="MR")
    restore_instances(Instance.objects.all(), reason="Looked again", by=cast.reader2)
    restored, rejected = AuditEvent.objects.filter(event__in=["instances-rejected", "instances-restored"])
    uid = Instance.objects.get(series__modality="MR").sop_instance_uid
    assert rejected.user == cast.reader and rejected.study_instance_uid == study.study_instance_uid
    assert rejected.details == {"instances": 1, "uids": [uid], "code": "113001", "reason": "Motion in all slices"}
    assert restored.user == cast.reader2 and restored.details["reason"] == "Looked again"


def test_it_is_announced_once_and_as_no_arrival(study: Study, cast: Cast) -> None:
    heard: list[dict[str, Any]] = []

    def listen(**values: Any) -> None:
        heard.append(values)

    studies_changed.connect(listen, weak=False, dispatch_uid="test")
    try:
        reject(cast.reader)
    finally:
        studies_changed.disconnect(dispatch_uid="test")
    assert [(values["study_ids"], values["arrived"]) for values in heard] == [([study.pk], False)]


def test_twice_is_once(study: Study, cast: Cast) -> None:
    assert [reject(cast.reader), reject(cast.reader2)] == [4, 0]
    assert Study.objects.get().revision == study.revision + 1
    assert Instance.objects.filter(rejected_by=cast.reader).count() == 4


@pytest.mark.parametrize(
    ("who", "codes"),
    [
        ("reader", ["113001", "113037", "113038"]),
        ("technologist", ["113001"]),
        ("admin", ["113001", "113037", "113038", "113039"]),
        ("referrer", []),
        ("outsider", []),
    ],
)
def test_each_role_has_its_codes(who: str, codes: list[str], cast: Cast) -> None:
    assert [code.value for code in codes_of(getattr(cast, who))] == codes


@pytest.mark.parametrize("code", ["", "113037", "113038", "113039", "999", "quality"])
def test_a_technologist_rejects_for_quality_only(code: str, study: Study, cast: Cast) -> None:
    with pytest.raises(RejectionRefused, match="113001"):
        reject(cast.technologist, code)
    assert Instance.objects.shown().count() == 4


def test_a_technologist_rejects_within_their_own_modality(study: Study, cast: Cast) -> None:
    cast.technologist.modalities = ["CT"]
    with pytest.raises(RejectionRefused, match="modalities: CT"):
        reject(cast.technologist)
    assert reject(cast.technologist, series__modality="CT") == 3


def test_a_technologist_does_not_undo_what_a_radiologist_hid_for_safety(study: Study, cast: Cast) -> None:
    reject(cast.reader, Rejection.PATIENT_SAFETY)
    with pytest.raises(RejectionRefused, match="may not undo"):
        restore_instances(Instance.objects.all(), reason="Looks fine", by=cast.technologist)
    assert Instance.objects.shown().count() == 0


@pytest.mark.parametrize("who", ["referrer", "outsider"])
def test_others_reject_and_restore_nothing(who: str, study: Study, cast: Cast) -> None:
    with pytest.raises(RejectionRefused):
        reject(getattr(cast, who))
    reject(cast.reader)
    with pytest.raises(RejectionRefused):
        restore_instances(Instance.objects.all(), reason="Please show it", by=getattr(cast, who))
    assert Instance.objects.shown().count() == 0


@pytest.mark.parametrize("reason", ["", "bad", "  a  b "])
def test_a_reason_is_needed(reason: str, study: Study, cast: Cast) -> None:
    with pytest.raises(RejectionRefused, match="at least 5 characters"):
        reject(cast.reader, reason=reason)


def test_several_studies_are_each_counted(cast: Cast) -> None:
    store(ct_image(), ct_image(StudyInstanceUID="2.25.8", SeriesInstanceUID="2.25.9"))
    changed = reject_instances(Instance.objects.all(), code=Rejection.QUALITY, reason="Test images", by=cast.admin)
    assert changed.instances == 2 and len(changed.revisions) == 2
    assert list(Study.objects.values_list("instance_count", flat=True)) == [0, 0]
