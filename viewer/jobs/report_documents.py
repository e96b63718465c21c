"""A job: write a signed report as DICOM documents, into the archive by the same intake as every image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from pydicom import Dataset

from archive.jobs.run import JobRefused
from archive.models import Instance
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from viewer.annotations.exported import Exported
from viewer.jobs.measurement_objects import in_words, measurement_objects, receive_all
from viewer.jobs.sources import part10_bytes
from viewer.models import ReportVersion
from viewer.pages.context import SITE_NAME
from viewer.reports.document import compose
from viewer.reports.structured import Reported, encapsulated_pdf, structured_report

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job


def write_documents(job: Job, progress: Progress) -> str:
    """Parameters: ``version``, the signed version that the documents end with."""
    version = ReportVersion.objects.select_related("report__study__patient").filter(pk=job.parameters.get("version"))
    signed = version.first()
    if signed is None or signed.report.study_id != job.study_id:
        raise JobRefused("The signed report is no longer there.")
    progress.start(3, "Writing documents")
    exported = Exported(
        study=signed.report.study,
        drawn=job.parameters.get("drawn", []),
        author=signed.author_name,
        made_at=timezone.localtime(signed.signed_at),
        name=f"report version {signed.number}",
    )
    drawn = measurement_objects(exported)
    reported = reported_at(signed, drawn)
    origin = Origin(
        door=Door.DERIVED,
        user_id=signed.author_id,
        processing=f"report: {signed.kind}, version {signed.number}",
        received_at=signed.signed_at,
    )
    for make in (structured_report, encapsulated_pdf):
        receive_part10(io.BytesIO(part10_bytes(make(reported))), origin)
        progress.step()
    receive_all(drawn, user=signed.author, processing="measurements", at=signed.signed_at)
    progress.step()
    also = f", with {in_words(drawn)}" if drawn else ""
    return f"The {signed.kind} report was written as a structured report and as PDF{also}."


def reported_at(signed: ReportVersion, drawn: Sequence[Dataset]) -> Reported:
    """The report as it stood with a version, the images that were there when it was signed, and what was measured."""
    versions = ReportVersion.objects.filter(report=signed.report, number__lte=signed.number).order_by("number")
    document = compose(list(versions))
    images = (
        Instance.objects.shown()
        .filter(series__study=signed.report.study, series__is_derived=False, received_at__lte=signed.signed_at)
        .order_by("series__series_number", "series_id", "instance_number", "pk")
        .values_list("series__series_instance_uid", "sop_class_uid", "sop_instance_uid", "frames")
    )
    found = list(images)
    if document is None or not found:
        raise JobRefused("The study has no image that the report could be about; nothing was written.")
    study = signed.report.study
    return Reported(
        document=document,
        study=study,
        images=found,
        objects=drawn,
        organization=study.institution_name[:64] or getattr(settings, "PORTAL_SITE_NAME", "") or SITE_NAME,
    )
