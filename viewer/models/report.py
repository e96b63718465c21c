"""Reports: a draft that changes, signed versions that never do, and what readers write them with."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

SECTIONS = ("indication", "technique", "comparison", "findings", "impression")
"""Sections of a report in the order in which they are read."""


class Report(models.Model):
    """The one report of a study: the text as it is being written. What was signed is in its versions."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        PRELIMINARY = "preliminary", "preliminary"
        FINAL = "final", "final"

    study = models.OneToOneField("archive.Study", on_delete=models.PROTECT, related_name="report")
    patient = models.ForeignKey("archive.Patient", on_delete=models.PROTECT, related_name="+")
    """Whom the text is about: the study's patient when it was begun, or as the reader has confirmed since."""
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    author = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """Who saved the text last."""
    indication = models.TextField(blank=True)
    technique = models.TextField(blank=True)
    comparison = models.TextField(blank=True)
    findings = models.TextField(blank=True)
    impression = models.TextField(blank=True)
    addendum = models.TextField(blank=True)
    """An addendum that is being written; empty again once it is signed."""
    draft_number = models.PositiveIntegerField(default=0)
    """Counts the saves: a save names the one it began with, and is refused when there was another since."""
    has_addendum = models.BooleanField(default=False)
    """An addendum was signed; what lists show as "addendum"."""
    saved_at = models.DateTimeField()
    measurements = models.JSONField(default=list, blank=True)
    """What was dropped into the text; ``viewer.reports.measurements`` reads and writes it."""

    def __str__(self) -> str:
        return f"report {self.pk}"


class EarlierDraft(models.Model):
    """A draft's text before somebody else, or a later sitting, saved over it; kept for a while, to look back."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="earlier_drafts")
    number = models.PositiveIntegerField()
    text = models.JSONField()
    """Section -> text."""
    author_name = models.CharField(max_length=330, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["report", "-number"]
        constraints = [models.UniqueConstraint(name="one_earlier_draft_a_number", fields=["report", "number"])]

    def __str__(self) -> str:
        return f"report {self.report_id} draft {self.number}"


class ReportPolicy(models.Model):
    """What the site says about writing reports; one row."""

    earlier_drafts_kept_days = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Days for which earlier texts of a draft can be looked at. The draft itself and what was signed stay.",
    )
    second_factor_to_sign = models.BooleanField(
        default=True,
        help_text="Outside the demonstration nobody signs without a second factor; who has none is asked to set one up.",
    )
    dictation = models.BooleanField(
        "dictation by the browser",
        default=False,
        help_text="Shows a microphone beside each section where the browser can listen. The portal never gets the "
        "sound, but many browsers send it to their maker to be understood: switch it on only where that is allowed.",
    )

    class Meta:
        verbose_name_plural = "report policy"
        constraints = [models.CheckConstraint(name="one_report_policy", condition=models.Q(pk=1))]

    def __str__(self) -> str:
        return "report policy"

    @classmethod
    def current(cls) -> ReportPolicy:
        """The site's row, or what holds before anybody has made one."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class SignedVersionChanged(TypeError):
    """Something tried to change or remove what was signed."""


class ReportVersionQuerySet(models.QuerySet["ReportVersion"]):
    """Adds rows and reads them; changes and removes none."""

    def update(self, **_values: Any) -> NoReturn:
        raise SignedVersionChanged("A signed report never changes; an addendum is a new version.")

    def bulk_update(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise SignedVersionChanged("A signed report never changes; an addendum is a new version.")

    def delete(self) -> NoReturn:
        raise SignedVersionChanged("A signed report is never removed.")


class ReportVersion(models.Model):
    """What was signed, by whom and when, chained to the version before by its hash. The database refuses changes too."""

    class Kind(models.TextChoices):
        PRELIMINARY = "preliminary", "preliminary"
        FINAL = "final", "final"
        ADDENDUM = "addendum", "addendum"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    text = models.JSONField()
    """Section -> text; an addendum has the one section ``addendum``."""
    about = models.JSONField()
    """Patient and study as they were shown when it was signed."""
    author = models.ForeignKey("archive.User", on_delete=models.PROTECT, related_name="+")
    author_name = models.CharField(max_length=330)
    signed_at = models.DateTimeField()
    previous_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64)
    measurements = models.JSONField(null=True, editable=False)
    """What of the text is a measurement, as it was signed; None where nothing was."""

    objects = ReportVersionQuerySet.as_manager()

    class Meta:
        ordering = ["report", "number"]
        constraints = [models.UniqueConstraint(name="one_version_a_number", fields=["report", "number"])]

    def __str__(self) -> str:
        return f"report {self.report_id} version {self.number}"

    def save(self, *arguments: Any, **options: Any) -> None:
        if self.pk is not None:
            raise SignedVersionChanged("A signed report never changes; an addendum is a new version.")
        super().save(*arguments, **options)

    def delete(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise SignedVersionChanged("A signed report is never removed.")


class ReportTemplate(models.Model):
    """Sections to begin a report with, for a modality and part of the body; for everybody, a group or one reader."""

    name = models.CharField(max_length=80)
    modality = models.CharField(max_length=16, blank=True)
    body_part = models.CharField(
        max_length=64, blank=True, help_text="Body Part Examined (0018,0015), such as CHEST; empty for any."
    )
    owner = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    indication = models.TextField(blank=True)
    technique = models.TextField(blank=True)
    comparison = models.TextField(blank=True)
    findings = models.TextField(blank=True)
    impression = models.TextField(blank=True)

    class Meta:
        ordering = ["modality", "name", "pk"]

    def __str__(self) -> str:
        return self.name


class Macro(models.Model):
    """A short word that typing turns into a text: ``.word`` and a space."""

    word = models.SlugField(max_length=32)
    text = models.TextField(max_length=4000)
    owner = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["word", "pk"]
        constraints = [
            models.UniqueConstraint(name="one_macro_a_word_of_owner", fields=["word", "owner"]),
            models.UniqueConstraint(
                name="one_macro_a_word_of_site", fields=["word"], condition=models.Q(owner__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f".{self.word}"
