"""Who may connect, by rules that outlive the database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from django.db import OperationalError

from archive.dimse.associate import APPLICATION_CONTEXT, AssociateRequest
from archive.dimse.peers import (
    PeerBook,
    PeerRule,
    Resolver,
    SitePolicy,
    admit,
    is_same_machine,
    load_from_database,
    plain_address,
)

OPEN = SitePolicy("PORTAL", open_to_unknown=True, check_called_ae_title=False)
CLOSED = SitePolicy("PORTAL", open_to_unknown=False, check_called_ae_title=True)
CT1 = PeerRule("CT1", ("10.0.0.5",))
RULES = {"CT1": CT1, "OFF": PeerRule("OFF", ("10.0.0.5",), enabled=False), "ANY": PeerRule("ANY", check_address=False)}


def rejection(
    calling: str, called: str = "PORTAL", address: str = "10.0.0.5", policy: SitePolicy = CLOSED
) -> tuple[int, int, int] | None:
    request = AssociateRequest(1, called, calling, APPLICATION_CONTEXT)
    ours = is_same_machine(address, "10.0.0.9")
    return admit(request, address, rules=RULES, policy=policy, is_this_machine=ours).rejection


@pytest.mark.parametrize(
    ("calling", "called", "address", "wanted"),
    [
        ("CT1", "PORTAL", "10.0.0.5", None),
        ("CT1", "OTHER", "10.0.0.5", (1, 1, 7)),
        ("CT1", "portal", "10.0.0.5", (1, 1, 7)),
        ("CT1", "PORTAL", "10.0.0.6", (1, 1, 3)),
        ("ct1", "PORTAL", "10.0.0.5", (1, 1, 3)),
        ("OFF", "PORTAL", "10.0.0.5", (1, 1, 3)),
        ("ANY", "PORTAL", "192.0.2.1", None),
        ("NEW", "PORTAL", "10.0.0.5", (1, 1, 3)),
        ("", "PORTAL", "10.0.0.5", (1, 1, 3)),
        ("PORTAL", "PORTAL", "10.0.0.5", (1, 1, 3)),
        ("PORTAL", "PORTAL", "127.0.0.1", None),
        ("PORTAL", "PORTAL", "10.0.0.9", None),
        ("PORTAL", "PORTAL", "::1", None),
    ],
)
def test_a_closed_site(calling: str, called: str, address: str, wanted: tuple[int, int, int] | None) -> None:
    assert rejection(calling, called, address) == wanted


@pytest.mark.parametrize(
    ("calling", "called", "wanted"),
    [("NEW", "ANYTHING", None), ("OFF", "PORTAL", (1, 1, 3)), ("", "PORTAL", (1, 1, 3)), ("NEW", "", (1, 1, 7))],
)
def test_an_open_site_still_keeps_to_its_rules(calling: str, called: str, wanted: tuple[int, int, int] | None) -> None:
    assert rejection(calling, called, policy=OPEN) == wanted


def test_our_own_check_may_verify_and_nothing_else() -> None:
    request = AssociateRequest(1, "PORTAL", "PORTAL", APPLICATION_CONTEXT)

    rule = admit(request, "127.0.0.1", rules={}, policy=CLOSED, is_this_machine=True).rule

    assert rule is not None
    assert rule.may_echo
    assert not (rule.may_store or rule.may_query or rule.may_retrieve or rule.may_receive)
    assert not (rule.may_query_worklist or rule.may_report_steps or rule.may_ask_commitment)


def test_addresses() -> None:
    assert plain_address("::ffff:10.0.0.5") == "10.0.0.5"
    assert plain_address("2001:db8::1") == "2001:db8::1"


def test_host_names_are_resolved_and_the_last_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.dimse.peers.RESOLVE_EVERY_S", -1)
    resolver = Resolver()

    assert resolver.addresses_of("127.0.0.1") == ("127.0.0.1",)
    assert "127.0.0.1" in (known := resolver.addresses_of("localhost"))
    assert resolver.addresses_of("no such host.invalid") == ()

    monkeypatch.setattr(Resolver, "_ask", lambda _self, _host: ())
    assert resolver.addresses_of("localhost") == known


@pytest.mark.django_db
def test_the_table_of_peers_is_read() -> None:
    from archive.models.peer import Peer

    Peer.objects.create(
        ae_title="MR2", host="192.0.2.9", may_store=True, default_issuer_of_patient_id="HOSP", check_address=False
    )

    assert load_from_database() == [
        PeerRule(
            "MR2",
            ("192.0.2.9",),
            check_address=False,
            may_echo=True,
            may_store=True,
            may_query=False,
            may_retrieve=False,
            may_receive=False,
            may_query_worklist=False,
            may_report_steps=False,
            may_ask_commitment=False,
            host="192.0.2.9",
            port=104,
            issuer_of_patient_id="HOSP",
        )
    ]


class Database:
    """A table of peers that can go away."""

    def __init__(self, *rules: PeerRule) -> None:
        self.rules = list(rules)
        self.is_there = True
        self.seen: list[str] = []

    def load(self) -> list[PeerRule]:
        if not self.is_there:
            raise OperationalError("database is locked")
        return self.rules

    def note(self, titles: Iterable[str]) -> None:
        self.seen.extend(titles)


@pytest.mark.django_db
def test_the_last_rules_survive_a_database_that_went_away() -> None:
    database = Database(CT1)
    book = PeerBook(load=database.load)
    assert book.refresh()

    database.is_there = False
    assert not book.refresh()
    assert book.rules == {"CT1": CT1}

    database.is_there, database.rules = True, []
    assert book.refresh()
    assert book.rules == {}


@pytest.mark.django_db(transaction=True)
def test_a_start_without_the_database_takes_the_rules_of_the_last(tmp_path: Path) -> None:
    copy = tmp_path / "run" / "peers.json"
    PeerBook(load=Database(CT1).load, copy=copy).refresh()
    gone = Database()
    gone.is_there = False
    book = PeerBook(load=gone.load, copy=copy)

    book.start()
    book.stop()

    assert book.rules == {"CT1": CT1}
    assert copy.stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db(transaction=True)
def test_a_damaged_copy_lets_nobody_in(tmp_path: Path) -> None:
    copy = tmp_path / "peers.json"
    copy.write_text('[{"ae_title": "X", "addresses"')
    gone = Database()
    gone.is_there = False
    book = PeerBook(load=gone.load, copy=copy)

    book.start()
    book.stop()

    assert book.rules == {}


@pytest.mark.django_db
def test_when_a_peer_was_last_heard_of_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.dimse.peers.NOTE_SEEN_EVERY_S", -1)
    database = Database(CT1)
    book = PeerBook(load=database.load, note_seen=database.note)

    book.seen("CT1")
    book.refresh()
    book.refresh()

    assert database.seen == ["CT1"]
