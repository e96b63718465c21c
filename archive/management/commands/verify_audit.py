"""``manage.py verify_audit``: follow the hash chain of the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive.audit.chain import first_break
from archive.models import AuditEvent


class Command(BaseCommand):
    help = "Check that no row of the audit trail was changed or removed; exit 1 when one was."

    def handle(self, *_args: Any, **_options: Any) -> None:
        broken = first_break()
        if broken is not None:
            raise CommandError(
                f"The chain breaks at row {broken.pk} (place {broken.sealed_as}, {broken.happened_at.isoformat()}): "
                "this row, or one before it, was changed, added or removed."
            )
        sealed = AuditEvent.objects.filter(sealed_as__isnull=False).count()
        waiting = AuditEvent.objects.filter(sealed_as__isnull=True).count()
        self.stdout.write(f"The chain of {sealed} rows is whole; {waiting} rows wait to be sealed.")
