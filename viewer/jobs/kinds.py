"""The kinds of jobs that the viewer brings."""

from __future__ import annotations

from archive.jobs.registry import Kind, register


def register_all() -> None:
    register(Kind("pictures", "Thumbnails and first pictures", "viewer.tiles.pictures.make_pictures", is_quick=True))
    register(Kind("enhance", "Enhanced copy of a series", "viewer.jobs.enhance.enhance_series"))
    register(Kind("report", "Report as DICOM documents", "viewer.jobs.report_documents.write_documents"))
    register(
        Kind("measurements", "Measurements as DICOM objects", "viewer.jobs.measurement_objects.write_measurements")
    )
    register(Kind("view", "View as a presentation state", "viewer.jobs.measurement_objects.write_view"))
    register(Kind("mip", "Maximum intensity projection", "viewer.jobs.project.project_series"))
    register(Kind("export", "File to take away", "viewer.jobs.export.export"))
    register(Kind("deidentify", "De-identified copy", "viewer.jobs.deidentified.make_copy"))
    register(Kind("result", "Report to another system (HL7)", "viewer.results.sending.send_result"))
