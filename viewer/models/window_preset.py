"""Named windows that a reader can choose; the built-in ones come by migration."""

from django.db import models


class WindowPreset(models.Model):
    """One named window of a modality, for everybody or for one user."""

    modality = models.CharField(max_length=16)
    name = models.CharField(max_length=40)
    center = models.FloatField()
    width = models.FloatField()
    position = models.PositiveSmallIntegerField(default=0)
    user = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["modality", "position", "pk"]
        constraints = [models.CheckConstraint(name="preset_has_width", condition=models.Q(width__gte=1))]

    def __str__(self) -> str:
        return f"{self.modality} {self.name}"
