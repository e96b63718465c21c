"""A study (PS3.3 C.7.2.1) and the one rule for who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from archive.access.entities import ApplicationEntity, Visitor
    from archive.models.user import User

    Seer = User | ApplicationEntity | Visitor


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, who: Seer) -> Self:
        """Studies whose pictures and facts this person or peer may open; absent and forbidden look the same."""
        from archive.access.rules import visible_studies

        return visible_studies(self, who)

    def with_images(self) -> Self:
        """Studies that hold at least one instance that was not rejected."""
        return self.filter(instance_count__gt=0)


class Study(models.Model):
    """One examination; attributes as recorded by the first instance that had them."""

    study_instance_uid = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey("archive.Patient", on_delete=models.PROTECT, related_name="studies")
    received_patient = models.ForeignKey(
        "archive.Patient", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    """The patient that its images name, where a person has moved the study to another; its files go out coerced."""
    patient_name = models.CharField(max_length=330, blank=True)
    """As this study's images say; another study of the patient may say it otherwise."""
    patient_name_key = models.CharField(max_length=700, blank=True)
    """``archive.dicom.person_name.search_key`` of the name: what C-FIND, QIDO-RS and pages search."""
    name_note = models.CharField(max_length=330, blank=True)
    """Another spelling of the name that later images of this study carried."""
    patient_birth_date = models.CharField(max_length=8, blank=True, db_index=True)
    patient_sex = models.CharField(max_length=16, blank=True)
    patient_age = models.CharField(max_length=4, blank=True)
    patient_weight_kg = models.FloatField(null=True, blank=True)
    study_date = models.CharField(max_length=8, blank=True, db_index=True)
    study_time = models.CharField(max_length=16, blank=True)
    timezone_offset_from_utc = models.CharField(max_length=5, blank=True)
    study_id = models.CharField(max_length=16, blank=True, db_index=True)
    study_description = models.CharField(max_length=255, blank=True)
    accession_number = models.CharField(max_length=64, blank=True, db_index=True)
    referring_physician_name = models.CharField(max_length=330, blank=True)
    referring_physician_name_key = models.CharField(max_length=700, blank=True)
    referring_physician_identifiers = models.JSONField(default=list, blank=True)
    """Code values of (0008,0096) Referring Physician Identification Sequence."""
    institution_name = models.CharField(max_length=255, blank=True)
    station_names = models.CharField(max_length=255, blank=True)
    modalities = models.CharField(max_length=255, blank=True)
    """Distinct modalities of the series, backslash separated, sorted: Modalities in Study (0008,0061)."""
    body_parts = models.CharField(max_length=255, blank=True)
    search_text = models.TextField(blank=True)
    """Lower-case name, ID, accession, description and referrer for the search field."""
    series_count = models.PositiveIntegerField(default=0)
    instance_count = models.PositiveIntegerField(default=0)
    """Received instances that are not rejected; derived ones are not counted."""
    held_back_count = models.PositiveIntegerField(default=0)
    """Files of this study that wait in quarantine."""
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField(db_index=True)
    ready_at = models.DateTimeField(null=True, blank=True, db_index=True)
    """When the study had gone quiet; empty while images arrive. Quiet is never complete."""
    completed_at = models.DateTimeField(null=True, blank=True)
    """When a technologist, an expected count or the modality said that all is there."""
    completed_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The technologist who said so; empty where it was the modality."""
    expected_instance_count = models.PositiveIntegerField(null=True, blank=True)
    """How many instances its modality says it made (MPPS); empty where it says nothing."""
    revision = models.PositiveIntegerField(default=0)
    """Counts every change of what may be looked at; part of tile addresses."""
    rearranged_revision = models.PositiveIntegerField(default=0)
    """The last revision that hid or restored images: stacks as of an earlier one cannot be shown any more."""

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return self.study_instance_uid

    @property
    def is_arriving(self) -> bool:
        return self.ready_at is None

    def modality_list(self) -> list[str]:
        return [modality for modality in self.modalities.split("\\") if modality]
