"""What people say to each other about a study, whom they ask to look, and who has it open."""

from django.db import models


class Comment(models.Model):
    """A remark, or an answer to one. ``viewer.discussion.comments`` makes every change."""

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="comments")
    thread = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="answers")
    """The remark that it answers; empty for one that begins a thread."""
    author = models.ForeignKey("archive.User", null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(max_length=4000)
    series_instance_uid = models.CharField(max_length=64, blank=True)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    frame_number = models.PositiveIntegerField(null=True, blank=True)
    """From 1; with the series or the image what the remark is about, nothing of it for the whole study."""
    region = models.JSONField(null=True, blank=True)
    """``kind`` rectangle or arrow and its two ``points`` [x, y], in pixels of the image."""
    view = models.CharField(max_length=2000, blank=True)
    """Query of the viewer's address that shows what was seen."""
    mentioned = models.ManyToManyField("archive.User", blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["study", "created_at"], name="comments_of_study")]

    def __str__(self) -> str:
        return f"comment {self.pk}"


class Consultation(models.Model):
    """A reader asks another one to look at a study."""

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="consultations")
    asked_by = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="+")
    asked = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="consultations")
    question = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                name="one_open_consultation",
                fields=["study", "asked_by", "asked"],
                condition=models.Q(done_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"consultation {self.pk}"


class StudyPresence(models.Model):
    """Who has a study open: a sign of life that is old counts for nothing."""

    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_presence", fields=["study", "user"])]

    def __str__(self) -> str:
        return f"presence {self.pk}"
