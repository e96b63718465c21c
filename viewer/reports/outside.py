"""Reports of a study from elsewhere: structured reports and PDF that came with it, and results that were sent by HL7."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from archive.dicom.dates import format_date, format_time
from archive.dicom.sop_classes import ENCAPSULATED_PDF, name_of
from archive.errors import ArchiveError
from archive.models import Instance, Study, User
from archive.receiving.sources import Door
from viewer.errors import ViewerError
from viewer.hanging.priors import Prior, priors_of
from viewer.models import OutsideReport
from viewer.objects.report_reading import ShownReport, read_report
from viewer.reports.access import readable_versions
from viewer.reports.document import ReportDocument, compose
from viewer.worklist.rows import titled

logger = logging.getLogger(__name__)

NARRATIVE = tuple(f"1.2.840.10008.5.1.4.1.1.88.{number}" for number in ("11", "22", "33", "34"))
"""Basic Text, Enhanced, Comprehensive and Comprehensive 3D SR: what people write reports in."""
MOST_SHOWN = 10
MOST_READ = 3
"""Structured reports whose lines stand in the page; further ones are a link."""


@dataclass(frozen=True, slots=True)
class FromElsewhere:
    """One report from elsewhere: its text, its lines, or the address of its document."""

    title: str
    about: str
    """Kind, sender, status, author and time, in words."""
    text: str = ""
    report: ShownReport | None = None
    document: str = ""
    page: str = ""
    """Its own page."""


@dataclass(frozen=True, slots=True)
class PriorReport:
    """The newest report of an earlier study: ours as a document, or those from elsewhere."""

    prior: Prior
    document: ReportDocument | None
    outside: tuple[FromElsewhere, ...]

    @property
    def words(self) -> str:
        """How the section "comparison" names it: ``CT chest 2025-03-24``."""
        study = self.prior.study
        named = titled(" ".join(study.modality_list()), study.study_description)
        return " ".join(part for part in (named, self.prior.date) if part)


def outside_reports(study: Study) -> list[FromElsewhere]:
    """Results by HL7 first, then what came as objects, the latest first."""
    sent = OutsideReport.objects.filter(study=study, replaced_at=None)[:MOST_SHOWN]
    return [_by_message(one) for one in sent] + _objects(study)


def _by_message(one: OutsideReport) -> FromElsewhere:
    at = timezone.localtime(one.received_at)
    words = (one.get_status_display(), f"by {one.reported_by}" if one.reported_by else "", f"from {one.sender}")
    about = " ".join(part for part in words if part)
    return FromElsewhere(one.title or "Report", f"{about}, received {at:%Y-%m-%d %H:%M}", text=one.text)


def _objects(study: Study) -> list[FromElsewhere]:
    rows = (
        Instance.objects.shown()
        .filter(series__study=study, sop_class_uid__in=[*NARRATIVE, ENCAPSULATED_PDF])
        .exclude(door=Door.DERIVED)
        .select_related("series__study__patient", "stored_file")
        .order_by("-pk")[:MOST_SHOWN]
    )
    found: list[FromElsewhere] = []
    for row in rows:
        has_read = sum(one.report is not None for one in found)
        found.append(_object(row, study, reads=has_read < MOST_READ))
    return found


def _object(row: Instance, study: Study, *, reads: bool) -> FromElsewhere:
    page = reverse("object-page", args=[study.study_instance_uid, row.sop_instance_uid])
    when = " ".join(part for part in (format_date(study.study_date), format_time(study.study_time)) if part)
    about = ", ".join(part for part in (name_of(row.sop_class_uid), f"of {when}" if when else "") if part)
    title = row.series.series_description or name_of(row.sop_class_uid)
    if row.sop_class_uid == ENCAPSULATED_PDF:
        return FromElsewhere(title, about, document=reverse("object-document", args=[row.sop_instance_uid]), page=page)
    report = _read(row) if reads else None
    return FromElsewhere((report.title if report else "") or title, about, report=report, page=page)


def _read(row: Instance) -> ShownReport | None:
    try:
        return read_report(row)
    except (ArchiveError, OSError, ViewerError) as error:
        logger.warning("a report could not be read: %s", type(error).__name__, extra={"instance": row.sop_instance_uid})
        return None


def newest_prior_report(study: Study, who: User) -> PriorReport | None:
    """The report of the newest earlier study that has one and that this person may read."""
    for prior in priors_of(study, who):
        if not prior.is_earlier:
            continue
        document = compose(readable_versions(who, prior.study))
        outside = () if document else tuple(outside_reports(prior.study))
        if document or outside:
            return PriorReport(prior, document, outside)
    return None
