"""We as the service class user, against receivers of ours and of others."""

from __future__ import annotations

import pytest

from archive.dimse.client import PeerUnreachable, echo
from archive.dimse.peers import PeerRule
from archive.dimse.server import DicomServer
from tests.archive.dimse.conftest import CLOSED, StartReceiver

US = {"called_ae_title": "PORTAL", "calling_ae_title": "PORTAL"}


def test_our_own_receiver_verifies(receiver: DicomServer) -> None:
    echo("127.0.0.1", receiver.port, **US)


def test_the_readiness_check_passes_where_the_site_is_closed(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(policy=CLOSED)

    echo("127.0.0.1", receiver.port, **US)


def test_nobody_there_is_said_in_words() -> None:
    with pytest.raises(PeerUnreachable, match="PORTAL does not answer: connection refused"):
        echo("127.0.0.1", 1, **US, timeout_s=1)


def test_a_rejection_is_said_in_words(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(policy=CLOSED)

    with pytest.raises(PeerUnreachable, match="rejected the association: calling"):
        echo("127.0.0.1", receiver.port, called_ae_title="PORTAL", calling_ae_title="STRANGER")


def test_a_peer_without_the_right_is_said_in_words(start_receiver: StartReceiver) -> None:
    receiver = start_receiver([PeerRule("CT1", check_address=False, may_echo=False)], CLOSED)

    with pytest.raises(PeerUnreachable, match="status 0124"):
        echo("127.0.0.1", receiver.port, called_ae_title="PORTAL", calling_ae_title="CT1")
