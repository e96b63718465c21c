"""``manage.py import_folder PATH``: take images from a folder, a file or a ZIP file on this machine."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.receiving.sources import Door, Origin
from archive.receiving.upload import STOPS, Report, Verdict, files_below, missing_from, take

REFUSALS_SHOWN = 50
"""Refused files that are named at the end; the rest is counted."""


class Command(BaseCommand):
    help = "Take the images of a folder, a file or a ZIP file into the archive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--issuer", default="", help="issuer of patient ID for images that name none (default: none)"
        )

    def handle(self, *_args: Any, path: Path, issuer: str, verbosity: int, **_options: Any) -> None:
        if not path.exists():
            raise CommandError(f"{path} does not exist. A folder, a DICOM file or a ZIP file is taken.")
        counts: Counter[Verdict] = Counter()
        refused: list[tuple[Path, Report]] = []
        with tqdm(total=sum(1 for _ in files_below(path)), unit=" files", disable=verbosity == 0) as bar:
            try:
                for file, report in reports(path, issuer, bar):
                    counts[report.verdict] += 1
                    if report.verdict is Verdict.REFUSED and len(refused) < REFUSALS_SHOWN:
                        refused.append((file, report))
                    bar.set_postfix_str(summary(counts), refresh=False)
            except STOPS as error:
                stopped: str | None = str(error)
            else:
                stopped = None
        record_event(
            Event.UPLOADED,
            outcome="failure" if stopped else "success",
            actor="import_folder",
            details={verdict.value: count for verdict, count in counts.items()},
        )
        self.say_refused(refused, counts[Verdict.REFUSED])
        self.stdout.write(f"{summary(counts)}.")
        if stopped:
            raise CommandError(f"The import stopped: {stopped} What was taken stays; run it again for the rest.")

    def say_refused(self, refused: list[tuple[Path, Report]], total: int) -> None:
        for file, report in refused:
            inside = f" ({report.shown_name})" if report.shown_name else ""
            self.stderr.write(f"refused: {file}{inside}: {report.words}")
        if total > len(refused):
            self.stderr.write(f"refused: {total - len(refused)} more")


def reports(path: Path, issuer: str, bar: Any) -> Iterator[tuple[Path, Report]]:
    """What became of every file below a path, and at the end what an index names that did not come."""
    indexed: list[str] = []
    instances: set[str] = set()
    origin = Origin(door=Door.FOLDER, issuer_of_patient_id=issuer)
    for file in files_below(path):
        try:
            with file.open("rb") as stream:
                for report in take(stream, origin):
                    indexed += report.index.sop_instance_uids if report.index else ()
                    if report.verdict is not Verdict.REFUSED:
                        instances.add(report.sop_instance_uid)
                    yield file, report
        except STOPS:
            raise
        except ArchiveError as error:
            yield file, Report(Verdict.REFUSED, str(error))
        except OSError as error:
            yield file, Report(Verdict.REFUSED, f"It cannot be read: {error.strerror}.")
        bar.update()
    missing = missing_from(indexed, instances)
    if missing:
        yield path, missing


def summary(counts: Counter[Verdict]) -> str:
    """One line that counts every kind of outcome."""
    parts = [f"{counts[Verdict.TAKEN]} taken", f"{counts[Verdict.ALREADY_THERE]} already there"]
    parts += [f"{counts[verdict]} {verdict.value}" for verdict in (Verdict.HELD, Verdict.INDEX) if counts[verdict]]
    return ", ".join([*parts, f"{counts[Verdict.REFUSED]} refused"])
