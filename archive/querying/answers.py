"""Answers: values of the rows that were found, as recorded, and what is computed from them.

Rows are read page by page in short queries, so that memory stays flat and a slow reader holds nothing open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice, repeat
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, Sum
from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from archive.models import Instance, Series, SeriesRequest, Study
from archive.models.study import StudyQuerySet
from archive.querying.keys import COMPUTED, COUNTS, KEYS, REQUEST_COLUMNS, REQUESTS, UNIQUE, Level, Owner, level_of
from archive.querying.search import PATHS, Query, find_ids, plan
from archive.querying.stored_values import StoredValues

PAGES: Final = (20, 80)
"""Rows of the first pages: an answer is waited for, and a search's first piece is as large as both."""
PAGE: Final = 200
FILES_READ: Final = 500
"""Stored files that one query reads for attributes that no row keeps; later answers hold these empty."""
Values = dict[str, Any]
"""An answer: text, numbers or lists of them by keyword; a ``DataElement`` where it was read from a file."""
_SHAPE: Final = {"Rows": "rows", "Columns": "columns", "NumberOfFrames": "frames"}
"""Kept for drawing; 0 is no value."""
_BITS: Final = "BitsAllocated"
_OF_IMAGE: Final = {*_SHAPE, _BITS}
_BITS_KEPT: Final = re.compile(r'"bits_allocated": ?(\d+)', re.ASCII)
_BITS_BY_DEFAULT: Final = 16
_COUNTED: Final = "NumberOfSeriesRelatedInstances"
_OF_PATIENT_ROW: Final = frozenset(
    {"patient_id", "issuer_of_patient_id", "patient_name", "patient_birth_date", "patient_sex"}
)
"""At patient level these are the patient's own, whatever a study says."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that was found: whose it is, and the values that it keeps."""

    study_id: int
    patient_id: int
    series_id: int | None
    instance_id: int | None
    values: Values


@dataclass(slots=True)
class Answers:
    """What a query finds, to be walked once.

    Parameters
    ----------
    query, who
        What is asked, by whom.
    returning
        Keywords that answers hold, in any order; a sequence may name its items' keywords.
    retrieve_ae_title
        Ours.

    Raises
    ------
    BadKey
        When it is made, before anything is looked for.
    """

    query: Query
    who: Any
    returning: Sequence[str]
    retrieve_ae_title: str = ""
    ids: Iterable[int] | None = None
    """Rows that were found already, such as a page of a list in its own order."""
    unsupported: frozenset[str] = field(init=False)
    """Keys that answers cannot hold, or that were not matched on (PS3.4 C.2.2.1.3)."""
    _found: Iterator[int] = field(init=False)
    _stored: StoredValues = field(init=False)

    def __post_init__(self) -> None:
        read = plan(self.query)
        level = self.query.level
        beyond = {keyword for keyword in self.returning if (of := level_of(keyword)) is None or of > level}
        self.unsupported = read.ignored | beyond
        kept = {keyword for keyword in self.returning if _is_kept(keyword, level)}
        self._stored = StoredValues([k for k in self.returning if k not in kept | beyond], budget=FILES_READ)
        self.returning = [keyword for keyword in self.returning if keyword in kept]
        self._found = iter(self.ids) if self.ids is not None else find_ids(read, self.who)

    def data_sets(self) -> Iterator[Dataset]:
        """The answers as data sets."""
        return map(to_data_set, self)

    def __iter__(self) -> Iterator[Values]:
        for size in chain(PAGES, repeat(PAGE)):
            if not (ids := list(islice(self._found, size))):
                return
            yield from self._page(ids)

    def _page(self, ids: list[int]) -> Iterator[Values]:
        level = self.query.level
        studies = Study.objects.visible_to(self.who).with_images()
        # Whatever was asked, an answer says which row it is (PS3.4 C.4.1.3.2).
        unique = [UNIQUE[upper] for upper in Level if upper <= level and UNIQUE[upper] not in self.returning]
        kept = [keyword for keyword in self.returning if not _is_computed(keyword)]
        rows = _load(level, ids, kept + unique, studies)
        computed = _Computed(rows, frozenset(self.returning), self.retrieve_ae_title, studies)
        for row in rows:
            values = row.values
            for keyword in self.returning:
                if keyword not in values:
                    values[keyword] = computed.value(row, keyword)
            values.update(self._stored.of(row.study_id, row.series_id, row.instance_id))
            yield values


def _is_computed(keyword: str) -> bool:
    return (keyword in COMPUTED and keyword not in _COUNTED) or keyword == REQUESTS


def _is_kept(keyword: str, level: Level) -> bool:
    """Whether rows say it, without a look into a file."""
    of = level_of(keyword)
    if of is None or of > level:
        return False
    return (
        keyword in KEYS or keyword in COMPUTED or keyword == REQUESTS or (keyword in _OF_IMAGE and level is Level.IMAGE)
    )


