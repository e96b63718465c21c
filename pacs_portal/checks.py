"""System checks: what is missing, or must not be, said in words before anything starts."""

from __future__ import annotations

import importlib.metadata
import ipaddress
import os
import platform
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

TESTED_PYTHON = "3.11"
OLDEST_SQLITE = (3, 38, 0)
"""FTS5 with trigrams and the JSON functions that Django needs."""
DEMO_USERS = ("reader", "reader2", "referrer", "referrer2", "technologist", "admin")
SHORTEST_SECRET = 50
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


@register()
def packages_are_there(**_kwargs: Any) -> Iterator[CheckMessage]:
    """Every package of requirements.txt is installed, in the version that was tested."""
    listed = (settings.BASE_DIR / "requirements.txt").read_text(encoding="utf-8")
    for name, version in REQUIREMENT.findall(listed):
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Error(
                f"The Python package '{name}' is missing.",
                hint="'make setup' installs what requirements.txt lists.",
                id="portal.E001",
            )
            continue
        if installed != version:
            yield Warning(f"{name} is {installed}; {version} is what the portal was tested with.", id="portal.W001")


@register()
def data_folder_is_writable(**_kwargs: Any) -> Iterator[CheckMessage]:
    """The data folder can be written, and publishes files by links."""
    folder = Path(settings.PORTAL_DATA)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".check-", dir=folder) as probe:
            written = Path(probe) / "written"
            written.write_bytes(b"1")
            (Path(probe) / "published").hardlink_to(written)
    except OSError as error:
        yield Error(
            f"The data folder {folder} cannot be used: {error.strerror}.",
            hint="Set PORTAL_DATA to a folder on a local disk that this account may write.",
            id="portal.E002",
        )


