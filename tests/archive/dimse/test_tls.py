"""DICOM over TLS, as receiver and towards peers, with dcmtk and OpenSSL at the other end."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest

from archive.dimse.certificate_dates import BEGIN, END, expires_at
from archive.dimse.client import PeerUnreachable, echo
from archive.dimse.destinations import open_channel
from archive.dimse.peers import PeerRule
from archive.dimse.refusals import Refusal
from archive.dimse.server import DicomServer, SecurePort
from archive.dimse.tls import ClientCertificates, TlsFiles, server_context
from pacs_portal.checks import tls_certificate_holds, tls_of_the_receiver_can_be_used
from pacs_portal.health import certificate
from tests.archive.dimse.certificates import Pair, authority, issue, lasting, openssl
from tests.archive.dimse.conftest import StartReceiver, data_set_of, dcmtk, echoscu, incoming, storescu
from tests.archive.dimse.raw import CT_CLASS, EXPLICIT, RELEASE, RawPeer, echo_command, p_data
from tests.conftest import Cast

CT = frozenset({(CT_CLASS, EXPLICIT)})


@dataclass(frozen=True)
class Site:
    ca: Pair
    ours: Pair
    scanner: Pair
    stranger: Pair
    """Of an authority that nobody here trusts."""

    def files(self) -> TlsFiles:
        return TlsFiles(str(self.ours.certificate), str(self.ours.key), str(self.ca.certificate))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("certificates")
    ca, other = authority(folder, "site"), authority(folder, "other")
    return Site(ca, issue(folder, "portal", ca), issue(folder, "scanner", ca), issue(folder, "stranger", other))


StartSecure = Callable[..., DicomServer]


@pytest.fixture
def start_secure(start_receiver: StartReceiver, site: Site) -> StartSecure:
    """Start receivers with a TLS port, and plain ones beside it."""

    def start(clients: ClientCertificates = ClientCertificates.NONE, **options: Any) -> DicomServer:
        return start_receiver(secure=SecurePort(0, server_context(site.files(), clients)), **options)

    return start


def port_of(receiver: DicomServer) -> int:
    assert receiver.secure is not None
    return receiver.secure.port


def with_certificate(pair: Pair, ca: Pair) -> tuple[str, ...]:
    return ("+tls", str(pair.key), str(pair.certificate), "+cf", str(ca.certificate))


def test_an_image_comes_over_tls_and_the_plain_port_stays(start_secure: StartSecure, site: Site, ct_file: Path) -> None:
    receiver = start_secure(ClientCertificates.REQUIRED)
    answer = storescu(port_of(receiver), ct_file, options=("-R", *with_certificate(site.scanner, site.ca)))

    assert answer.returncode == 0, answer.stdout
    assert dcmdump_value(incoming()[0], "PixelData") == dcmdump_value(ct_file, "PixelData")
    assert echoscu(receiver.port).returncode == 0


def test_without_asking_for_certificates_anonymous_tls_is_taken(start_secure: StartSecure, site: Site) -> None:
    receiver = start_secure()

    assert echoscu(port_of(receiver), "+tla", "+cf", str(site.ca.certificate)).returncode == 0


def test_a_required_certificate_that_is_missing_or_strange_is_refused_and_noted(
    start_secure: StartSecure, site: Site, refused: list[Refusal]
) -> None:
    receiver = start_secure(ClientCertificates.REQUIRED)
    missing = echoscu(port_of(receiver), "+tla", "+cf", str(site.ca.certificate))
    strange = echoscu(port_of(receiver), *with_certificate(site.stranger, site.ca))
    known = echoscu(port_of(receiver), *with_certificate(site.scanner, site.ca))
    receiver.stop(timeout=1)

    assert missing.returncode != 0
    assert strange.returncode != 0
    assert known.returncode == 0
    reasons = [refusal.reason for refusal in refused]
    assert reasons[0] == "no TLS: it showed no certificate"
    assert reasons[1].startswith("no TLS: its certificate is not trusted")


def test_an_optional_certificate_may_be_missing_but_not_strange(start_secure: StartSecure, site: Site) -> None:
    receiver = start_secure(ClientCertificates.OPTIONAL)

    assert echoscu(port_of(receiver), "+tla", "+cf", str(site.ca.certificate)).returncode == 0
    assert echoscu(port_of(receiver), *with_certificate(site.stranger, site.ca)).returncode != 0


@pytest.mark.parametrize(("option", "is_taken"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_tls_is_1_2_or_1_3(start_secure: StartSecure, option: str, is_taken: bool) -> None:
    receiver = start_secure()
    answer = subprocess.run(
        ["/usr/bin/openssl", "s_client", "-connect", f"127.0.0.1:{port_of(receiver)}", option]
        + (["-cipher", "DEFAULT@SECLEVEL=0"] if option == "-tls1_1" else []),
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip

    assert (b"Cipher is (NONE)" not in answer.stdout) == is_taken


def test_a_cipher_suite_that_rfc_9325_does_not_recommend_is_refused(start_secure: StartSecure, site: Site) -> None:
    context = ssl.create_default_context(cafile=str(site.ca.certificate))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305")
    with (
        socket.create_connection(("127.0.0.1", port_of(start_secure())), 10) as connection,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(connection, server_hostname="127.0.0.1")


def secure_peer(receiver: DicomServer, site: Site) -> RawPeer:
    peer = RawPeer(port_of(receiver))
    context = ssl.create_default_context(cafile=str(site.ca.certificate))
    peer.socket = context.wrap_socket(peer.socket, server_hostname="127.0.0.1")
    return peer


def test_a_flood_of_requests_over_tls_is_answered_in_order(start_secure: StartSecure, site: Site) -> None:
    """Reading and answering are two threads of one TLS connection."""
    with secure_peer(start_secure(), site) as peer:
        peer.associate()
        for number in range(200):
            peer.send(p_data(1, 3, echo_command(number + 1)))
            assert peer.response()[0x0120] == (number + 1).to_bytes(2, "little")
        peer.send(RELEASE)
        assert peer.read_pdu() == (6, bytes(4))


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(300)])
def test_who_does_not_finish_a_handshake_keeps_nobody_out(start_secure: StartSecure, site: Site, said: bytes) -> None:
    receiver = start_secure(limits={"associate_deadline_s": 1.0})
    peers = [RawPeer(port_of(receiver)) for _ in range(50)]
    for peer in peers:
        peer.send(said)
    began = time.monotonic()
    assert echoscu(port_of(receiver), "+tla", "+cf", str(site.ca.certificate)).returncode == 0
    assert time.monotonic() - began < 2
    for peer in peers:
        peer.seconds_until_closed()
        peer.socket.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def secure_store(site: Site, tmp_path: Path) -> Iterator[int]:
    """dcmtk's storescp, which asks for our certificate."""
    port, folder = free_port(), tmp_path / "received"
    folder.mkdir()
    command = ["/usr/bin/storescp", *with_certificate(site.scanner, site.ca), "-od", str(folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                break
        yield port
        process.terminate()


def use(settings: Any, pair: Pair, ca: Pair) -> None:
    settings.PORTAL_DICOM_TLS_CERTIFICATE = str(pair.certificate)
    settings.PORTAL_DICOM_TLS_KEY = str(pair.key)
    settings.PORTAL_DICOM_TLS_CA = str(ca.certificate)


def test_an_image_is_sent_to_a_peer_over_tls(
    secure_store: int, site: Site, settings: Any, ct_file: Path, tmp_path: Path
) -> None:
    use(settings, site.ours, site.ca)
    rule = PeerRule("STORE", host="127.0.0.1", port=secure_store, use_tls=True)
    channel = open_channel(rule, CT, "PORTAL")
    way = channel.choose(CT_CLASS, EXPLICIT)
    assert way is not None
    assert way.transfer_syntax_uid == EXPLICIT
    data = data_set_of(ct_file)
    source = tmp_path / "data set"
    source.write_bytes(data)
    with source.open("rb") as file:
        uid = str(pydicom.dcmread(ct_file, stop_before_pixels=True).SOPInstanceUID)
        status = channel.store(file, way, sop_class_uid=CT_CLASS, sop_instance_uid=uid)
    channel.let_go()
    channel.assoc.release()

    assert status == 0
    (received,) = (tmp_path / "received").iterdir()
    assert dcmdump_value(received, "PixelData") == dcmdump_value(ct_file, "PixelData")


def dcmdump_value(path: Path, keyword: str) -> str:
    answer = subprocess.run(
        ["/usr/bin/dcmdump", "+L", "+P", keyword, str(path)], capture_output=True, text=True, check=True
    )
    return answer.stdout


def test_a_peer_whose_certificate_is_strange_or_anothers_is_not_spoken_to(
    secure_store: int, site: Site, settings: Any
) -> None:
    call = {"called_ae_title": "STORE", "calling_ae_title": "PORTAL"}
    use(settings, site.ours, site.ca)
    echo("127.0.0.1", secure_store, **call, tls="127.0.0.1")
    with pytest.raises(PeerUnreachable, match=r"no TLS, its certificate is not trusted: Hostname mismatch"):
        echo("127.0.0.1", secure_store, **call, tls="store.example")
    settings.PORTAL_DICOM_TLS_CA = str(site.stranger.certificate)
    with pytest.raises(PeerUnreachable, match=r"its certificate is not trusted"):
        echo("127.0.0.1", secure_store, **call, tls="127.0.0.1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PORTAL_DICOM_TLS_PORT": 2762}, "has no certificate and key"),
        ({"PORTAL_DICOM_TLS_PORT": 11112}, "are both 11112"),
        ({"PORTAL_DICOM_TLS_CERTIFICATE": "/nowhere.pem", "PORTAL_DICOM_TLS_KEY": "/no.key"}, "does not exist"),
        ({"PORTAL_DICOM_TLS_CA": __file__}, "is no list of certificates"),
    ],
)
def test_what_is_missing_for_tls_is_said_before_the_start(settings: Any, changes: dict[str, Any], words: str) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    assert any(words in message.msg for message in tls_of_the_receiver_can_be_used())


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        (400, "ok", None),
        (20, "warning", r"holds until \d{4}-\d\d-\d\d, (19|20) days more\."),
        (-3, "failed", r"expired on \d{4}-\d\d-\d\d: peers refuse it\."),
    ],
)
def test_a_certificate_that_ends_is_said_at_the_start_and_to_administrators(
    settings: Any, tmp_path: Path, days: int, state: str, words: str | None
) -> None:
    pair = lasting(tmp_path, days)
    settings.PORTAL_DICOM_TLS_CERTIFICATE, settings.PORTAL_DICOM_TLS_KEY = str(pair.certificate), str(pair.key)
    said = openssl("x509", "-in", pair.certificate, "-noout", "-enddate", "-dateopt", "iso_8601")
    assert f"notAfter={expires_at(str(pair.certificate)):%Y-%m-%d %H:%M:%SZ}" == said.strip()

    messages = list(tls_certificate_holds())

    assert certificate()[0] == state
    assert [message.id for message in messages] == ([] if words is None else ["portal.W004"])
    assert words is None or re.search(words, messages[0].msg)


