"""One C-STORE from its command set to its answer, without a network."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
from pytest_django import Settings

from archive.dimse.handlers import IncomingStore, Sender, answer_echo
from archive.dimse.messages import BadMessage, StoreRequest
from archive.dimse.statuses import Answer
from tests.archive.dimse.conftest import data_set_of, incoming, quarantined
from tests.archive.dimse.raw import CT_CLASS, EXPLICIT

pytestmark = pytest.mark.usefixtures("portal_data", "no_messages")


@pytest.fixture
def data(ct_file: Path) -> memoryview:
    return memoryview(data_set_of(ct_file))


@pytest.fixture
def uid(ct_file: Path) -> str:
    return str(pydicom.dcmread(ct_file, stop_before_pixels=True).SOPInstanceUID)


def sender(**values: Any) -> Sender:
    return Sender(**({"calling_ae_title": "CT1", "called_ae_title": "PORTAL", "address": "192.0.2.1"} | values))


def begin(uid: str, *, who: Sender | None = None, **changes: Any) -> IncomingStore:
    request = StoreRequest(1, CT_CLASS, uid, True)._replace(**changes)
    return IncomingStore(request, abstract_syntax=CT_CLASS, transfer_syntax=EXPLICIT, sender=who or sender())


def test_what_was_written_is_stored(uid: str, data: memoryview) -> None:
    store = begin(uid)
    store.write(data[:1000])
    store.write(data[1000:])

    assert store.finish() == (0, "")
    assert data_set_of(incoming()[0]) == data
    assert store.size == len(data)


def test_the_peers_default_issuer_travels_with_the_file(uid: str, data: memoryview) -> None:
    store = begin(uid, who=sender(issuer_of_patient_id="HOSP"))
    store.write(data)
    store.finish()

    meta = pydicom.dcmread(incoming()[0], stop_before_pixels=True).file_meta
    assert b'"issuer":"HOSP"' in meta.PrivateInformation


def test_a_full_backlog_is_out_of_resources(uid: str, data: memoryview, settings: Settings) -> None:
    settings.PORTAL_BACKLOG_FILES = 0
    store = begin(uid)
    store.write(data)

    assert store.finish().status == 0xA700
    assert incoming() == []


def test_a_disk_that_is_nearly_full_is_out_of_resources(uid: str, data: memoryview, settings: Settings) -> None:
    settings.PORTAL_RESERVED_MB = 10**9
    store = begin(uid)
    store.write(data)

    assert store.finish().status == 0xA700
    assert incoming() == quarantined() == []


def test_a_disk_that_fills_up_meanwhile_is_out_of_resources(
    uid: str, data: memoryview, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = begin(uid)
    store.write(data[:1000])

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("archive.receiving.staging.os.write", full)
    store.write(data[1000:2000])
    monkeypatch.undo()
    store.write(data[2000:])

    assert store.finish().status == 0xA700


def test_a_failed_fsync_is_a_failed_store(uid: str, data: memoryview, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store = begin(uid)
    store.write(data)
    monkeypatch.setattr("archive.receiving.staging.os.fsync", broken)
    answer = store.finish()

    assert answer.status == 0x0110
    assert answer.comment.startswith("The image could not be made durable")


def test_an_object_that_is_too_large_is_refused_and_its_end_is_waited_for(
    uid: str, data: memoryview, settings: Settings
) -> None:
    settings.PORTAL_MAX_OBJECT_MB = 1
    store = begin(uid)
    piece = memoryview(bytes(600_000))
    for _ in range(3):
        store.write(piece)

    assert store.finish().status == 0xA700


def test_an_object_that_does_not_end_breaks_the_association(uid: str, settings: Settings) -> None:
    settings.PORTAL_MAX_OBJECT_MB = 1
    store = begin(uid)
    piece = memoryview(bytes(600_000))

    with pytest.raises(BadMessage):
        for _ in range(10):
            store.write(piece)


def test_an_error_nobody_thought_of_is_an_answer_without_details(
    uid: str, data: memoryview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_staged: object) -> None:
        raise ZeroDivisionError("/secret/path")

    monkeypatch.setattr("archive.dimse.handlers.receive_instance", broken)
    store = begin(uid)
    store.write(data)

    assert store.finish() == Answer(0x0110, "The archive could not process the object.")


def test_a_refused_request_is_told_to_the_audit() -> None:
    told: list[str] = []

    store = begin("1.2.3", who=sender(may_store=False, refused=told.append))

    assert told == ["may not store"]
    assert store.finish().status == 0x0124


def test_an_aborted_store_leaves_nothing(uid: str, data: memoryview) -> None:
    store = begin(uid)
    store.write(data)
    store.abort()
    store.abort()

    assert incoming() == quarantined() == []


@pytest.mark.parametrize(("may_echo", "status"), [(True, 0), (False, 0x0124)])
def test_echo(may_echo: bool, status: int) -> None:
    event: Any = SimpleNamespace()

    assert answer_echo(event, sender(may_echo=may_echo)) == status
