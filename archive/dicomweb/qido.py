"""QIDO-RS (PS3.18 10.6): searches for studies, series and instances, over the engine that C-FIND uses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pydicom import Dataset

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.native_model import Model
from archive.dicomweb.query_string import MOST_RESULTS, Asked, read_query
from archive.dicomweb.responses import answers_errors, data_sets
from archive.querying.answers import Answers
from archive.querying.keys import Level
from archive.querying.search import Query, find_ids, plan
from pacs_portal.middleware import client_address

WARNING_AGENT: Final = "portal"


@answers_errors
def studies(request: HttpRequest) -> HttpResponseBase:
    """``/studies``"""
    return search(request, Level.STUDY)


@answers_errors
def series(request: HttpRequest, study_instance_uid: str = "") -> HttpResponseBase:
    """``/series`` and ``/studies/{study}/series``"""
    return search(request, Level.SERIES, study_instance_uid)


@answers_errors
def instances(request: HttpRequest, study_instance_uid: str = "", series_instance_uid: str = "") -> HttpResponseBase:
    """``/instances``, ``/studies/{study}/instances`` and ``/studies/{study}/series/{series}/instances``"""
    return search(request, Level.IMAGE, study_instance_uid, series_instance_uid)


def search(
    request: HttpRequest, level: Level, study_instance_uid: str = "", series_instance_uid: str = ""
) -> HttpResponseBase:
    """Answer one search: a page of results, with a warning where there are more."""
    asked = read_query(request.GET, level, upper_levels=_levels_above(level, study_instance_uid, series_instance_uid))
    keys = dict(asked.keys)
    for keyword, uid in (("StudyInstanceUID", study_instance_uid), ("SeriesInstanceUID", series_instance_uid)):
        if uid:
            keys[keyword] = uid
    query = Query(level, keys, fuzzy=asked.fuzzy, combined_date_time=True)
    user = user_of(request)
    most = MOST_RESULTS[level]
    size = most if asked.limit is None else min(asked.limit, most)
    found = list(islice(find_ids(plan(query), user), asked.offset, asked.offset + size + 1))
    answers = Answers(query, user, asked.returning, settings.PORTAL_AE_TITLE, ids=found[:size])
    response = data_sets(request, (_model(ds, level) for ds in answers.data_sets()))
    _warn(response, asked, has_more=len(found) > size, size=size, ignored=answers.unsupported & asked.keys.keys())
    record_event(
        Event.QUERIED,
        user=user,
        address=client_address(request),
        study_instance_uid=study_instance_uid,
        details={"door": "qido", "level": level.name, "keys": sorted(keys), "results": len(found[:size])},
    )
    return response


def _levels_above(level: Level, study_instance_uid: str, series_instance_uid: str) -> Iterator[Level]:
    if level > Level.STUDY and not study_instance_uid:
        yield Level.STUDY
    if level is Level.IMAGE and not series_instance_uid:
        yield Level.SERIES


def _model(ds: Dataset, level: Level) -> Model:
    ds.RetrieveURL = address_of(
        str(ds.StudyInstanceUID),
        str(ds.SeriesInstanceUID) if level >= Level.SERIES else "",
        str(ds.SOPInstanceUID) if level is Level.IMAGE else "",
    )
    model: dict[str, Any] = ds.to_json_dict(suppress_invalid_tags=True)
    # PS3.18 F.2: JSON is UTF-8, and so says the data set.
    model["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return dict(sorted(model.items()))


def address_of(study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = "") -> str:
    """Address of a study, series or instance, as the world calls us."""
    address = f"{settings.PORTAL_PUBLIC_URL}/dicom-web/studies/{study_instance_uid}"
    if series_instance_uid:
        address += f"/series/{series_instance_uid}"
    return f"{address}/instances/{sop_instance_uid}" if sop_instance_uid else address


def _warn(response: HttpResponseBase, asked: Asked, *, has_more: bool, size: int, ignored: frozenset[str]) -> None:
    """PS3.18 8.3.4.4, 10.6.3: what was left out."""
    words = []
    if has_more and (asked.limit is None or asked.limit > size):
        words.append(f"There are more results: ask again with offset={asked.offset + size}.")
    if ignored:
        words.append(f"Not matched on: {', '.join(sorted(ignored))}.")
    if words:
        response["Warning"] = f'299 {WARNING_AGENT} "{" ".join(words)}"'
