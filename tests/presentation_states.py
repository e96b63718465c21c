"""Presentation states built in memory, complete enough for dcmtk to take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom import Dataset

from archive.dicom.uids import new_uid

GRAYSCALE = "1.2.840.10008.5.1.4.1.1.11.1"
COLOR = "1.2.840.10008.5.1.4.1.1.11.2"
PSEUDO_COLOR = "1.2.840.10008.5.1.4.1.1.11.3"
BLENDING = "1.2.840.10008.5.1.4.1.1.11.4"


def item(**attributes: Any) -> Dataset:
    """A data set of these attributes."""
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def reference(image: Dataset, *frames: int) -> Dataset:
    """An item that names an image, or some of its frames."""
    one = item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
    if frames:
        one.ReferencedFrameNumber = list(frames)
    return one


def lut(entries: Sequence[int], *, first: int = 0, bits: int = 16) -> Dataset:
    """An item of a sequence of lookup tables."""
    table = item(LUTDescriptor=[len(entries) % 65536, first, bits])
    table.add_new(0x00283006, "OW", np.array(entries, "<u2").tobytes())
    return table


def displayed_area(left: int, top: int, right: int, bottom: int, **attributes: Any) -> Dataset:
    """An item of the Displayed Area Selection Sequence; columns and rows from 1."""
    return item(
        **{
            "DisplayedAreaTopLeftHandCorner": [left, top],
            "DisplayedAreaBottomRightHandCorner": [right, bottom],
            "PresentationSizeMode": "SCALE TO FIT",
            "PresentationPixelAspectRatio": [1, 1],
            **attributes,
        }
    )


def presentation_state(*images: Dataset, frames: Sequence[int] = (), **attributes: Any) -> Dataset:
    """A grayscale state about images that changes nothing, but for the attributes that are given."""
    first = images[0]
    ds = item(
        SOPClassUID=GRAYSCALE,
        SOPInstanceUID=new_uid(),
        StudyInstanceUID=first.StudyInstanceUID,
        SeriesInstanceUID=f"{first.StudyInstanceUID}.77",
        PatientName=first.PatientName,
        PatientID=first.PatientID,
        PatientBirthDate="",
        PatientSex="",
        StudyDate="20261124",
        StudyTime="",
        ReferringPhysicianName="",
        StudyID="",
        AccessionNumber="",
        Modality="PR",
        SeriesNumber=77,
        InstanceNumber=1,
        Manufacturer="",
        ContentLabel="LESION",
        ContentDescription="Window of the reader",
        ContentCreatorName="READER^ONE",
        PresentationCreationDate="20261124",
        PresentationCreationTime="101500",
        PresentationLUTShape="IDENTITY",
    )
    ds.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=first.SeriesInstanceUID,
            ReferencedImageSequence=[reference(image, *frames) for image in images],
        )
    ]
    ds.DisplayedAreaSelectionSequence = [displayed_area(1, 1, int(first.Columns), int(first.Rows))]
    for keyword, value in attributes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def softcopy_window(center: float, width: float, *references: Dataset, **attributes: Any) -> Dataset:
    """An item of the Softcopy VOI LUT Sequence."""
    one = item(WindowCenter=center, WindowWidth=width, **attributes)
    if references:
        one.ReferencedImageSequence = list(references)
    return one


def softcopy_lut(entries: Sequence[int], *, first: int = 0, bits: int = 16) -> Dataset:
    """An item of the Softcopy VOI LUT Sequence that is a table."""
    return item(VOILUTSequence=[lut(entries, first=first, bits=bits)])
