"""Results as HL7 messages: who gets ours, and reports that others have sent."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

NAME = RegexValidator(r"^[\x20-\x7e]*$", "Letters, digits and signs of ASCII only.")


class ResultReceiver(models.Model):
    """A system that is told of signed reports by ORU^R01 over MLLP."""

    class CharacterSet(models.TextChoices):
        UTF_8 = "UNICODE UTF-8", "UNICODE UTF-8: takes every text"
        LATIN_1 = "8859/1", "8859/1: Western European; other characters become question marks"
        LATIN_2 = "8859/2", "8859/2: Central European; other characters become question marks"
        LATIN_9 = "8859/15", "8859/15: Western European with the euro; other characters become question marks"

    name = models.CharField(max_length=80, unique=True)
    enabled = models.BooleanField(default=True)
    host = models.CharField("address", max_length=255, help_text="Host name or IP address.")
    port = models.PositiveIntegerField(default=2575, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    receiving_application = models.CharField("receiving application (MSH-5)", max_length=180, validators=[NAME])
    receiving_facility = models.CharField("receiving facility (MSH-6)", max_length=180, blank=True, validators=[NAME])
    character_set = models.CharField(
        "character set (MSH-18)", max_length=16, choices=CharacterSet, default=CharacterSet.UTF_8
    )
    wants_preliminary = models.BooleanField(
        "also preliminary reports", default=False, help_text="Sent with the result status P."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OutsideReport(models.Model):
    """A report of a study of ours that another system has sent by ORU^R01; what is sent again replaces what was."""

    class Status(models.TextChoices):
        PRELIMINARY = "P", "preliminary"
        FINAL = "F", "final"
        CORRECTED = "C", "corrected"

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="outside_reports")
    sender = models.CharField(max_length=200)
    """Sending application and facility."""
    order_number = models.CharField(max_length=64)
    """The filler's, else the placer's or the accession number: a later message about the same replaces this one."""
    status = models.CharField(max_length=1, choices=Status)
    title = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    reported_by = models.CharField(max_length=330, blank=True)
    reported_at = models.CharField(max_length=26, blank=True)
    """As it was sent (HL7 DTM)."""
    control_id = models.CharField(max_length=199, blank=True)
    received_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)
    """A later message about the same order came."""

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [models.Index(fields=["study", "replaced_at"], name="outside_report_of_study")]
        constraints = [
            models.UniqueConstraint(
                name="one_outside_report_that_stands",
                fields=["study", "sender", "order_number"],
                condition=models.Q(replaced_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"report {self.pk} from elsewhere"
