"""Webhooks: a signed POST to an address that a person gave, which must not reach into our own network.

The address is resolved once and the connection is made to what was checked, so that a name
that answers otherwise the second time leads nowhere. Redirects are not followed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from viewer.errors import ViewerError

TIMEOUT_S: Final = 10
LONGEST_S: Final = 20
"""The whole exchange: a receiver that drips its answer is cut."""
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class WebhookRefused(ViewerError):
    """The address is none that the portal sends to."""


class WebhookFailed(ViewerError):
    """The receiver could not be reached, or did not answer with success; it is tried again."""


def clean_url(url: str) -> str:
    """An address as it is kept.

    Raises
    ------
    WebhookRefused
    """
    url = url.strip()
    parts = _split(url)
    if not url.isascii() or len(url) > 500 or any(character.isspace() for character in url):
        raise WebhookRefused("The webhook's address has characters that an address cannot have, or over 500 of them.")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise WebhookRefused("A webhook's address begins with https:// and names a machine.")
    if parts.username or parts.password or parts.fragment:
        raise WebhookRefused("A webhook's address carries no user name, password or #part.")
    return url


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it is read to be checked
    except ValueError:
        raise WebhookRefused("This is no address of the web.") from None
    return parts


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the open internet, also where IPv6 carries an IPv4 address inside.

    >>> [is_public(ipaddress.ip_address(one)) for one in ("93.184.215.14", "10.0.0.1", "::ffff:127.0.0.1")]
    [True, False, False]
    """
    inner = _carried(address)
    if inner is not None:
        return is_public(inner)
    special = (address.is_multicast, address.is_private, address.is_loopback, address.is_link_local)
    return address.is_global and not any(special) and not address.is_reserved and not address.is_unspecified


def _carried(address: IPAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside a mapped (RFC 4291), 6to4 (RFC 3056), Teredo (RFC 4380) or NAT64 (RFC 6052) one."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """``v1=`` and the HMAC-SHA256 (RFC 2104), in hexadecimal digits, of timestamp, full stop and body."""
    message = str(timestamp).encode("ascii") + b"." + body
    return "v1=" + hmac.new(secret.encode("utf-8"), message, hashlib.sha256).hexdigest()


def post_signed(
    url: str, body: bytes, *, secret: str, delivery: str, timestamp: int, networks: Sequence[IPNetwork] = ()
) -> int:
    """Send one message; returns the status of success.

    Parameters
    ----------
    delivery
        Identifies the message: the same in every try.
    networks
        Networks of the site's own that may be reached although they are private, without TLS too.

    Raises
    ------
    WebhookRefused, WebhookFailed
    """
    parts = _split(clean_url(url))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "portal-webhook",
        "X-Portal-Delivery": delivery,
        "X-Portal-Timestamp": str(timestamp),
        "X-Portal-Signature": signature(secret, timestamp, body),
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _open(parts, networks)
        cut = threading.Timer(LONGEST_S, _cut, [connection.sock])
        cut.start()
        try:
            connection.request("POST", path, body=body, headers=headers)
            status = connection.getresponse().status
        finally:
            cut.cancel()
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise WebhookFailed(f"The receiver could not be reached: {type(error).__name__}.") from None
    if 300 <= status < 400:
        raise WebhookFailed(f"The receiver answered {status}; redirects are not followed.")
    if not 200 <= status < 300:
        raise WebhookFailed(f"The receiver answered {status}.")
    return status


def _open(parts: SplitResult, networks: Sequence[IPNetwork]) -> http.client.HTTPConnection:
    host = str(parts.hostname)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    address = checked_address(host, port, networks, may_be_public=is_tls)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    plain = socket.create_connection((str(address), port), timeout=TIMEOUT_S)
    try:
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(plain, server_hostname=host) if is_tls else plain
    except (OSError, ValueError):
        plain.close()
        raise
    return connection


def checked_address(
    host: str, port: int, networks: Sequence[IPNetwork] = (), *, may_be_public: bool = True
) -> IPAddress:
    """Resolve a name, once; every address of it must be one that may be reached.

    Raises
    ------
    WebhookRefused
        An address is private, loopback, link-local or otherwise not public; or public, without TLS.
    OSError
        The name is not known.
    """
    found = [ipaddress.ip_address(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if any(address in network for network in networks):
            continue
        if not is_public(address):
            raise WebhookRefused("The webhook's address leads to a machine that is not of the open internet.")
        if not may_be_public:
            raise WebhookRefused("A webhook's address begins with https://.")
    return found[0]


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # It is closed already.
