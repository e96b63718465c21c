"""``manage.py add_scheduled_step FILE.json``: put steps on the modality worklist."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from pydicom import Dataset

from archive.models import ScheduledStep
from archive.scheduling.orders import BadOrder, Source, add_steps

MOST_BYTES = 16 * 2**20
"""Largest file."""


class Command(BaseCommand):
    help = (
        "Put scheduled procedure steps on the modality worklist from DICOM JSON: one worklist item as PS3.4 table "
        "K.6-1 nests it, or a list of them. A step that is known is brought up to date."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.json", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        steps: list[ScheduledStep] = []
        data_sets = read_json(file)
        try:
            with transaction.atomic():
                for ds in data_sets:
                    steps += add_steps(ds, source=Source("add_scheduled_step"))
        except BadOrder as error:
            raise CommandError(f"{error} Nothing was added; step {len(steps) + 1} was not understood.") from None
        for step in steps:
            self.stdout.write(
                f"Step {step.scheduled_procedure_step_id} ({step.modality}, {step.start_date} {step.start_time}) "
                f"is on the modality worklist for study {step.study_instance_uid}."
            )


def read_json(file: Path) -> list[Dataset]:
    """Data sets of a file in the DICOM JSON model (PS3.18 annex F)."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise CommandError(f"{file} is larger than {MOST_BYTES // 2**20} MiB.")
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise CommandError(f"{file} is no JSON in UTF-8.") from None
    found = content if isinstance(content, list) else [content]
    if not found or not all(isinstance(item, dict) for item in found):
        raise CommandError(f"{file} is neither an object of the DICOM JSON model nor a list of such objects.")
    try:
        return [Dataset.from_json(item) for item in found]
    except Exception as error:
        # Whatever pydicom's reader trips over, the file is not in the DICOM JSON model.
        raise CommandError(
            f"{file} is not in the DICOM JSON model (PS3.18 annex F): {type(error).__name__}. "
            'An attribute is written {"00100020": {"vr": "LO", "Value": ["12345"]}}.'
        ) from None
