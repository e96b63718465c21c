"""Links by which people without an account see pictures, what was seen through them, and what the site allows."""

import uuid

from django.db import models


class SharePolicy(models.Model):
    """What the site allows about links: one row, changed in the administration."""

    longest_days = models.PositiveSmallIntegerField(default=90)
    """Until a link of a radiologist ends, at most."""
    longest_days_of_clinicians = models.PositiveSmallIntegerField(default=7)
    passcode_required = models.BooleanField(default=False)
    radiologists_may_share = models.BooleanField(default=True)
    clinicians_may_share = models.BooleanField(default=True)
    """Of their own patients only."""
    longest_days_of_requests = models.PositiveSmallIntegerField(default=30)
    """Until a request for images ends, at most."""

    class Meta:
        verbose_name_plural = "share policy"
        constraints = [
            models.CheckConstraint(name="one_share_policy", condition=models.Q(pk=1)),
            models.CheckConstraint(
                name="clinicians_share_a_week_at_most", condition=models.Q(longest_days_of_clinicians__lte=7)
            ),
        ]

    def __str__(self) -> str:
        return "what may be shared"


class ShareLink(models.Model):
    """One recipient's view of a study. ``viewer.sharing.links`` makes and ends it; its secret is kept as a hash."""

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="share_links")
    maker = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="share_links")
    recipient = models.CharField(max_length=80)
    """Stands in every picture."""
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the secret in the address."""
    pseudonym_key = models.CharField(max_length=64)
    """What the UIDs that the recipient sees are made with."""
    created_at = models.DateTimeField(auto_now_add=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    passcode = models.CharField(max_length=128, blank=True)
    """As Django keeps passwords; empty for none."""
    wrong_passcodes = models.PositiveSmallIntegerField(default=0)
    """In a row; five end the link."""
    most_views = models.PositiveIntegerField(null=True, blank=True)
    views = models.PositiveIntegerField(default=0)
    series = models.JSONField(default=list, blank=True)
    """Series Instance UIDs; empty for all of the study."""
    images = models.JSONField(default=list, blank=True)
    """[SOP Instance UID, frame from 1] of key images; empty for all of the series."""
    is_deidentified = models.BooleanField(default=False)
    with_report = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="no_report_without_names",
                condition=models.Q(is_deidentified=False) | models.Q(with_report=False),
            )
        ]

    def __str__(self) -> str:
        return f"share link {self.pk}"


class ShareOpening(models.Model):
    """One browser that opened a link: good until the link ends, twelve hours at most."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="openings")
    digest = models.CharField(max_length=64)
    """SHA-256 of what the browser's cookie says."""
    opened_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now_add=True)
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return f"opening of share link {self.link_id}"


class SeriesMask(models.Model):
    """Rectangles of a series' images that are covered where names must not be seen; none are an answer too."""

    series = models.ForeignKey("archive.Series", on_delete=models.CASCADE, related_name="masks")
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    """Size of the images that it is for."""
    rectangles = models.JSONField(default=list, blank=True)
    """[row, column, rows, columns] in pixels of the image, from 0."""
    drawn_by = models.ForeignKey("archive.User", null=True, on_delete=models.SET_NULL, related_name="+")
    drawn_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_mask_a_size", fields=["series", "rows", "columns"]),
        ]

    def __str__(self) -> str:
        return f"mask {self.pk}"


class UploadRequest(models.Model):
    """An invitation to somebody without an account to send images; all of them wait in quarantine."""

    maker = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="upload_requests")
    sender = models.CharField(max_length=80)
    """Whom the maker asks; stands beside every file in quarantine."""
    purpose = models.CharField(max_length=200, blank=True)
    """What is asked for, as the sender reads it; no name of a patient."""
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    most_files = models.PositiveIntegerField()
    most_bytes = models.PositiveBigIntegerField()
    files = models.PositiveIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"upload request {self.pk}"
