"""An echocardiogram: a colour loop with calibrated regions, and a still (US IODs, PS3.3 A.6, A.7).

The first region has no units; the second measures centimetres; the third seconds and cm/s.
"""

from __future__ import annotations

import io
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import JPEGBaseline8Bit, RLELossless, UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from viewer.demo import beating_heart as heart
from viewer.demo.headers import DemoVisit, new_dataset
from viewer.demo.objects import DemoObject, Maker, in_order

JPEG_QUALITY = 90
FRAME_BYTES = heart.ROWS * heart.COLUMNS * 3


def region(
    box: tuple[int, int, int, int],
    *,
    spatial_format: int,
    data_type: int,
    units: tuple[int, int],
    delta: tuple[float, float],
    reference: tuple[int, int] | None = None,
) -> Dataset:
    """One item of the Sequence of Ultrasound Regions (PS3.3 C.8.5.5); units 0 none, 3 cm, 4 s, 7 cm/s."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = spatial_format, data_type, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta
    if reference is not None:
        item.ReferencePixelX0, item.ReferencePixelY0 = reference
        item.ReferencePixelPhysicalValueX, item.ReferencePixelPhysicalValueY = 0.0, 0.0
    return item


def regions() -> Sequence:
    """Return the three regions of every picture of this study."""
    sector, doppler = heart.SECTOR_BOX, heart.DOPPLER_BOX
    return Sequence(
        [
            region(heart.ECG_BOX, spatial_format=5, data_type=10, units=(0, 0), delta=(1.0, 1.0)),
            region(
                sector,
                spatial_format=1,
                data_type=1,
                units=(3, 3),
                delta=(heart.CM_PER_PX, heart.CM_PER_PX),
                reference=(heart.APEX[1] - sector[0], heart.APEX[0] - sector[1]),
            ),
            region(
                doppler,
                spatial_format=3,
                data_type=3,
                units=(4, 7),
                delta=(heart.DOPPLER_SECONDS / (doppler[2] - doppler[0] + 1), -heart.CM_PER_S_PER_PX),
                reference=(0, heart.DOPPLER_BASELINE - doppler[1]),
            ),
        ]
    )


def jpeg_bytes(picture: NDArray[np.uint8]) -> bytes:
    """Compress a picture as JPEG baseline, with half the colour columns."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:2")
    return buffer.getvalue()


def rle_bytes(picture: NDArray[np.uint8]) -> bytes:
    """Compress a picture as RLE (PS3.5 G): one segment a color, each row packed by itself."""
    planes = [_packed(picture[..., color]) for color in range(3)]
    offsets, at = [], 64
    for plane in planes:
        offsets.append(at)
        at += len(plane)
    header = np.array([len(planes), *offsets, *[0] * (15 - len(offsets))], dtype="<u4")
    return header.tobytes() + b"".join(planes)


def _packed(plane: NDArray[np.uint8]) -> bytes:
    """PackBits of a plane, of even length: runs of three or more, the rest as it is."""
    packed = bytearray()
    for row in plane:
        bounds = np.flatnonzero(np.diff(row)) + 1
        starts = np.concatenate([[0], bounds])
        lengths = np.diff(np.concatenate([starts, [len(row)]]))
        literal = bytearray()
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            if length < 3:
                literal += row[start : start + length].tobytes()
                continue
            _put_literal(packed, literal)
            for part in range(0, length, 128):
                count = min(128, length - part)
                if count == 1:
                    literal.append(int(row[start]))
                else:
                    packed += bytes((257 - count, int(row[start])))
        _put_literal(packed, literal)
    return bytes(packed) + b"\0" * (len(packed) % 2)


def _put_literal(packed: bytearray, literal: bytearray) -> None:
    for start in range(0, len(literal), 128):
        part = literal[start : start + 128]
        packed += bytes((len(part) - 1,)) + part
    literal.clear()


def _common(visit: DemoVisit, sop_class_uid: str, number: int, description: str) -> Dataset:
    ds = new_dataset(
        visit,
        sop_class_uid=sop_class_uid,
        modality="US",
        series=f"echo {number}",
        series_number=number,
        series_description=description,
        instance_number=1,
        taken_after=timedelta(minutes=3 * number),
        model="Phantom US",
    )
    ds.ImageType = ["ORIGINAL", "PRIMARY", "", "0011"]
    ds.PatientOrientation = ""
    ds.SequenceOfUltrasoundRegions = regions()
    ds.UltrasoundColorDataPresent = 1
    ds.SamplesPerPixel, ds.PlanarConfiguration = 3, 0
    ds.Rows, ds.Columns = heart.ROWS, heart.COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.HeartRate = str(round(60 / heart.BEAT_S))
    return ds


def loop_object(visit: DemoVisit) -> DemoObject:
    """Make the loop, JPEG baseline, its cine rate in three places that agree."""
    ds = _common(visit, UltrasoundMultiFrameImageStorage, 1, "A4C colour")
    ds.PhotometricInterpretation = "YBR_FULL_422"
    ds.NumberOfFrames = heart.FRAMES
    ds.FrameTime = f"{1000 / heart.FRAMES_PER_S:.4f}"
    ds.FrameIncrementPointer = Tag("FrameTime")
    ds.CineRate = ds.RecommendedDisplayFrameRate = int(heart.FRAMES_PER_S)
    ds.StartTrim, ds.StopTrim, ds.PreferredPlaybackSequencing = 1, heart.FRAMES, 0
    frames = list(in_order(lambda frame: jpeg_bytes(heart.picture_at(frame)), range(heart.FRAMES)))
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    ds.LossyImageCompressionRatio = f"{heart.FRAMES * FRAME_BYTES / sum(map(len, frames)):.1f}"
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    return DemoObject(ds, JPEGBaseline8Bit)


def still_object(visit: DemoVisit) -> DemoObject:
    """Make a still at the end of filling, RGB in RLE."""
    ds = _common(visit, UltrasoundImageStorage, 2, "A4C end diastole")
    ds.PhotometricInterpretation = "RGB"
    ds.LossyImageCompression = "00"
    ds.PixelData = encapsulate([rle_bytes(heart.picture_at(2, color=False))])
    ds["PixelData"].VR = "OB"
    return DemoObject(ds, RLELossless)


def ultrasound_study(visit: DemoVisit) -> list[Maker]:
    """The loop and the still."""
    return [partial(loop_object, visit), partial(still_object, visit)]
