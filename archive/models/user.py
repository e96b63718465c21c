"""A person who signs in. Roles are groups (``archive.access.roles``)."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """An account of the portal."""

    modalities = models.JSONField(
        default=list,
        blank=True,
        help_text="Modalities that a technologist works at, such as [&quot;CT&quot;, &quot;MR&quot;].",
    )

    class Meta(AbstractUser.Meta):
        db_table = "archive_user"

    def __str__(self) -> str:
        return self.get_full_name() or self.username
