"""Application: the archive."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ArchiveConfig(AppConfig):
    name = "archive"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from archive.access.permissions import give_administrators_their_permissions
        from archive.jobs import kinds

        post_migrate.connect(give_administrators_their_permissions, dispatch_uid="administrators' permissions")
        kinds.register_all()
