"""``manage.py restore FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from archive.storage.backup import BackupRefused, restore_backup
from pacs_portal.starting import CannotStart, take_lock


class Command(BaseCommand):
    help = "Put a backup into an empty data folder; the portal must not be running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            # Held until this command ends: no portal starts on half a restored folder, none runs on it already.
            take_lock(Path(settings.PORTAL_DATA) / "run")
        except CannotStart as obstacle:
            raise CommandError(str(obstacle)) from None
        with tqdm(unit=" files", disable=options["verbosity"] == 0) as bar:
            try:
                manifest = restore_backup(options["folder"], progress=lambda _name: bar.update() and None)
            except BackupRefused as refusal:
                raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"Restored as of {manifest['mark']}. Start the portal: what was waiting is indexed by itself."
        )
