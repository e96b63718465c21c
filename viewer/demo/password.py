"""The one password of the demo users, kept in a file that only the portal's own account can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that are taken for one another when typed from a terminal."""
GROUPS, GROUP_LENGTH = 4, 4


def new_password() -> str:
    """Return a random password of 79 bits that can be read out, such as ``kq7m-x3hd-...``."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def kept_password(path: Path) -> str:
    """Return the password in a file; made at the first call, whole or not at all, with mode 600."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_password() + "\n")
        try:
            os.link(beside, path)
        except FileExistsError:
            pass  # another start was first; its password is the one
    finally:
        beside.unlink()
    return path.read_text(encoding="ascii").strip()
