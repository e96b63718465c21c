"""Named lists of studies for conferences and teaching, each entry a study, a series or a view of it."""

from django.db import models


class CaseList(models.Model):
    """A list that one person keeps and may share with a group. ``viewer.cases`` makes every change."""

    class Kind(models.TextChoices):
        CONFERENCE = "conference", "conference"
        TEACHING = "teaching", "teaching"

    name = models.CharField(max_length=60)
    """Names no patient: it stands in every picture while the list is shown without names."""
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.CONFERENCE)
    owner = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="case_lists")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """Its members see the list, and add to it."""
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"list {self.pk}"


class Case(models.Model):
    """One entry of a list."""

    list = models.ForeignKey(CaseList, on_delete=models.CASCADE, related_name="cases")
    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="+")
    series_instance_uid = models.CharField(max_length=64, blank=True)
    """Empty for the whole study."""
    view = models.CharField(max_length=2000, blank=True)
    """Query of the viewer's address; empty for the study as it is hung."""
    note = models.TextField(max_length=2000, blank=True)
    position = models.PositiveIntegerField()
    added_by = models.ForeignKey("archive.User", null=True, on_delete=models.SET_NULL, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(name="one_case_a_view", fields=["list", "study", "series_instance_uid", "view"]),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"
