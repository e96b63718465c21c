"""Bearer tokens for programs: kept only as a hash, with a scope and an end."""

from __future__ import annotations

from django.db import models


class AccessToken(models.Model):
    """Lets a program act as its user, within a scope, until it expires or is revoked."""

    class Scope(models.TextChoices):
        READ = "read", "read: search, retrieve, render"
        STORE = "store", "store: STOW-RS only"
        ALL = "all", "all that the user may do"
        METRICS = "metrics", "metrics: operators' figures only"

    user = models.ForeignKey("archive.User", on_delete=models.CASCADE, related_name="access_tokens")
    label = models.CharField(max_length=100, blank=True, help_text="What it is for.")
    scope = models.CharField(max_length=8, choices=Scope)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    """SHA-256 of the token, hexadecimal: it has 256 random bits, so that no salt is needed."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    """Written at most once a minute."""

    class Meta:
        verbose_name = "access token"

    def __str__(self) -> str:
        return f"access token {self.pk}"

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset({self.scope})
