"""How studies of a kind are hung; the built-in protocols come by migration, readers save their own."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from viewer.hanging.rules import WrongRule, rule_of


def is_a_rule(value: Any) -> None:
    """Refuse JSON that is no hanging protocol, with a sentence that says where."""
    try:
        rule_of(value)
    except WrongRule as error:
        raise ValidationError(str(error)) from error


class HangingProtocol(models.Model):
    """One protocol, for everybody, for a group or for one reader."""

    name = models.CharField(max_length=80)
    rule = models.JSONField(validators=[is_a_rule])
    """As ``viewer.hanging.rules.rule_of`` reads it."""
    position = models.PositiveSmallIntegerField(default=0)
    """Of two protocols of the same owner that fit, the lower one is taken."""
    is_active = models.BooleanField(default=True)
    user = models.ForeignKey("archive.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(name="protocol_has_one_owner", condition=models.Q(user=None) | models.Q(group=None)),
        ]

    def __str__(self) -> str:
        return self.name
