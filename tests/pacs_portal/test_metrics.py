"""``/metrics``: counts of several processes added up, the state of rows and disk, and who may read them."""

from __future__ import annotations

import errno
import multiprocessing
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from archive import metrics
from archive.dimse.live import SILENT_AFTER_S
from archive.models import AccessToken, Job, Receiver
from tests.archive.receiving.sending import store
from tests.conftest import ROOT, Cast
from tests.phantoms import ct_image

ClientOf = Callable[..., Client]
OUTSIDE = "192.0.2.7"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]


def figures(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


def test_what_other_processes_counted_is_added_and_stays_when_they_have_ended(client: Client) -> None:
    key = ("portal_instances_received_total", ("test",))
    metrics.count_received("test", 10)
    before = figures(client)[key]
    count = "from archive.metrics import count_received; import os; count_received('test', 7); print(os.getpid())"
    setup = f"import django; django.setup(); {count}"
    processes = [subprocess.run([sys.executable, "-c", setup], check=True, capture_output=True) for _ in range(2)]
    after = figures(client)
    assert after[key] == before + 2
    assert after["portal_received_bytes_total", ("test",)] == 24
    # The second took over the files of the first.
    names = {path.stem for path in metrics.folder().glob("counter_*.db")}
    assert [f"counter_{int(one.stdout)}" in names for one in processes] == [False, True]


def _count_in_child() -> None:
    metrics.count_tile("test")


def test_a_forked_process_counts_for_itself(client: Client) -> None:
    metrics.count_tile("test")
    child = multiprocessing.get_context("fork").Process(target=_count_in_child)
    child.start()
    child.join(20)
    metrics.count_tile("test")
    assert child.exitcode == 0
    assert figures(client)["portal_tiles_total", ("test",)] == 3


def test_a_full_disk_costs_counts_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_arguments: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    monkeypatch.setattr("archive.metrics.os.posix_fallocate", full)
    room = metrics._Room()
    monkeypatch.setattr(metrics, "_room", room)
    metrics.count_tile("lost")
    assert not room.is_made() and list((tmp_path / "metrics").iterdir()) == []


def test_requests_are_counted_by_pattern_never_by_value(client_of: ClientOf, cast: Cast) -> None:
    client = client_of(cast.reader)
    client.get("/studies/1.2.3.4.5/")
    client.get("/tiles/1.2.3.4.5/1/0/0/0.png")
    client_of(None).get("/nowhere/Doe^Jane")
    found = figures(client)
    assert found["portal_http_requests_total", ("studies/<uid:study_instance_uid>/", "404")] >= 1
    assert found["portal_http_request_seconds_count", ("studies/<uid:study_instance_uid>/",)] >= 1
    assert not [labels for _, labels in found if any("1.2.3.4.5" in one or "Doe" in one for one in labels)]


def test_state_is_told_by_rows_and_disk(client: Client) -> None:
    Job.objects.create(kind="send", state=Job.State.PARKED)
    now = timezone.now()
    Receiver.objects.create(name="a", address="", ae_title="P", started_at=now, reported_at=now, associations=[{}, {}])
    old = now - timezone.timedelta(seconds=SILENT_AFTER_S + 1)
    Receiver.objects.create(name="b", address="", ae_title="P", started_at=old, reported_at=old, associations=[{}])
    store(ct_image())
    found = figures(client)
    assert found["portal_jobs", ("parked",)] == 1 and found["portal_jobs", ("queued",)] >= 0
    assert (found["portal_receivers", ()], found["portal_dicom_associations_open", ()]) == (1, 2)
    assert found["portal_studies_arriving", ()] == 1
    assert found["portal_quarantined", ("unreadable",)] == 0
    assert found["portal_backlog_instances", ()] == 0
    assert 0 < found["portal_disk_free_bytes", ()] < found["portal_disk_size_bytes", ()]


def test_from_elsewhere_a_token_of_that_scope_is_needed(
    client_of: ClientOf, cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(**headers: str) -> int:
        return client_of(None).get("/metrics", REMOTE_ADDR=OUTSIDE, headers=headers).status_code

    def bearer(scope: str) -> str:
        call_command("make_token", cast.admin.get_username(), scope=scope)
        return f"Bearer {capsys.readouterr().out.strip()}"

    assert (asked(), client_of(cast.admin).get("/metrics", REMOTE_ADDR=OUTSIDE).status_code) == (401, 401)
    assert asked(Authorization=bearer("metrics")) == 200
    assert [asked(Authorization=bearer(scope)) for scope in ("read", "all")] == [401, 401]
    # ... and it opens nothing else.
    answer = client_of(None).get("/dicom-web/studies", headers={"Authorization": bearer("metrics")})
    assert answer.status_code == 403
    assert AccessToken.objects.filter(scope="metrics").count() == 2


def test_forwarded_addresses_count_only_from_trusted_proxies(client: Client, settings: Settings) -> None:
    assert client.get("/metrics", REMOTE_ADDR=OUTSIDE, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    settings.PORTAL_TRUSTED_PROXIES = ["127.0.0.1"]
    assert client.get("/metrics", headers={"X-Forwarded-For": OUTSIDE}).status_code == 401
    settings.PORTAL_METRICS_NETWORKS = [f"{OUTSIDE}/32"]
    assert client.get("/metrics", headers={"X-Forwarded-For": OUTSIDE}).status_code == 200


def test_every_figure_is_on_the_page_for_operators(client: Client) -> None:
    count = {
        metrics.count_request: ("x", 200, 0.1),
        metrics.count_tile: ("x",),
        metrics.count_received: ("x", 1),
        metrics.count_refused_instance: ("x",),
        metrics.count_refusal: ("x",),
    }
    for function, arguments in count.items():
        function(*arguments)
    metrics.count_cache("x", is_hit=True)
    metrics.count_association(over_tls=True)
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    told = {one.name.removesuffix("_total") for one in families}
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (portal_[\w, ]+) \|", page, re.MULTILINE)
    named = {name.removesuffix("_total") for row in rows for name in row.split(", ")}
    assert told == named
