"""Metadata in the DICOM JSON model (PS3.18 F): of an instance made at once, of a settled series kept ready, compressed.

What is kept is derived: it may be lost, and is made again when it is asked for.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from django.conf import settings
from isal import igzip
from pydicom import Dataset
from pydicom.dataelem import DataElement

from archive.dicom.coercion import coerce_dataset
from archive.dicom.part10 import read_dataset
from archive.dicomweb.bulk_data import THRESHOLD
from archive.dicomweb.qido import address_of
from archive.dicomweb.targets import Target, target_of
from archive.errors import ArchiveError
from archive.mending.coercion import facts_of
from archive.metrics import count_cache
from archive.models import Instance, Series
from archive.storage import layout

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job

logger = logging.getLogger(__name__)

LEVEL: Final = 1
_PIXELS: Final = {
    "PixelData": ("7FE00010", "OW"),
    "FloatPixelData": ("7FE00008", "OF"),
    "DoubleFloatPixelData": ("7FE00009", "OD"),
}


@dataclass(frozen=True, slots=True)
class Gzipped:
    """A JSON array, compressed."""

    packed: bytes

    @classmethod
    def of(cls, models: Iterable[dict[str, Any]]) -> Self:
        text = json.dumps(list(models), separators=(",", ":"))
        return cls(igzip.compress(text.encode(), LEVEL))

    @classmethod
    def join(cls, arrays: Iterable[Gzipped]) -> Gzipped:
        """One array of the elements of several."""
        inner = [array.unpacked()[1:-1] for array in arrays]
        return cls(igzip.compress(b"[" + b",".join(part for part in inner if part) + b"]", LEVEL))

    def unpacked(self) -> bytes:
        return igzip.decompress(self.packed)


def metadata_of_instance(instance: Instance) -> dict[str, Any]:
    """One data set without bulk data, of which it names the addresses.

    A file that cannot be read any more leaves what its row knows.
    """
    series = instance.series
    base = address_of(series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid)
    try:
        ds = read_dataset(layout.path_of(instance.stored_file.key))
        facts = facts_of(series.study)
        if facts is not None:
            coerce_dataset(ds, facts)
    except (ArchiveError, OSError) as error:
        logger.error(
            "a stored file cannot be read for its metadata: %s",
            type(error).__name__,
            extra={"sop_instance_uid": instance.sop_instance_uid},
        )
        ds = Dataset()
        ds.StudyInstanceUID, ds.SeriesInstanceUID = series.study.study_instance_uid, series.series_instance_uid
        ds.SOPClassUID, ds.SOPInstanceUID = instance.sop_class_uid, instance.sop_instance_uid
    model = model_of(ds, f"{base}/bulkdata")
    if instance.frames:
        tag, vr = _pixels_of(instance)
        model[tag] = {"vr": vr, "BulkDataURI": f"{base}/bulkdata/{tag}"}
    # PS3.18 F.2: JSON is UTF-8, and so says the data set.
    model["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    # PS3.18 10.4.1.1.2: retrieved metadata names the transfer syntax that the pixels are available in.
    model["00083002"] = {"vr": "UI", "Value": [instance.stored_file.transfer_syntax_uid]}
    return dict(sorted(model.items()))


def model_of(ds: Dataset, address: str) -> dict[str, Any]:
    """A data set in the JSON model; large binary values become addresses below ``address``."""
    model: dict[str, Any] = {}
    for tag in sorted(ds.keys()):
        name = f"{int(tag):08X}"
        try:
            element = ds[tag]
            model[name] = _element(element, f"{address}/{name}")
        except Exception as error:
            # pydicom raises what it likes for a hostile value; the rest of the data set is told all the same.
            logger.info("an element is left out of metadata: %s %s", name, type(error).__name__)
    return model


def _element(element: DataElement, address: str) -> dict[str, Any]:
    if element.VR == "SQ":
        items = [model_of(item, f"{address}/{number}") for number, item in enumerate(element.value, 1)]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    if isinstance(element.value, bytes) and len(element.value) > THRESHOLD:
        return {"vr": element.VR, "BulkDataURI": address}
    return element.to_json_dict(None, THRESHOLD)


def _pixels_of(instance: Instance) -> tuple[str, str]:
    for keyword, place in _PIXELS.items():
        if keyword != "PixelData" and f'"{keyword}"' in instance.description:
            return place
    return _PIXELS["PixelData"]


def make_metadata(job: Job, progress: Progress) -> str:
    """A job: metadata of every series of a study that has gone quiet."""
    study = job.study
    if study is None:
        return "The study is no longer there."
    target = target_of(study)
    progress.start(len(target.series), "Preparing metadata")
    for series in target.series:
        metadata_of_series(series, target)
        progress.step()
    return f"Metadata of {len(target.series)} series is ready."


def metadata_of_series(series: Series, target: Target) -> Gzipped:
    """Metadata of a series' shown instances: kept ready, or made now and kept."""
    path = _path(series, target.study.revision)
    try:
        kept = Gzipped(path.read_bytes())
    except FileNotFoundError:
        count_cache("metadata", is_hit=False)
    else:
        count_cache("metadata", is_hit=True)
        return kept
    made = Gzipped.of(metadata_of_instance(instance) for instance in target.instances_of(series))
    _keep(path, made)
    return made


def _path(series: Series, revision: int) -> Path:
    # Addresses stand in it: it is another file where the world calls us otherwise.
    name = layout.digest_of(f"{series.series_instance_uid} {settings.PORTAL_PUBLIC_URL}")
    return Path(settings.PORTAL_DATA) / "cache" / "metadata" / name[:2] / f"{name}-{revision}.json.gz"


def _keep(path: Path, made: Gzipped) -> None:
    hidden = path.with_name(f".{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden.write_bytes(made.packed)
        for older in path.parent.glob(f"{path.name.partition('-')[0]}-*.json.gz"):
            older.unlink(missing_ok=True)
        hidden.rename(path)
    except OSError as error:
        # A full disk only makes the next one wait longer.
        hidden.unlink(missing_ok=True)
        logger.warning("metadata could not be kept: %s", error.strerror)
