"""A scheduled procedure step: one row of the modality worklist (PS3.4 annex K, PS3.3 C.4.10 and C.4.11)."""

from __future__ import annotations

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from archive.dicom.uids import new_uid

DATE = RegexValidator(r"^\d{8}$", "A date is written YYYYMMDD, such as 20261124.")
TIME = RegexValidator(r"^\d{2}([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$", "A time is written HHMM or HHMMSS, such as 0930.")
AE_TITLES = RegexValidator(
    r"^(?!\s*$)[\x20-\x5b\x5d-\x7e]{1,16}(\\(?!\s*(\\|$))[\x20-\x5b\x5d-\x7e]{1,16})*$",
    "One AE title of 1 to 16 printable characters, or several with backslashes between them (PS3.5 6.2).",
)
CODE_STRING = RegexValidator(r"^[A-Z0-9_ ]{1,16}$", "Capitals, digits, spaces and underscores (PS3.5 6.2, CS).")
UID = RegexValidator(r"^[0-9]+(\.[0-9]+)*$", "Digits and dots (PS3.5 9.1).")


class StepState(models.TextChoices):
    """Scheduled Procedure Step Status (0040,0020), PS3.3 C.4.10; the last two are not on the worklist any more."""

    SCHEDULED = "SCHEDULED", "scheduled"
    ARRIVED = "ARRIVED", "patient has arrived"
    STARTED = "STARTED", "started"
    COMPLETED = "COMPLETED", "completed"
    DISCONTINUED = "DISCONTINUED", "discontinued"


OPEN_STATES = (StepState.SCHEDULED, StepState.ARRIVED, StepState.STARTED)


class ScheduledStepQuerySet(models.QuerySet["ScheduledStep"]):
    def on_worklist(self) -> Self:
        """Steps that are still to be done, or under way."""
        return self.filter(state__in=OPEN_STATES)

    def of_modalities(self, modalities: list[str]) -> Self:
        return self.filter(modality__in=modalities)


class ScheduledStep(models.Model):
    """What is to be done, of whom, where and when. Names are kept decoded, with all three component groups."""

    State = StepState

    class Priority(models.TextChoices):
        """Requested Procedure Priority (0040,1003)."""

        STAT = "STAT", "STAT"
        HIGH = "HIGH", "high"
        ROUTINE = "ROUTINE", "routine"
        MEDIUM = "MEDIUM", "medium"
        LOW = "LOW", "low"

    # The patient (PS3.3 C.2.2, C.2.3)
    patient_name = models.CharField(max_length=330)
    patient_id = models.CharField("patient ID", max_length=64)
    issuer_of_patient_id = models.CharField("issuer of patient ID", max_length=64, blank=True)
    patient_birth_date = models.CharField("birth date", max_length=8, blank=True, validators=[DATE])
    patient_sex = models.CharField(
        "sex", max_length=16, blank=True, choices=[("F", "female"), ("M", "male"), ("O", "other")]
    )
    patient_weight_kg = models.FloatField("weight (kg)", null=True, blank=True)
    medical_alerts = models.CharField(max_length=255, blank=True)
    allergies = models.CharField(max_length=255, blank=True)
    pregnancy_status = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=[(1, "not pregnant"), (2, "possibly"), (3, "definitely"), (4, "unknown")]
    )
    patient_state = models.CharField(max_length=64, blank=True)
    special_needs = models.CharField(max_length=64, blank=True)
    current_patient_location = models.CharField("ward or location", max_length=64, blank=True)
    admission_id = models.CharField("admission ID", max_length=64, blank=True)

    # The order (PS3.3 C.4.12)
    accession_number = models.CharField(max_length=16, blank=True, db_index=True)
    referring_physician_name = models.CharField("referring physician", max_length=330, blank=True)
    referring_physician_identifiers = models.JSONField(default=list, blank=True)
    """Identifiers of the referring physician as the order gives them; they may give access."""
    requesting_physician = models.CharField(max_length=330, blank=True)
    requesting_service = models.CharField(max_length=64, blank=True)
    placer_order_number = models.CharField(max_length=64, blank=True)
    filler_order_number = models.CharField(max_length=64, blank=True)

    # The requested procedure (PS3.3 C.4.11)
    study_instance_uid = models.CharField("Study Instance UID", max_length=64, db_index=True, validators=[UID])
    requested_procedure_id = models.CharField("requested procedure ID", max_length=16)
    requested_procedure_description = models.CharField("requested procedure", max_length=255, blank=True)
    requested_procedure_code = models.CharField(max_length=16, blank=True)
    requested_procedure_code_scheme = models.CharField(max_length=16, blank=True)
    requested_procedure_code_meaning = models.CharField(max_length=255, blank=True)
    priority = models.CharField(max_length=16, choices=Priority, default=Priority.ROUTINE)
    reason = models.CharField("reason for the procedure", max_length=255, blank=True)

    # The step (PS3.3 C.4.10)
    scheduled_procedure_step_id = models.CharField("step ID", max_length=16)
    scheduled_procedure_step_description = models.CharField("step", max_length=255, blank=True)
    protocol_code = models.CharField(max_length=16, blank=True)
    protocol_code_scheme = models.CharField(max_length=16, blank=True)
    protocol_code_meaning = models.CharField(max_length=255, blank=True)
    modality = models.CharField(max_length=16, validators=[CODE_STRING])
    scheduled_station_ae_title = models.CharField(
        "station AE title",
        max_length=84,
        blank=True,
        validators=[AE_TITLES],
        help_text="Who may do it; several with backslashes between them.",
    )
    scheduled_station_name = models.CharField("station name", max_length=16, blank=True)
    scheduled_procedure_step_location = models.CharField("room", max_length=16, blank=True)
    start_date = models.CharField(max_length=8, validators=[DATE])
    start_time = models.CharField(max_length=16, validators=[TIME])
    scheduled_performing_physician_name = models.CharField("performing physician", max_length=330, blank=True)
    pre_medication = models.CharField(max_length=64, blank=True)
    requested_contrast_agent = models.CharField("contrast agent", max_length=64, blank=True)
    comments = models.CharField("comments on the step", max_length=255, blank=True)

    further_attributes = models.JSONField(default=dict, blank=True, editable=False)
    """DICOM JSON of what the order says beside these columns; part of answers as it came."""
    state = models.CharField(max_length=16, choices=StepState, default=StepState.SCHEDULED)
    changed_at = models.DateTimeField(auto_now=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScheduledStepQuerySet.as_manager()

    class Meta:
        ordering = ["start_date", "start_time", "pk"]
        indexes = [
            models.Index(fields=["start_date", "start_time"], name="step_by_start"),
            models.Index(fields=["state", "start_date"], name="step_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_step_a_procedure_and_id",
                fields=["study_instance_uid", "requested_procedure_id", "scheduled_procedure_step_id"],
            ),
            models.CheckConstraint(name="step_state_known", condition=Q(state__in=StepState.values)),
        ]

    def __str__(self) -> str:
        return f"{self.scheduled_procedure_step_id} ({self.modality})"

    def fill_in_identifiers(self) -> None:
        """Give a step that a person enters the identifiers that only machines need."""
        self.study_instance_uid = self.study_instance_uid or new_uid()
        self.requested_procedure_id = self.requested_procedure_id or f"RP{new_uid()[-10:]}"
        self.scheduled_procedure_step_id = self.scheduled_procedure_step_id or f"SPS{new_uid()[-10:]}"
