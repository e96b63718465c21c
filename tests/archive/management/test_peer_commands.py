"""``manage.py echo`` and ``manage.py send`` against dcmtk's receiver."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from archive.models import AuditEvent, Study
from tests.archive.dimse.conftest import no_messages  # noqa: F401 - fixture
from tests.archive.exchange.conftest import peer, storescp  # noqa: F401 - fixture
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
StoreScp = Callable[..., tuple[int, Path]]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out, verbosity=0)
    return out.getvalue()


def test_echo_says_how_fast_a_peer_answers(storescp: StoreScp) -> None:  # noqa: F811
    port, _ = storescp()
    peer(port, "WS")
    assert f"WS on 127.0.0.1:{port} answered in " in run("echo", "WS")


def test_echo_says_why_a_peer_does_not_answer() -> None:
    peer(1, "WS")
    with pytest.raises(CommandError, match="WS does not answer: connection refused"):
        run("echo", "WS")
    with pytest.raises(CommandError, match="Known: WS"):
        run("echo", "OTHER")


def test_studies_are_sent_and_audited(storescp: StoreScp) -> None:  # noqa: F811
    port, folder = storescp()
    peer(port, "WS")
    store(*ct_series(3))
    uid = Study.objects.get().study_instance_uid
    assert "3 images sent to WS." in run("send", uid, "--to", "WS")
    assert len(list(folder.iterdir())) == 3
    event = AuditEvent.objects.get(event="instances-sent")
    assert (event.study_instance_uid, event.details["sent"]) == (uid, 3)


def test_what_cannot_be_sent_is_said(storescp: StoreScp) -> None:  # noqa: F811
    peer(1, "WS")
    peer(2, "SCANNER", may_receive=False)
    store(*ct_series(1))
    uid = Study.objects.get().study_instance_uid
    with pytest.raises(CommandError, match=r"Not in the archive: 2\.25\.404"):
        run("send", "2.25.404", "--to", "WS")
    with pytest.raises(CommandError, match="may not be sent images"):
        run("send", uid, "--to", "SCANNER")
    with pytest.raises(CommandError, match="connection refused"):
        run("send", uid, "--to", "WS")
