"""Attributes that no row keeps, read from a stored data set of what was found; a bounded number of files a query."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from pydicom import Dataset, config
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items

from archive.dicom.part10 import read_dataset
from archive.errors import ArchiveError
from archive.models import Instance
from archive.storage import layout

logger = logging.getLogger(__name__)

LONGEST_VALUE: Final = 64 * 1024
"""Bytes of a value beyond which an answer holds it empty."""
_BULK: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


class StoredValues:
    """Reads the wanted attributes of one instance of each row, until ``budget`` files have been read."""

    def __init__(self, keywords: Sequence[str], *, budget: int) -> None:
        self._keywords = [keyword for keyword in keywords if tag_for_keyword(keyword) is not None]
        self._budget = budget

    def of(
        self, study_id: int, series_id: int | None, instance_id: int | None
    ) -> Iterator[tuple[str, DataElement | None]]:
        """Each wanted keyword and its element; None where the data set has none or the budget is spent."""
        if not self._keywords:
            return
        ds = self._data_set(study_id, series_id, instance_id)
        for keyword in self._keywords:
            yield keyword, _element(ds, keyword)

    def _data_set(self, study_id: int, series_id: int | None, instance_id: int | None) -> Dataset:
        if self._budget <= 0:
            return Dataset()
        self._budget -= 1
        shown = Instance.objects.shown().filter(stored_file__isnull=False)
        if instance_id is not None:
            shown = shown.filter(pk=instance_id)
        elif series_id is not None:
            shown = shown.filter(series=series_id)
        else:
            shown = shown.filter(series__study=study_id)
        key = shown.order_by("pk").values_list("stored_file__key", flat=True).first()
        if key is None:
            return Dataset()
        try:
            return read_dataset(layout.path_of(key))
        except (ArchiveError, OSError) as error:
            logger.warning("a stored file cannot be read for a query: %s", type(error).__name__, extra={"key": key})
            return Dataset()


def _element(ds: Dataset, keyword: str) -> DataElement | None:
    if keyword not in ds:
        return None
    try:
        return _plain(ds[keyword])
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot read; the answer then holds none.
        logger.info("a stored value cannot be read for a query: %s %s", keyword, type(error).__name__)
        return None


def _plain(element: DataElement) -> DataElement | None:
    """The element as text that has left its data set's character set behind; None for what is too large."""
    if element.VR == "SQ":
        items = []
        for item in element.value:
            plain = Dataset()
            for inner in item:
                if inner.keyword != "SpecificCharacterSet" and (copied := _plain(inner)) is not None:
                    plain.add(copied)
            items.append(plain)
        return DataElement(element.tag, "SQ", Items(items))
    if element.VR in _BULK or len(str(element.value)) > LONGEST_VALUE:
        return None
    value = element.value
    if element.VR == "PN":
        value = [str(name) for name in value] if element.VM > 1 else str(value)
    return DataElement(element.tag, element.VR, value, validation_mode=config.IGNORE)
