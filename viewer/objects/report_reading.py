"""A structured report of the archive as lines to show, its references with the address of the image."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from archive.dicom.coercion import coerce_dataset
from archive.dicom.part10 import read_dataset
from archive.mending.coercion import facts_of
from archive.models import Instance
from archive.storage import layout
from viewer.objects.elsewhere import places_of
from viewer.rendering.documents import Line, report_head, report_lines
from viewer.stacks.manifest import split_study

DEEPEST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A content item, how far it stands in, and where its image is shown; no address where there is none."""

    line: Line
    depth: int
    address: str


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A structured report, for reading."""

    title: str
    head: tuple[tuple[str, str], ...]
    lines: tuple[ShownLine, ...]


def read_report(instance: Instance) -> ShownReport:
    """Head and lines of a report.

    Raises
    ------
    ArchiveError, OSError, ViewerError
        The file cannot be read, or holds no report.
    """
    ds = read_dataset(layout.path_of(instance.stored_file.key))
    study = instance.series.study
    facts = facts_of(study)
    if facts is not None:
        coerce_dataset(ds, facts)
    places = places_of(split_study(study))
    viewer = reverse("viewer", args=[study.study_instance_uid])
    read = report_lines(ds)
    lines = []
    for line in read:
        place = places.get((line.sop_instance_uid, line.frame_number))
        address = f"{viewer}?view={place[0]}~{place[1]}" if place else ""
        lines.append(ShownLine(line, min(line.depth, DEEPEST_SHOWN), address))
    return ShownReport(read[0].name, tuple(report_head(ds)), tuple(lines))
