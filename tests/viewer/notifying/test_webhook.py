"""Signed webhooks: what is signed, and where they never go."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from viewer.notifying.webhook import WebhookFailed, WebhookRefused, checked_address, clean_url, is_public, post_signed

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
BODY = b'{"kind": "critical"}'


class Receiver(ThreadingHTTPServer):
    """Keeps what it was sent, and answers with one status."""

    daemon_threads = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?site=1"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing on the test's output."""


@contextmanager
def receiver(status: int = 204) -> Iterator[Receiver]:
    server = Receiver(status)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def send(url: str, **values: object) -> int:
    options = {"secret": "s3cret", "delivery": "d-1", "timestamp": 1700000000, "networks": LOOPBACK} | values
    return post_signed(url, BODY, **options)  # type: ignore[arg-type]


def test_timestamp_and_body_are_signed_with_hmac_sha_256() -> None:
    with receiver() as server:
        assert send(server.url) == 204
    ((path, headers, body),) = server.received
    expected = hmac.new(b"s3cret", b"1700000000." + BODY, hashlib.sha256).hexdigest()
    assert (path, body) == ("/hook?site=1", BODY)
    assert headers["X-Portal-Signature"] == f"v1={expected}"
    assert (headers["X-Portal-Timestamp"], headers["X-Portal-Delivery"]) == ("1700000000", "d-1")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with receiver(status) as server, pytest.raises(WebhookFailed, match="redirects are not followed"):
        send(server.url)
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_an_answer_without_success_is_tried_again(status: int) -> None:
    with receiver(status) as server, pytest.raises(WebhookFailed, match=str(status)):
        send(server.url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "https://localhost:{port}/", "https://[::ffff:127.0.0.1]:{port}/"]
)
def test_our_own_machine_is_never_reached_unless_the_site_says_so(url: str) -> None:
    with receiver() as server, pytest.raises(WebhookRefused, match="open internet"):
        send(url.format(port=server.server_port), networks=[])
    assert server.received == []


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "fc00::1",
        "fe80::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_public_are_told(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_told(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_name_with_one_private_address_is_refused_whatever_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(WebhookRefused):
        checked_address("rebinding.example", 443)


def test_a_public_address_is_sent_to_with_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(WebhookRefused, match="https"):
        send("http://public.example/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "https://",
        "javascript:alert(1)",
        "https://user:word@example.org/",
        "https://example.org:99999/",
        "https://example.org/a b",
        "https://exämple.org/",
        "https://example.org/\r\nX: 1",
        "https://example.org/" + "a" * 500,
    ],
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(WebhookRefused):
        clean_url(url)
