"""Answers: values of the rows that were found, as recorded, and what is computed from them.

Rows are read page by page in short queries, so that memory stays flat and a slow reader holds nothing open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, Sum
from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items

from archive.models import Instance, Series, SeriesRequest, Study
from archive.models.study import StudyQuerySet
from archive.querying.keys import COMPUTED, COUNTS, KEYS, REQUEST_COLUMNS, REQUESTS, UNIQUE, Level, Owner, level_of
from archive.querying.search import Query, find_ids, plan
from archive.querying.stored_values import StoredValues

FIRST_PAGE: Final = 20
PAGE: Final = 200
FILES_READ: Final = 500
"""Stored files that one query reads for attributes that no row keeps; later answers hold these empty."""
_SHAPE: Final = {"Rows": "rows", "Columns": "columns", "NumberOfFrames": "frames"}
"""Kept for drawing; 0 is no value."""

_MODELS: Final[dict[Level, tuple[Any, tuple[str, ...]]]] = {
    Level.STUDY: (Study, ("patient",)),
    Level.SERIES: (Series, ("study__patient",)),
    Level.IMAGE: (Instance, ("series__study__patient",)),
}


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

    def __iter__(self) -> Iterator[Dataset]:
        size = FIRST_PAGE
        while ids := list(islice(self._found, size)):
            yield from self._page(ids)
            size = PAGE

    def _page(self, ids: list[int]) -> Iterator[Dataset]:
        level = self.query.level
        studies = Study.objects.visible_to(self.who).with_images()
        rows = _load(level, ids, studies)
        computed = _Computed(level, rows, frozenset(self.returning), self.retrieve_ae_title, studies)
        for row in rows:
            ds = Dataset()
            for keyword in self.returning:
                add(ds, keyword, computed.value(row, keyword) if _is_computed(keyword) else _value(row, level, keyword))
            for keyword, element in self._stored.of(row, level):
                ds.add(element) if element is not None else add(ds, keyword, None)
            # Whatever was asked, an answer says which row it is (PS3.4 C.4.1.3.2).
            for upper in Level:
                if upper <= level and UNIQUE[upper] not in ds:
                    add(ds, UNIQUE[upper], _value(row, level, UNIQUE[upper]))
            yield ds


def _is_computed(keyword: str) -> bool:
    return keyword in COMPUTED or keyword == REQUESTS


def _is_kept(keyword: str, level: Level) -> bool:
    """Whether rows say it, without a look into a file."""
    of = level_of(keyword)
    if of is None or of > level:
        return False
    return keyword in KEYS or _is_computed(keyword) or (keyword in _SHAPE and level is Level.IMAGE)


def _load(level: Level, ids: list[int], visible: StudyQuerySet) -> list[Any]:
    """Rows in the order of their ids; a patient is stood for by its newest study."""
    if level is Level.PATIENT:
        studies = visible.filter(patient__in=ids).select_related("patient").order_by("pk")
        by_id = {study.patient_id: study for study in studies}
    else:
        model, related = _MODELS[level]
        by_id = {row.pk: row for row in model.objects.filter(pk__in=ids).select_related(*related)}
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def _owners(row: Any, level: Level) -> dict[Owner, Any]:
    if level <= Level.STUDY:
        return {Owner.STUDY: row, Owner.PATIENT: row.patient}
    if level is Level.SERIES:
        return {Owner.SERIES: row} | _owners(row.study, Level.STUDY)
    return {Owner.INSTANCE: row} | _owners(row.series, Level.SERIES)


def _value(row: Any, level: Level, keyword: str) -> Any:
    if keyword in _SHAPE:
        return getattr(row, _SHAPE[keyword]) or None
    key = KEYS[keyword]
    owner = _owners(row, level)[key.owner]
    if level is Level.PATIENT and hasattr(row.patient, key.column):
        return getattr(row.patient, key.column)
    return getattr(owner, key.column)


def add(ds: Dataset, keyword: str, value: Any) -> None:
    """Put a value into an answer; what is none leaves the attribute empty."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        return
    vr = dictionary_VR(tag)[:2]
    if vr == "SQ":
        ds.add(DataElement(tag, "SQ", Items(value or [])))
        return
    # Values are as recorded, also those that the standard would not allow.
    ds.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))


class _Computed:
    """What is counted over the shown rows below those of one page."""

    def __init__(
        self,
        level: Level,
        rows: list[Any],
        keywords: frozenset[str],
        retrieve_ae_title: str,
        visible: StudyQuerySet,
    ) -> None:
        self._level = level
        self._visible = visible
        self._ae_title = retrieve_ae_title
        self._studies = {_owners(row, level)[Owner.STUDY] for row in rows}
        self._counts: dict[str, dict[int, int]] = {}
        for keyword in keywords & COUNTS.keys():
            self._counts[keyword] = self._count(keyword)
        self._modalities = self._distinct("ModalitiesInStudy" in keywords, _modalities)
        self._classes = self._distinct("SOPClassesInStudy" in keywords, _sop_classes)
        series = [owners[Owner.SERIES].pk for row in rows if Owner.SERIES in (owners := _owners(row, level))]
        self._requests = _requests(series) if REQUESTS in keywords else {}

    def value(self, row: Any, keyword: str) -> Any:
        """The value of a computed attribute for one row."""
        owners = _owners(row, self._level)
        study = owners[Owner.STUDY]
        if keyword == "InstanceAvailability":
            return "ONLINE"
        if keyword == "RetrieveAETitle":
            return self._ae_title
        if keyword == "ModalitiesInStudy":
            return self._modalities.get(study.pk)
        if keyword == "SOPClassesInStudy":
            return self._classes.get(study.pk)
        if keyword == REQUESTS:
            return self._requests.get(owners[Owner.SERIES].pk)
        if keyword == "NumberOfSeriesRelatedInstances":
            return owners[Owner.SERIES].instance_count
        of = study.patient_id if COUNTS[keyword] is Level.PATIENT else study.pk
        return self._counts[keyword].get(of, 0)

    def _distinct(self, is_wanted: bool, read: Any) -> dict[int, list[str]]:
        found: dict[int, set[str]] = {}
        if is_wanted:
            for study_id, value in read([study.pk for study in self._studies]):
                found.setdefault(study_id, set()).add(value)
        return {study_id: sorted(values) for study_id, values in found.items()}

    def _count(self, keyword: str) -> dict[int, int]:
        if keyword == "NumberOfSeriesRelatedInstances":
            return {}
        if COUNTS[keyword] is Level.PATIENT:
            path, patients = "study__patient", {study.patient_id for study in self._studies}
            shown_to_asker = Exists(self._visible.filter(pk=OuterRef("study_id")))
            rows: Any = Series.objects.filter(shown_to_asker, study__patient__in=patients)
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
        item = Dataset()
        for keyword, column in REQUEST_COLUMNS.items():
            add(item, keyword, getattr(row, column))
        found.setdefault(row.series_id, []).append(item)
    return found
