"""What somebody has drawn on a frame, or that they marked it as a key image."""

import uuid

from django.db import models

from viewer.annotations.shapes import Kind

KINDS = [(kind.value, kind.value.replace("_", " ")) for kind in Kind]


class Annotation(models.Model):
    """One shape on one frame. ``viewer.annotations.saving`` makes every change."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Given by the browser that draws it, so that what is sent twice is kept once."""
    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="annotations")
    stack = models.CharField(max_length=70)
    """On which it was drawn: where a jump leads."""
    sop_instance_uid = models.CharField(max_length=64)
    frame_number = models.PositiveIntegerField()
    """From 1."""
    kind = models.CharField(max_length=16, choices=KINDS)
    geometry = models.JSONField()
    """``viewer.annotations.shapes`` reads and writes it."""
    label = models.CharField(max_length=200, blank=True)
    """What it is called in lists; of an arrow or a text the words on the image."""
    group = models.CharField(max_length=40, blank=True)
    """Under which heading the panel lists it, such as "target lesions"."""
    label_offset = models.JSONField(null=True, blank=True)
    """Where the reader put the words, [x, y] in CSS pixels from their usual place."""
    author = models.ForeignKey("archive.User", null=True, on_delete=models.SET_NULL, related_name="+")
    """Who drew it; whoever changes it later."""
    changed_by = models.ForeignKey("archive.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    """Grows with every change; a change says which it saw."""
    deleted_at = models.DateTimeField(null=True, blank=True)
    """Deleted, and can be brought back."""

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["study", "deleted_at"], name="annotation_of_study")]
        constraints = [
            models.CheckConstraint(name="annotation_counts_from_1", condition=models.Q(frame_number__gte=1)),
            models.CheckConstraint(
                name="annotation_kind_known", condition=models.Q(kind__in=[kind for kind, _ in KINDS])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
