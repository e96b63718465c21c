"""``manage.py backup FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from archive.storage.backup import BackupRefused, make_backup


class Command(BaseCommand):
    help = "Copy the archive, its database and its keys into a folder, while images go on arriving."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        with tqdm(unit=" files", disable=options["verbosity"] == 0) as bar:
            try:
                manifest = make_backup(options["folder"], progress=lambda _name: bar.update() and None)
            except BackupRefused as refusal:
                raise CommandError(str(refusal)) from None
        self.stdout.write(f"Everything acknowledged before {manifest['mark']} is in the backup.")
