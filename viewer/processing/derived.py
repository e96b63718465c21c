"""Data sets of derived series: DERIVED\\SECONDARY, with what their sources had and nothing they no longer have.

PS3.3 C.7.6.1.1.2 (Image Type), C.7.6.1.1.4 (sources), C.12.4 (derivation), CID 7203.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence

from archive.dicom.transfer_syntaxes import transfer_syntax
from archive.dicom.uids import uid_from

UNSHARP_MASK = ("113089", "Unsharp mask")
MAXIMUM_INTENSITY_PROJECTION = ("113078", "Maximum intensity projection")

REMOVED = (
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
    "ModalityLUTSequence",
    "RealWorldValueMappingSequence",
    "IconImageSequence",
    "PixelPaddingRangeLimit",
    "DataSetTrailingPadding",
    "DigitalSignaturesSequence",
    "OriginalAttributesSequence",
    "AcquisitionUID",
)
"""Attributes of a source that say nothing true about what was made of it."""


class DerivedSeries(NamedTuple):
    """What all images of a derived series share."""

    series_instance_uid: str
    series_number: int
    series_description: str
    derivation_description: str
    derivation_code: tuple[str, str] | None
    """Of CID 7203, where one says it."""
    made_at: datetime
    frame_of_reference_uid: str
    """That of the sources only where each image lies exactly where its one source lies; empty where they have none."""


OVERLAY_GROUPS = range(0x6000, 0x6100)


def derive(
    sources: Sequence[Dataset],
    values: NDArray[np.floating],
    series: DerivedSeries,
    *,
    instance_number: int,
    window: tuple[float, float],
    padded: NDArray[np.bool_] | None = None,
) -> Dataset:
    """Build one derived image; the same for the same sources and series, so that making it twice makes one.

    Parameters
    ----------
    sources
        Data sets of the images it was made from, without their pixels; never changed.
    values
        (rows, columns) in the units after the modality LUT of the sources.
    window
        Center and width it is first shown in.
    padded
        Pixels that hold nothing; stored as one padding value.
    """
    ds = copy.deepcopy(sources[len(sources) // 2])
    for tag in [tag for tag in list(ds.keys()) if tag.is_private or tag.group in {0x0002, 0x7FE0, *OVERLAY_GROUPS}]:
        del ds[tag]
    for keyword in REMOVED:
        _drop(ds, keyword)
    _identify(ds, sources, series, instance_number)
    _put_pixels(ds, values, padded)
    ds.WindowCenter, ds.WindowWidth = f"{window[0]:.6g}", f"{max(window[1], 1):.6g}"
    return ds


def _identify(ds: Dataset, sources: Sequence[Dataset], series: DerivedSeries, instance_number: int) -> None:
    ds.SOPInstanceUID = uid_from(series.series_instance_uid, str(instance_number))
    ds.SeriesInstanceUID = series.series_instance_uid
    ds.SeriesNumber = series.series_number
    ds.SeriesDescription = series.series_description[:64]
    ds.InstanceNumber = instance_number
    ds.ImageType = ["DERIVED", "SECONDARY", *list(ds.get("ImageType", ["", "", "AXIAL"]))[2:3]]
    ds.DerivationDescription = series.derivation_description[:1024]
    _drop(ds, "DerivationCodeSequence")
    if series.derivation_code is not None:
        ds.DerivationCodeSequence = DicomSequence([_code(*series.derivation_code)])
    ds.SourceImageSequence = DicomSequence([_reference(source) for source in sources])
    ds.InstanceCreationDate = ds.SeriesDate = ds.ContentDate = series.made_at.strftime("%Y%m%d")
    ds.InstanceCreationTime = ds.SeriesTime = ds.ContentTime = series.made_at.strftime("%H%M%S")
    _drop(ds, "FrameOfReferenceUID")
    if series.frame_of_reference_uid:
        ds.FrameOfReferenceUID = series.frame_of_reference_uid
        if "PositionReferenceIndicator" not in ds:
            ds.PositionReferenceIndicator = ""
    if "Units" in ds:
        ds.Units = "NONE"  # PS3.3 C.8.9.1.1.3: a PET's values are no longer an activity or an SUV.
    _inherit_loss(ds, sources)
    if any(source.get("BurnedInAnnotation", "") == "YES" for source in sources):
        ds.BurnedInAnnotation = "YES"


def _inherit_loss(ds: Dataset, sources: Sequence[Dataset]) -> None:
    """What was lost once stays lost, whatever the encoding now (PS3.3 C.7.6.1.1.5)."""
    lossy = next((source for source in sources if _is_lossy(source)), None)
    if lossy is None:
        return
    ds.LossyImageCompression = "01"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if keyword in lossy:
            setattr(ds, keyword, copy.deepcopy(lossy[keyword].value))


def _is_lossy(source: Dataset) -> bool:
    meta = getattr(source, "file_meta", None) or Dataset()
    encoded = str(meta.get("TransferSyntaxUID", ""))
    return str(source.get("LossyImageCompression", "")) == "01" or bool(encoded and transfer_syntax(encoded).lossy)


def _drop(ds: Dataset, keyword: str) -> None:
    if keyword in ds:
        delattr(ds, keyword)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _reference(source: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = DicomSequence(
        [_code("121322", "Source image for image processing operation")]
    )
    return item


def _put_pixels(ds: Dataset, values: NDArray[np.floating], padded: NDArray[np.bool_] | None) -> None:
    """Signed 16-bit pixels; the modality values no longer are what the source's unit says (Rescale Type US)."""
    counted = values if padded is None or padded.all() else values[~padded]
    low, high = float(counted.min()), float(counted.max())
    whole = low >= -32000 and high <= 32000 and high - low > 255
    slope = 1.0 if whole else max((high - low) / 60000, 1e-9)
    intercept = 0.0 if whole else (high + low) / 2
    stored = np.clip(np.floor((values - intercept) / slope + 0.5), -32767, 32767).astype("<i2")
    if padded is not None and padded.any():
        stored[padded] = -32768
        ds.PixelPaddingValue = -32768
        ds["PixelPaddingValue"].VR = "SS"
    else:
        _drop(ds, "PixelPaddingValue")
    ds.Rows, ds.Columns = values.shape
    # A negative stays one: the values grow in the direction in which those of the source grew.
    inverted = ds.get("PhotometricInterpretation", "") == "MONOCHROME1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME1" if inverted else "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 1
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = f"{slope:.10g}", f"{intercept:.10g}", "US"
    ds.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"
