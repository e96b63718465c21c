"""Until when our TLS certificate holds, and the warning before it does not (RFC 5280 4.1.2.5)."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from archive.dimse.tls import CannotUseTls

WARN_WITHIN: Final = timedelta(days=30)
BEGIN: Final = "-----BEGIN CERTIFICATE-----"
END: Final = "-----END CERTIFICATE-----"
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


class Expiry(NamedTuple):
    """How long a certificate holds, in words."""

    has_expired: bool
    is_soon: bool
    """Within 30 days, or past."""
    words: str


def expiry_of(path: str, now: datetime) -> Expiry:
    """What there is to say of the certificate in a PEM file, the first of its chain.

    Raises
    ------
    CannotUseTls
        There is no certificate in it.
    """
    until = expires_at(path)
    left = until - now
    day = f"{until:%Y-%m-%d}"
    if left <= timedelta(0):
        return Expiry(True, True, f"The TLS certificate of the DICOM receiver expired on {day}: peers refuse it.")
    days = f"{left.days} day{'' if left.days == 1 else 's'}"
    return Expiry(
        False, left < WARN_WITHIN, f"The TLS certificate of the DICOM receiver holds until {day}, {days} more."
    )


def expires_at(path: str) -> datetime:
    """The moment after which the first certificate of a PEM file is not valid.

    Raises
    ------
    CannotUseTls
    """
    try:
        text = Path(path).read_text(encoding="ascii", errors="replace")
        first = text[text.index(BEGIN) : text.index(END) + len(END)]
        return _not_after(ssl.PEM_cert_to_DER_cert(first))
    except (OSError, ValueError, IndexError) as error:
        raise CannotUseTls(f"{path} holds no certificate that can be read.") from error


def _not_after(der: bytes) -> datetime:
    """Walk to TBSCertificate, and in it past version, serial number, signature and issuer to the validity."""
    _, certificate, _ = _read(der, 0)
    _, tbs, _ = _read(certificate, 0)
    tag, _, offset = _read(tbs, 0)
    for _ in range(3 if tag == _VERSION else 2):
        _, _, offset = _read(tbs, offset)
    _, validity, _ = _read(tbs, offset)
    _, _, offset = _read(validity, 0)
    tag, value, _ = _read(validity, offset)
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise ValueError("no time")
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        # RFC 5280 4.1.2.5.1: two digits from 50 on are of the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _read(der: bytes, offset: int) -> tuple[int, bytes, int]:
    """Tag and value of one element (X.690 8.1), and where the next one begins."""
    tag, length = der[offset], der[offset + 1]
    offset += 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[offset : offset + count], "big")
        offset += count
    if offset + length > len(der):
        raise ValueError("cut short")
    return tag, der[offset : offset + length], offset + length
