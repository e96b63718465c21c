"""The live board: what a receiver tells the database, and what administrators see of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
from django.test import Client
from django.utils import timezone
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import CTImageStorage

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dimse.live import LiveReport
from archive.dimse.server import DicomServer
from archive.indexing.writer import index_waiting_files
from archive.models import Receiver
from tests.archive.dimse.conftest import StartReceiver, data_set_of
from tests.archive.dimse.raw import RawPeer, echo_command, p_data, store_command
from tests.conftest import Cast
from tests.journeys.sending import send_file

pytestmark = pytest.mark.django_db
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
ClientOf = Callable[..., Client]


@pytest.fixture
def report(receiver: DicomServer) -> LiveReport:
    return LiveReport("127.0.0.1:104", "PORTAL", receiver.associations)


def test_an_open_association_is_on_the_board_with_what_it_has_done(
    receiver: DicomServer, report: LiveReport, ct_file: Path, cast: Cast, client_of: ClientOf
) -> None:
    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    with RawPeer(receiver.port) as peer:
        peer.associate()
        report.look()
        assert Receiver.objects.get().associations[0]["service"] == ""
        peer.send(p_data(3, 3, store_command(uid)) + p_data(3, 2, data))
        assert peer.status() == 0
        report.look()
        page = client_of(cast.admin).get("/network/").content.decode()

    (line,) = Receiver.objects.get().associations
    assert (line["calling_ae_title"], line["service"], line["stored"]) == ("SCANNER", "C-STORE", 1)
    assert line["bytes"] == len(data)
    assert line["bytes_a_second"] > 0
    assert "SCANNER" in page
    assert "C-STORE" in page


@pytest.mark.django_db(transaction=True)
def test_what_goes_out_and_why_something_was_refused_is_on_the_board(
    receiver: DicomServer, report: LiveReport, ct_file: Path, cast: Cast, client_of: ClientOf
) -> None:
    send_file(ct_file)
    index_waiting_files()
    ds = pydicom.dcmread(ct_file)
    ae = AE("WORKSTATION")
    for uid in (FIND, GET, MOVE):
        ae.add_requested_context(uid)
    ae.add_requested_context(CTImageStorage, ds.file_meta.TransferSyntaxUID)
    roles = [build_role(CTImageStorage, scp_role=True)]
    came: list[bytes] = []

    def take(event: evt.Event) -> int:
        came.append(event.request.DataSet.getvalue())
        return 0

    asked = pydicom.Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", ds.StudyInstanceUID
    assoc = ae.associate("127.0.0.1", receiver.port, ext_neg=roles, evt_handlers=[(evt.EVT_C_STORE, take)])
    assert [status.Status for status, _ in assoc.send_c_find(asked, FIND)] == [0xFF00, 0]
    assert [status.Status for status, _ in assoc.send_c_get(asked, GET)] == [0]
    assert [status.Status for status, _ in assoc.send_c_move(asked, "NOBODY", MOVE)] == [0xA801]
    report.look()
    page = client_of(cast.admin).get("/network/").content.decode()
    assoc.release()

    (line,) = Receiver.objects.get().associations
    assert (line["answers"], line["sent"], line["not_sent"], line["refused"]) == (1, 1, 0, 1)
    assert line["bytes_sent"] == len(came[0])
    assert line["why_refused"] == "'NOBODY' is no move destination here."
    assert "&#x27;NOBODY&#x27; is no move destination here." in page


def test_nothing_is_written_while_nothing_changes(
    receiver: DicomServer, report: LiveReport, django_assert_num_queries: Callable
) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(1, 3, echo_command()))
        peer.status()
        report.look()
        with django_assert_num_queries(0):
            report.look()


def test_the_board_answers_only_where_something_changed(
    receiver: DicomServer, report: LiveReport, cast: Cast, client_of: ClientOf
) -> None:
    report.look()
    client = client_of(cast.admin)
    digest = client.get("/network/").context["digest"]
    unchanged = client.get(f"/network/board?seen={digest}")
    with RawPeer(receiver.port) as peer:
        peer.associate()
        report.look()
        changed = client.get(f"/network/board?seen={digest}")

    assert unchanged.status_code == 204
    assert "SCANNER" in changed.content.decode()


def test_a_receiver_that_has_gone_silent_is_said_to_have(report: LiveReport, cast: Cast, client_of: ClientOf) -> None:
    report.look()
    Receiver.objects.update(reported_at=timezone.now() - timedelta(minutes=5))

    assert "has said nothing since" in client_of(cast.admin).get("/network/").content.decode()


def test_several_processes_on_one_port_are_one_board(
    start_receiver: StartReceiver, cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = [start_receiver(), start_receiver()]
    with RawPeer(servers[0].port) as one, RawPeer(servers[1].port) as other:
        one.associate(calling="CT1")
        other.associate(calling="MR1")
        for pid, server in enumerate(servers):
            monkeypatch.setattr("os.getpid", lambda pid=pid: 100 + pid)
            LiveReport("127.0.0.1:104", "PORTAL", server.associations).look()
    page = client_of(cast.admin).get("/network/").content.decode()

    assert page.count("<h2>PORTAL ") == 1
    assert "127.0.0.1:104, 2 processes, since" in page
    assert "CT1" in page and "MR1" in page
    Receiver.objects.filter(name__endswith="100").update(reported_at=timezone.now() - timedelta(minutes=5))
    page = client_of(cast.admin).get("/network/").content.decode()
    assert "has said nothing since" in page
    assert "MR1" in page and "CT1" not in page


def test_who_was_refused_is_there_with_the_reason(cast: Cast, client_of: ClientOf) -> None:
    record_event(
        Event.ASSOCIATION_REFUSED,
        outcome="refused",
        actor="STRANGER",
        address="192.0.2.9",
        details={"reason": "calling AE title unknown", "called_ae_title": "PORTAL", "count": 3},
    )
    page = client_of(cast.admin).get("/network/").content.decode()

    assert "STRANGER" in page
    assert "calling AE title unknown" in page


@pytest.mark.parametrize("who", ["reader", "referrer", "technologist"])
def test_for_others_the_board_does_not_exist(who: str, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    assert {client.get(path).status_code for path in ("/network/", "/network/board")} == {404}
