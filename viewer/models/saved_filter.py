"""Filters of the reading worklist under a name: a person's own, or those of a group with its columns."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class SavedFilter(models.Model):
    """One filter. What was typed is never part of it: it may be a name."""

    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500, blank=True)
    """As the worklist's address has it, sorted."""
    user = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(default=list, blank=True)
    """Columns shown with it; empty: those that each person chose."""
    is_default = models.BooleanField("shown first", default=False)
    created_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(name="filter_of_one", condition=Q(user=None) ^ Q(group=None)),
            models.UniqueConstraint(name="one_filter_a_name_and_user", fields=["user", "name"]),
            models.UniqueConstraint(name="one_filter_a_name_and_group", fields=["group", "name"]),
            models.UniqueConstraint(
                name="one_default_a_user", fields=["user"], condition=Q(is_default=True, user__isnull=False)
            ),
            models.UniqueConstraint(
                name="one_default_a_group", fields=["group"], condition=Q(is_default=True, group__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name