@register()
def sqlite_is_new_enough(**_kwargs: Any) -> Iterator[CheckMessage]:
    """The small profile searches with what newer versions of SQLite have."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine.endswith("sqlite3") and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        yield Error(f"SQLite is {sqlite3.sqlite_version}; the portal needs {wanted} or later.", id="portal.E003")


@register()
def demo_stays_at_home(**_kwargs: Any) -> Iterator[CheckMessage]:
    """The demo has known users and takes images from anybody: not for a network, unless told twice."""
    if not settings.IS_DEMO or os.environ.get("PORTAL_DEMO_ANYWHERE") == "1":
        return
    addresses = {"PORTAL_HTTP": settings.PORTAL_HTTP_HOST, "PORTAL_DICOM_HOST": settings.PORTAL_DICOM_HOST}
    if settings.PORTAL_MLLP_PORT:
        addresses["PORTAL_MLLP_HOST"] = settings.PORTAL_MLLP_HOST
    for variable, host in addresses.items():
        if not is_loopback(host):
            yield Error(
                f"{variable} is {host}, which other machines can reach, and the demo profile is open to anybody.",
                hint="Set PORTAL_PROFILE=production, or PORTAL_DEMO_ANYWHERE=1 if that is really meant.",
                id="portal.E004",
            )


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@register()
def production_is_closed(**_kwargs: Any) -> Iterator[CheckMessage]:
    """Nothing of the demo, nothing default, nothing for developers in production."""
    if settings.IS_DEMO:
        return
    if settings.DEBUG:
        yield Error("PORTAL_DEBUG is on, and the profile is production.", hint="Unset PORTAL_DEBUG.", id="portal.E005")
    secret = settings.SECRET_KEY
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < 10 or secret.startswith("django-insecure-"):
        yield Error(
            f"The secret key is short or a default; production needs {SHORTEST_SECRET} random characters or more.",
            hint="Unset PORTAL_SECRET_KEY: a random one is then made and kept in the data folder.",
            id="portal.E006",
        )
    if "PORTAL_DEMO_PASSWORD" in os.environ:
        yield Error(
            "PORTAL_DEMO_PASSWORD is set, and the profile is production.",
            hint="Unset it: production has no demo users.",
            id="portal.E007",
        )
    if not settings.PORTAL_PUBLIC_URL.startswith("https://"):
        yield Warning(
            f"PORTAL_PUBLIC_URL is {settings.PORTAL_PUBLIC_URL}: passwords and images travel readable for everybody.",
            hint="Put a proxy with TLS in front and set PORTAL_PUBLIC_URL to its https:// address.",
            id="portal.W002",
        )


@register()
def orders_have_known_senders(**_kwargs: Any) -> Iterator[CheckMessage]:
    """HL7 over MLLP has no sign-in: in production its senders are named by address."""
    is_open = settings.PORTAL_MLLP_PORT and not settings.PORTAL_MLLP_PEERS
    if is_open and not settings.IS_DEMO and not is_loopback(settings.PORTAL_MLLP_HOST):
        yield Error(
            f"Orders are taken on port {settings.PORTAL_MLLP_PORT} from anybody who reaches it.",
            hint="Set PORTAL_MLLP_PEERS to the addresses of the systems that send orders, with commas between them.",
            id="portal.E009",
        )


@register()
def identity_provider_is_named_whole(**_kwargs: Any) -> Iterator[CheckMessage]:
    """Its tokens are taken for the portal alone, and its keys come by a way that nobody else can speak on."""
    issuer, keys = settings.PORTAL_OIDC_ISSUER, settings.PORTAL_OIDC_KEYS
    if issuer and not settings.PORTAL_OIDC_AUDIENCE:
        yield Error(
            "PORTAL_OIDC_ISSUER is set without PORTAL_OIDC_AUDIENCE: its tokens for others would open the portal.",
            hint="Set PORTAL_OIDC_AUDIENCE to what its tokens for the portal name as audience (aud).",
            id="portal.E012",
        )
    place = keys or issuer
    if issuer and not settings.IS_DEMO and place.startswith("http://"):
        yield Error(
            f"The keys of the identity provider would come without TLS from {place}.",
            hint="Give an https:// address, or the file of the keys in PORTAL_OIDC_KEYS.",
            id="portal.E013",
        )


@register()
def tls_of_the_receiver_can_be_used(**_kwargs: Any) -> Iterator[CheckMessage]:
    """A TLS port has a certificate with its key, and whom it checks peers against where it does."""
    from archive.dimse.client import site_files
    from archive.dimse.tls import CannotUseTls, ClientCertificates, client_context, server_context

    port = settings.PORTAL_DICOM_TLS_PORT
    if port and port == settings.PORTAL_DICOM_PORT:
        yield Error(
            f"PORTAL_DICOM_TLS_PORT and PORTAL_DICOM_PORT are both {port}.",
            hint="TLS has a port of its own; 2762 is registered for it.",
            id="portal.E010",
        )
    try:
        if port:
            server_context(site_files(), ClientCertificates(settings.PORTAL_DICOM_TLS_CLIENTS))
        elif any(getattr(settings, f"PORTAL_DICOM_TLS_{name}") for name in ("CERTIFICATE", "KEY", "CA")):
            client_context(site_files())
    except CannotUseTls as error:
        yield Error(
            str(error),
            hint="PORTAL_DICOM_TLS_CERTIFICATE, PORTAL_DICOM_TLS_KEY and PORTAL_DICOM_TLS_CA are paths of PEM files.",
            id="portal.E011",
        )


@register()
def tls_certificate_holds(**_kwargs: Any) -> Iterator[CheckMessage]:
    """Peers refuse a certificate from one day to the next; it is said thirty days before."""
    from archive.dimse.certificate_dates import expiry_of
    from archive.dimse.tls import CannotUseTls

    if not settings.PORTAL_DICOM_TLS_CERTIFICATE:
        return
    try:
        expiry = expiry_of(settings.PORTAL_DICOM_TLS_CERTIFICATE, datetime.now(UTC))
    except CannotUseTls:
        return  # The check before says so.
    if expiry.is_soon:
        yield Warning(expiry.words, hint="Put a new one into PORTAL_DICOM_TLS_CERTIFICATE, restart.", id="portal.W004")


@register(Tags.database)
def production_has_no_demo_passwords(**kwargs: Any) -> Iterator[CheckMessage]:
    """A data folder that was a demo before still has its users; their password is known."""
    kept = Path(settings.PORTAL_DATA) / "keys" / "demo_password"
    if settings.IS_DEMO or not kwargs.get("databases") or not kept.exists():
        return
    from archive.models import User

    password = kept.read_text(encoding="ascii").strip()
    demo = User.objects.filter(is_active=True, username__in=DEMO_USERS).order_by("pk")
    names = [user.username for user in demo if user.check_password(password)]
    if names:
        yield Error(
            f"The demo password still opens: {', '.join(names)}.",
            hint="Change their passwords, or set these accounts inactive, or use another PORTAL_DATA.",
            id="portal.E008",
        )


@register()
def python_is_tested(**_kwargs: Any) -> Iterator[CheckMessage]:
    """Newer versions of Python may work; the exact packages were tested on 3.11."""
    version = platform.python_version()
    if not version.startswith(f"{TESTED_PYTHON}."):
        yield Warning(
            f"Python {version} is untested; {TESTED_PYTHON} is what the portal was tested with.", id="portal.W003"
        )
