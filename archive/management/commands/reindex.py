"""``manage.py reindex``: make rows again from the files of the archive."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.indexing.rebuilding import rebuild_study, take_in_strays
from archive.indexing.writer import index_waiting_files
from archive.models import Study


class Command(BaseCommand):
    help = "Index files that have no rows, then read every stored file again and bring its rows up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", default="", help="only the study with this UID")

    def handle(self, *_args: Any, study: str, verbosity: int, **_options: Any) -> None:
        studies = Study.objects.order_by("pk")
        if study:
            studies = studies.filter(study_instance_uid=study)
            if not studies.exists():
                raise CommandError(f"There is no study {study}.")
        else:
            strays = take_in_strays()
            added = index_waiting_files()
            self.stdout.write(f"{strays} files had no rows; {added.added} images were added.")
        changed = 0
        unreadable: list[str] = []
        with tqdm(total=studies.count(), unit=" studies", disable=verbosity == 0) as bar:
            for one in studies.iterator(chunk_size=200):
                result = rebuild_study(one)
                changed += result.changed
                unreadable += result.unreadable
                bar.update()
        self.stdout.write(f"{changed} studies were brought up to date.")
        for uid in unreadable[:50]:
            self.stderr.write(
                f"{uid}: its file is missing, damaged, or not what its row says; verify_archive tells more."
            )
        if unreadable:
            raise CommandError(f"{len(unreadable)} files could not be read; their rows are as they were.")