@pytest.mark.django_db
def test_administrators_see_the_certificate_where_there_is_one(
    settings: Any, tmp_path: Path, cast: Cast, client_of: Callable[..., Any]
) -> None:
    client = client_of(cast.admin)
    assert "TLS certificate" not in client.get("/admin/").content.decode()
    settings.PORTAL_DICOM_TLS_CERTIFICATE = str(lasting(tmp_path, 5).certificate)
    assert "The TLS certificate of the DICOM receiver holds until" in client.get("/admin/").content.decode()


def test_a_file_that_holds_no_certificate_is_said(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "cut.pem").write_text(f"{BEGIN}\nMIIB\n{END}\n")
    for path in (__file__, str(tmp_path / "cut.pem"), "/nowhere.pem"):
        settings.PORTAL_DICOM_TLS_CERTIFICATE = path
        assert certificate() == ("failed", f"{path} holds no certificate that can be read.")
        assert not list(tls_certificate_holds())


def test_certificates_that_nobody_can_be_checked_against_are_said(settings: Any, site: Site) -> None:
    use(settings, site.ours, site.ca)
    settings.PORTAL_DICOM_TLS_PORT, settings.PORTAL_DICOM_TLS_CA = 2762, ""
    settings.PORTAL_DICOM_TLS_CLIENTS = "required"

    assert any("no file of authorities" in message.msg for message in tls_of_the_receiver_can_be_used())


def test_a_dcmtk_that_speaks_plainly_to_the_tls_port_is_sent_away(start_secure: StartSecure) -> None:
    assert dcmtk("echoscu", port_of(start_secure()), "-ta", "5").returncode != 0
