"""Addresses below ``/dicom-web/``."""

from __future__ import annotations

from archive import uid_converter  # noqa: F401 - registers ``uid``
from archive.dicomweb import bulk_resources, qido, wado
from archive.dicomweb.deleting import delete
from archive.dicomweb.doors import not_offered, resource
from archive.dicomweb.stow import stow

STUDY = "studies/<uid:study_instance_uid>"
SERIES = f"{STUDY}/series/<uid:series_instance_uid>"
INSTANCE = f"{SERIES}/instances/<uid:sop_instance_uid>"

urlpatterns = [
    resource(""),
    resource("studies", "dicomweb-studies", GET=qido.studies, POST=stow),
    resource("series", GET=qido.series),
    resource("instances", GET=qido.instances),
    resource(STUDY, "dicomweb-study", GET=wado.instances, POST=stow, DELETE=delete),
    resource(f"{STUDY}/metadata", GET=wado.metadata),
    resource(f"{STUDY}/series", GET=qido.series),
    resource(f"{STUDY}/instances", GET=qido.instances),
    resource(SERIES, GET=wado.instances, DELETE=delete),
    resource(f"{SERIES}/metadata", GET=wado.metadata),
    resource(f"{SERIES}/instances", GET=qido.instances),
    resource(INSTANCE, GET=wado.instances, DELETE=delete),
    resource(f"{INSTANCE}/metadata", GET=wado.metadata),
    resource(f"{INSTANCE}/frames/<str:frames>", GET=wado.frames),
    resource(f"{INSTANCE}/bulkdata/<path:place>", GET=wado.bulk),
    *(resource(f"{one}/pixeldata", GET=bulk_resources.pixel_data) for one in (STUDY, SERIES, INSTANCE)),
    *(resource(f"{one}/bulkdata", GET=bulk_resources.all_bulk_data) for one in (STUDY, SERIES, INSTANCE)),
    *not_offered(),
]
