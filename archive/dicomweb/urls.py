"""Addresses below ``/dicom-web/``."""

from __future__ import annotations

from django.urls import path

from archive.dicomweb import doors, qido, wado

STUDY = "studies/<uid:study_instance_uid>"
SERIES = f"{STUDY}/series/<uid:series_instance_uid>"
INSTANCE = f"{SERIES}/instances/<uid:sop_instance_uid>"

urlpatterns = [
    path("studies", doors.studies, name="dicomweb-studies"),
    path("series", qido.series),
    path("instances", qido.instances),
    path(STUDY, doors.study, name="dicomweb-study"),
    path(f"{STUDY}/metadata", wado.metadata),
    path(f"{STUDY}/series", qido.series),
    path(f"{STUDY}/instances", qido.instances),
    path(SERIES, wado.instances),
    path(f"{SERIES}/metadata", wado.metadata),
    path(f"{SERIES}/instances", qido.instances),
    path(INSTANCE, wado.instances),
    path(f"{INSTANCE}/metadata", wado.metadata),
    path(f"{INSTANCE}/frames/<str:numbers>", wado.frames),
    path(f"{INSTANCE}/bulkdata/<path:place>", wado.bulk),
]
