"""Application: the archive."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ArchiveConfig(AppConfig):
    name = "archive"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from archive.access.permissions import give_administrators_their_permissions
        from archive.hl7 import orders
        from archive.jobs import kinds
        from archive.querying import lookups
        from archive.querying.text_index import look_after_text_index

        post_migrate.connect(give_administrators_their_permissions, dispatch_uid="administrators' permissions")
        post_migrate.connect(look_after_text_index, sender=self, dispatch_uid="text index")
        lookups.register_all()
        kinds.register_all()
        orders.register_all()
