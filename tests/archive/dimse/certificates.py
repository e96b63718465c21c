"""Authorities and certificates for one test run, made by OpenSSL's own tool."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ELLIPTIC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path


def authority(folder: Path, name: str) -> Pair:
    """Make an authority that signs itself."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    openssl("req", "-x509", *ELLIPTIC, "-subj", f"/CN={name}", "-keyout", pair.key, "-out", pair.certificate)
    return pair


def issue(folder: Path, name: str, by: Pair, *, host: str = "IP:127.0.0.1") -> Pair:
    """Make a certificate of ``by`` for a host, for servers and clients."""
    pair, request = Pair(folder / f"{name}.pem", folder / f"{name}.key"), folder / f"{name}.csr"
    openssl("req", *ELLIPTIC, "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request)
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={host}\n")
    openssl(
        *("x509", "-req", "-in", request, "-CA", by.certificate, "-CAkey", by.key, "-CAcreateserial"),
        *("-days", "2", "-extfile", extensions, "-out", pair.certificate),
    )
    return pair


def lasting(folder: Path, days: int) -> Pair:
    """Make a certificate that ends in so many days, or ended so many ago."""
    pair = Pair(folder / "lasting.pem", folder / "lasting.key")
    now = datetime.now(UTC)
    request = folder / "lasting.csr"
    openssl("req", *ELLIPTIC[:-2], "-subj", "/CN=lasting", "-keyout", pair.key, "-out", request)
    (folder / "index").touch()
    (folder / "ca.cnf").write_text(
        f"[ca]\ndatabase={folder}/index\nserial={folder}/serial\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    dates = [f"{moment:%Y%m%d%H%M%SZ}" for moment in (now - timedelta(days=500), now + timedelta(days=days))]
    openssl(
        *("ca", "-batch", "-selfsign", "-config", folder / "ca.cnf", "-name", "ca", "-rand_serial", "-notext"),
        *("-keyfile", pair.key, "-in", request, "-out", pair.certificate, "-outdir", folder),
        *("-startdate", dates[0], "-enddate", dates[1]),
    )
    return pair


def openssl(*words: str | Path) -> str:
    done = subprocess.run(["/usr/bin/openssl", *map(str, words)], check=True, capture_output=True, text=True)
    return done.stdout
