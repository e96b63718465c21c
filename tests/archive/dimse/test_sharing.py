"""Several receivers on one port, of one site only."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pytest_django import Settings

from archive.dimse.gate import PortTaken, listen
from archive.dimse.limits import DEFAULT_LIMITS
from archive.dimse.server import DicomServer, is_port_shared
from archive.dimse.sharing import PortShare
from pacs_portal.supervisor import receivers


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_of_one_site_share_a_port(portal_data: Path, port: int) -> None:
    one, two = PortShare("127.0.0.1", port), PortShare("127.0.0.1", port)
    one.join()
    with listen("127.0.0.1", port, shared=True):
        two.join()
        with listen("127.0.0.1", port, shared=True):
            two.leave()
        one.leave()


def test_a_stranger_on_the_port_is_not_joined(portal_data: Path, port: int) -> None:
    with listen("127.0.0.1", port, shared=True), pytest.raises(PortTaken, match="is taken by another program"):
        PortShare("127.0.0.1", port).join()


def test_a_site_with_another_database_is_not_joined(
    portal_data: Path, port: int, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    one = PortShare("127.0.0.1", port)
    one.join()
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", "another")

    with pytest.raises(PortTaken, match="use another database"):
        PortShare("127.0.0.1", port).join()
    one.leave()


def test_the_supervisor_runs_so_many_receivers_beside_the_workers_as_the_site_says(settings: Settings) -> None:
    settings.PORTAL_RECEIVERS = 1
    assert (receivers(), is_port_shared()) == ([], False)
    settings.PORTAL_RECEIVERS = 3
    assert [(child.name, child.command[1:3], child.is_needed) for child in receivers()] == [
        (f"receiver {number}", ["manage.py", "dicom_receiver"], True) for number in (2, 3)
    ]
    assert is_port_shared()


def test_the_limits_of_a_site_are_shared_out_among_its_receivers(settings: Settings) -> None:
    settings.PORTAL_RECEIVERS = 3
    shared = DEFAULT_LIMITS.shared_by(settings.PORTAL_RECEIVERS)
    assert DicomServer("127.0.0.1", 0, "PORTAL")._limits == shared
    assert 512 <= 3 * shared.max_associations < 512 + 3
    assert 384 <= 3 * shared.max_associations_by_address < 384 + 3
    assert shared.idle_s == DEFAULT_LIMITS.idle_s


def test_without_sharing_a_second_listener_is_refused(port: int) -> None:
    with listen("127.0.0.1", port), pytest.raises(PortTaken):
        listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "words"), [("192.0.2.1", "cannot listen on 192.0.2.1"), ("no such.invalid", "the name has no address")]
)
def test_an_address_that_is_not_ours_is_one_sentence(host: str, words: str) -> None:
    with pytest.raises(PortTaken, match=words):
        listen(host, 11112)
