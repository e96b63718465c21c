"""``manage.py verify_archive``: compare every stored file with its size and digest."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.models import StoredFile
from archive.storage.integrity import verify


class Command(BaseCommand):
    help = "Check every stored file against its digest; exit 1 when one is damaged or missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", default="", help="only the study with this UID")

    def handle(self, *_args: Any, study: str, verbosity: int, **_options: Any) -> None:
        files = StoredFile.objects.select_related("instance").order_by("pk")
        if study:
            files = files.filter(instance__series__study__study_instance_uid=study)
        damaged = checked = 0
        with tqdm(total=files.count(), unit=" files", disable=verbosity == 0) as bar:
            for stored in files.iterator(chunk_size=500):
                if damage := verify(stored):
                    damaged += 1
                    tqdm.write(f"{stored.instance.sop_instance_uid}: {damage}", file=self.stderr._out)
                checked += 1
                bar.update()
        if damaged:
            raise CommandError(f"{damaged} of {checked} files are damaged or missing.")
        self.stdout.write(f"All {checked} files are as they were stored.")
