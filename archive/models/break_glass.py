"""Emergency access: a reason, an hour, and another administrator is told."""

from django.db import models


class BreakGlass(models.Model):
    """One opening of one study by somebody without a right to it."""

    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="break_glass")
    study = models.ForeignKey("archive.Study", on_delete=models.CASCADE, related_name="break_glass")
    reason = models.CharField(max_length=500)
    opened_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    seen_by = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "emergency access"
        verbose_name_plural = "emergency accesses"

    def __str__(self) -> str:
        return f"emergency access {self.pk}"
