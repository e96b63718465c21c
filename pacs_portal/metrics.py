"""``/metrics`` for Prometheus: what all processes of this machine have counted, and what rows and disk say now.

Whoever asks from ``PORTAL_METRICS_NETWORKS`` (this machine, unless the site says otherwise) needs nothing, everybody
else a token of the scope ``metrics``. Nothing here names a patient, a person or a study.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from archive import metrics
from archive.access.tokens import find_token
from archive.dimse.live import SILENT_AFTER_S
from archive.jobs import heartbeat
from archive.models import AccessToken, Job, QuarantinedFile, Receiver, Study
from archive.receiving.backlog import backlog
from pacs_portal.middleware import client_address

MEASURED_EVERY_S: Final = 30.0
"""How often the caches on disk are measured at most."""
UNRESOLVED: Final = "other"
"""Answers that no view gave: refused at the door, or no such address."""
FAST: Final = (("/tiles/", "tiles"), ("/static/", "static"), ("/dicom-web/", "dicom-web rendered"))
"""Addresses that are answered before the address map is asked."""


class CountingMiddleware:
    """Counts every answer by the pattern of its address, and how long it took to begin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        metrics.count_request(
            _route(request, response.status_code), response.status_code, time.perf_counter() - started
        )
        return response


def _route(request: HttpRequest, status: int) -> str:
    match = request.resolver_match
    if match is not None:
        # The administration has hundreds of patterns, which nobody looks at one by one.
        return "admin" if match.app_names == ["admin"] else match.route or "/"
    if status in {401, 403, 404}:
        return UNRESOLVED
    return next((name for prefix, name in FAST if request.path_info.startswith(prefix)), UNRESOLVED)


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The text format that the asker prefers (Prometheus 0.0.4, or OpenMetrics)."""
    if not (_is_near(request) or _has_token(request)):
        return HttpResponse(
            "A token of the scope metrics is needed from this address.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": 'Bearer realm="portal"'},
        )
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    registry = CollectorRegistry()
    if metrics.folder().is_dir():
        MultiProcessCollector(registry, str(metrics.folder()))
    registry.register(_State())
    return HttpResponse(encode(registry), content_type=content_type)


def _is_near(request: HttpRequest) -> bool:
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.PORTAL_METRICS_NETWORKS)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = find_token(text.strip()) if scheme.lower() == "bearer" else None
    return token is not None and token.scope == AccessToken.Scope.METRICS


class _State(Collector):
    """What is so at this moment, found when it is asked for."""

    def collect(self) -> Iterable[Metric]:
        yield from _disk()
        yield from _waiting()
        try:
            yield from list(_rows())
            answers = 1.0
        except DatabaseError:
            answers = 0.0
        yield _gauge("portal_database_up", "Whether the database answers.", answers)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value)


def _labelled(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _disk() -> Iterator[Metric]:
    usage = shutil.disk_usage(settings.PORTAL_DATA)
    yield _gauge("portal_disk_size_bytes", "Size of the data folder's disk.", usage.total)
    yield _gauge("portal_disk_free_bytes", "Free on the data folder's disk.", usage.free)
    yield _labelled("portal_cache_bytes", "Size of each cache on disk.", "cache", _cache_sizes.measured())
    limit = settings.PORTAL_CACHE_MB * 2**20
    yield _gauge("portal_cache_limit_bytes", "What the levels of large images may take.", limit)


def _waiting() -> Iterator[Metric]:
    yield _gauge("portal_backlog_instances", "Acknowledged instances that are not indexed yet.", backlog.count())
    lag = backlog.oldest_age_s()
    yield _gauge("portal_index_lag_seconds", "How long the oldest of them has waited; 0 when none waits.", lag)
    age = heartbeat.age_s()
    yield _gauge("portal_worker_heartbeat_age_seconds", "Since a worker last took a task.", age)


def _rows() -> Iterator[Metric]:
    jobs = dict.fromkeys(Job.State.values, 0) | _counts(Job, "state")
    yield _labelled("portal_jobs", "Jobs by state.", "state", jobs)
    due = Job.objects.filter(state=Job.State.QUEUED).exclude(due_at__gt=timezone.now())
    oldest = due.order_by("created_at").values_list("created_at", flat=True).first()
    waited = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield _gauge("portal_jobs_oldest_wait_seconds", "How long the oldest job that is due has waited.", waited)
    held = QuarantinedFile.objects.filter(state=QuarantinedFile.State.HELD)
    reasons = dict.fromkeys(QuarantinedFile.Reason.values, 0) | dict(
        held.order_by().values_list("reason").annotate(count=Count("pk"))
    )
    yield _labelled("portal_quarantined", "Files that are held back, by reason.", "reason", reasons)
    unsettled = Study.objects.filter(ready_at__isnull=True).count()
    yield _gauge("portal_studies_arriving", "Studies whose images still come.", unsettled)
    alive = Receiver.objects.filter(reported_at__gte=timezone.now() - timedelta(seconds=SILENT_AFTER_S))
    found = list(alive.values_list("associations", flat=True))
    yield _gauge("portal_receivers", "DICOM receivers that live, on all machines.", len(found))
    yield _gauge("portal_dicom_associations_open", "Associations that are open.", sum(map(len, found)))


def _counts(model: type[Job], field: str) -> dict[str, int]:
    return dict(model.objects.order_by().values_list(field).annotate(count=Count("pk")))


class _CacheSizes:
    """Sizes of the caches, measured now and then by whoever asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._sizes: dict[str, float] = {}

    def measured(self) -> dict[str, float]:
        with self._lock:
            if time.monotonic() - self._at > MEASURED_EVERY_S:
                folders = [entry for entry in _entries(Path(settings.PORTAL_DATA) / "cache") if entry.is_dir()]
                self._sizes = {folder.name: float(_size_of(folder.path)) for folder in folders}
                self._at = time.monotonic()
            return self._sizes


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _size_of(folder: str) -> int:
    size = 0
    for entry in _entries(folder):
        try:
            size += _size_of(entry.path) if entry.is_dir(follow_symlinks=False) else entry.stat().st_size
        except OSError:
            # Removed since it was listed.
            continue
    return size


_cache_sizes = _CacheSizes()
