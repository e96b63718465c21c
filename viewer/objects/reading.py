"""Objects without pictures as data sets, read once for all who look into them."""

from __future__ import annotations

import logging

from pydicom import Dataset

from archive.dicom.part10 import read_dataset
from archive.errors import ArchiveError
from archive.storage import layout
from viewer.stacks.facts import InstanceFacts
from viewer.stacks.lookup import Kept

logger = logging.getLogger(__name__)

_read: Kept[str, Dataset | None] = Kept(16)


def forget_read() -> None:
    """Drop what is kept, where it has turned out to be old."""
    _read.clear()


def read_object(instance: InstanceFacts) -> Dataset | None:
    """The data set of an object, read once; None where it cannot be read."""
    return _read.get(instance.key, lambda: _read_file(instance))


def _read_file(instance: InstanceFacts) -> Dataset | None:
    try:
        return read_dataset(layout.path_of(instance.key))
    except (ArchiveError, OSError) as error:
        logger.warning(
            "an object could not be read",
            extra={"why": type(error).__name__, "instance": instance.sop_instance_uid},
        )
        return None
