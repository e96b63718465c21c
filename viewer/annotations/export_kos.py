"""Key images as a Key Object Selection Document (PS3.3 A.35.4, PS3.16 TID 2010)."""

from __future__ import annotations

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from highdicom.sr import ObserverContext, PersonObserverIdentifyingAttributes
from pydicom import Dataset
from pydicom.sr.codedict import codes

from archive.dicom import values
from archive.dicom.uids import IMPLEMENTATION_VERSION_NAME
from viewer.annotations.exported import Exported, Measured
from viewer.annotations.shapes import Kind
from viewer.objects.writing import MANUFACTURER, person_name_of, stamp

SERIES_NUMBER = 9911


def key_object_selection(exported: Exported) -> Dataset | None:
    """The images that were marked, frames of multi-frame ones by number; None where none was."""
    keys = exported.of_kind(Kind.KEY_IMAGE)
    if not keys:
        return None
    headers = [image.header for image in {one.image.facts.pk: one.image for one in keys}.values()]
    content = KeyObjectSelection(
        document_title=codes.DCM.OfInterest,
        referenced_objects=headers,
        observer_person_context=ObserverContext(
            observer_type=codes.DCM.Person,
            observer_identifying_attributes=PersonObserverIdentifyingAttributes(person_name_of(exported.author)),
        ),
        description="; ".join(dict.fromkeys(one.label for one in keys if one.label)) or None,
    )
    ds = KeyObjectSelectionDocument(
        evidence=headers,
        content=content,
        series_instance_uid=exported.series_uid("KO"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=exported.uid("KO"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        specific_character_set="ISO_IR 192",
    )
    _name_frames(ds, keys)
    ds.SoftwareVersions = IMPLEMENTATION_VERSION_NAME
    ds.SeriesDescription = "Key images"
    stamp(ds, exported.made_at)
    return ds


def _name_frames(ds: Dataset, keys: list[Measured]) -> None:
    """Frame numbers (C.17.3) where an image has several frames."""
    for item in values.items(ds, "ContentSequence"):
        reference = values.first_item(item, "ReferencedSOPSequence")
        if reference is None:
            continue
        uid = values.text(reference, "ReferencedSOPInstanceUID")
        frames = sorted({one.frame_number for one in keys if one.image.facts.sop_instance_uid == uid})
        if any(one.image.facts.frames > 1 for one in keys if one.image.facts.sop_instance_uid == uid):
            reference.ReferencedFrameNumber = frames