def _load(level: Level, ids: list[int], keywords: Sequence[str], visible: StudyQuerySet) -> list[Row]:
    """Rows in the order of their ids, nothing but what is wanted; a patient is stood for by its newest study."""
    paths = PATHS[max(level, Level.STUDY)]
    to = {owner: f"{path}pk" for owner, path in paths.items()}
    wanted = [_path(keyword, level) for keyword in keywords]
    own = [to[Owner.STUDY], to[Owner.PATIENT], to.get(Owner.SERIES, "pk"), to.get(Owner.INSTANCE, "pk")]
    model: Any = {Level.SERIES: Series, Level.IMAGE: Instance}.get(level, Study)
    of_these = visible.filter(patient__in=ids) if level is Level.PATIENT else model.objects.filter(pk__in=ids)
    rows = of_these.order_by("pk")
    by_id = {}
    for study_id, patient_id, series_id, instance_id, *values in rows.values_list(*own, *wanted):
        row = Row(
            study_id,
            patient_id,
            series_id if level >= Level.SERIES else None,
            instance_id if level is Level.IMAGE else None,
            {keyword: _said(keyword, value) for keyword, value in zip(keywords, values, strict=True)},
        )
        by_id[(patient_id, study_id, series_id, instance_id)[level]] = row
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def _path(keyword: str, level: Level) -> str:
    paths = PATHS[max(level, Level.STUDY)]
    if keyword in _SHAPE:
        return _SHAPE[keyword]
    if keyword == _BITS:
        return "description"
    if keyword in _COUNTED:
        return f"{paths[Owner.SERIES]}instance_count"
    key = KEYS[keyword]
    if level is Level.PATIENT and key.column in _OF_PATIENT_ROW:
        return f"patient__{key.column}"
    return paths[key.owner] + key.column


def _said(keyword: str, value: Any) -> Any:
    if keyword == _BITS:
        return _bits_allocated(value)
    return value or None if keyword in _SHAPE else value


def _bits_allocated(description: str) -> int | None:
    """As the description says, which may be a megabyte of JSON and leaves out what is usual."""
    if not description:
        return None
    found = _BITS_KEPT.search(description)
    return int(found[1]) if found else _BITS_BY_DEFAULT


def to_data_set(values: Values) -> Dataset:
    """An answer as a data set, values as recorded, also those that the standard would not allow."""
    ds = Dataset()
    for keyword, value in values.items():
        ds.add(value if isinstance(value, DataElement) else element_of(keyword, value))
    return ds


def element_of(keyword: str, value: Any) -> DataElement:
    """One attribute of an answer; what is none leaves it empty."""
    tag = Tag(tag_for_keyword(keyword) or 0)
    vr = vr_of(keyword)
    if vr == "SQ":
        return DataElement(tag, "SQ", Items(value or []))
    return DataElement(tag, vr, value, validation_mode=config.IGNORE)


@lru_cache(maxsize=8192)
def vr_of(keyword: str) -> str:
    """Value representation; of several possible ones the first."""
    return dictionary_VR(keyword)[:2]


class _Computed:
    """What is counted over the shown rows below those of one page."""

    def __init__(
        self,
        rows: list[Row],
        keywords: frozenset[str],
        retrieve_ae_title: str,
        visible: StudyQuerySet,
    ) -> None:
        self._visible = visible
        self._ae_title = retrieve_ae_title
        self._studies = [row.study_id for row in rows]
        self._patients = [row.patient_id for row in rows]
        self._counts: dict[str, dict[int, int]] = {}
        for keyword in keywords & COUNTS.keys() - {_COUNTED}:
            self._counts[keyword] = self._count(keyword)
        self._modalities = self._distinct("ModalitiesInStudy" in keywords, _modalities)
        self._classes = self._distinct("SOPClassesInStudy" in keywords, _sop_classes)
        series = [row.series_id for row in rows if row.series_id is not None]
        self._requests = _requests(series) if REQUESTS in keywords else {}

    def value(self, row: Row, keyword: str) -> Any:
        """The value of a computed attribute for one row."""
        if keyword == "InstanceAvailability":
            return "ONLINE"
        if keyword == "RetrieveAETitle":
            return self._ae_title
        if keyword == "ModalitiesInStudy":
            return self._modalities.get(row.study_id)
        if keyword == "SOPClassesInStudy":
            return self._classes.get(row.study_id)
        if keyword == REQUESTS:
            return self._requests.get(row.series_id or 0)
        of = row.patient_id if COUNTS[keyword] is Level.PATIENT else row.study_id
        return self._counts[keyword].get(of, 0)

    def _distinct(self, is_wanted: bool, read: Any) -> dict[int, list[str]]:
        found: dict[int, set[str]] = {}
        if is_wanted:
            for study_id, value in read(self._studies):
                found.setdefault(study_id, set()).add(value)
        return {study_id: sorted(values) for study_id, values in found.items()}

    def _count(self, keyword: str) -> dict[int, int]:
        if COUNTS[keyword] is Level.PATIENT:
            path = "study__patient"
            shown_to_asker = Exists(self._visible.filter(pk=OuterRef("study_id")))
            rows: Any = Series.objects.filter(shown_to_asker, study__patient__in=self._patients)
        else:
            path, rows = "study", Series.objects.filter(study__in=self._studies)
        counted = {
            "Studies": Count("study", distinct=True),
            "Series": Count("pk"),
            "Instances": Sum("instance_count"),
        }[keyword.partition("Related")[2]]
        shown = rows.filter(instance_count__gt=0).order_by().values_list(path).annotate(counted=counted)
        return dict(shown)


def _modalities(studies: list[int]) -> Iterable[Any]:
    shown = Series.objects.filter(~Q(modality=""), study__in=studies, instance_count__gt=0)
    return shown.order_by().values_list("study", "modality").distinct()


def _sop_classes(studies: list[int]) -> Iterable[Any]:
    shown = Instance.objects.shown().filter(series__study__in=studies)
    return shown.order_by().values_list("series__study", "sop_class_uid").distinct()


def _requests(series: list[int]) -> dict[int, list[Dataset]]:
    found: dict[int, list[Dataset]] = {}
    for row in SeriesRequest.objects.filter(series__in=series):
        item = to_data_set({keyword: getattr(row, column) for keyword, column in REQUEST_COLUMNS.items()})
        found.setdefault(row.series_id, []).append(item)
    return found
