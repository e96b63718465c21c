"""A job: write a signed report as DICOM documents, into the archive by the same intake as every image."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.conf import settings

from archive.jobs.run import JobRefused
from archive.models import Instance
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
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
    progress.start(2, "Writing documents")
    reported = reported_at(signed)
    origin = Origin(
        door=Door.DERIVED,
        user_id=signed.author_id,
        processing=f"report: {signed.kind}, version {signed.number}",
        received_at=signed.signed_at,
    )
    for make in (structured_report, encapsulated_pdf):
        receive_part10(io.BytesIO(part10_bytes(make(reported))), origin)
        progress.step()
    return f"The {signed.kind} report was written as a structured report and as PDF."


def reported_at(signed: ReportVersion) -> Reported:
    """The report as it stood with a version, and the images that were there when it was signed."""
    versions = ReportVersion.objects.filter(report=signed.report, number__lte=signed.number).order_by("number")
    document = compose(list(versions))
    images = (
        Instance.objects.shown()
        .filter(series__study=signed.report.study, series__is_derived=False, received_at__lte=signed.signed_at)
        .order_by("series__series_number", "series_id", "instance_number", "pk")
        .values_list("series__series_instance_uid", "sop_class_uid", "sop_instance_uid")
    )
    found = list(images)
    if document is None or not found:
        raise JobRefused("The study has no image that the report could be about; nothing was written.")
    study = signed.report.study
    return Reported(
        document=document,
        study=study,
        images=found,
        organization=study.institution_name[:64] or getattr(settings, "PORTAL_SITE_NAME", "") or SITE_NAME,
    )
