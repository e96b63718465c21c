"""What a user has chosen for themselves."""

from django.db import models


class Preferences(models.Model):
    """One row a user; created when the first choice is made."""

    user = models.OneToOneField("archive.User", on_delete=models.CASCADE, related_name="preferences")
    worklist_columns = models.JSONField(default=list, blank=True)
    viewer = models.JSONField(default=dict, blank=True)
    """Tool, layout and text choices of the viewer, as the browser keeps them."""

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences {self.pk}"
