"""The folder name under which all static files are served.

It is the digest of the whole tree, so that a relative import of an ES module
reaches the same version as the page that started it, and nothing is rewritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

PACKAGES_WITH_STATIC_FILES = ("Django", "django-allauth", "django-htmx")


def static_digest(folders: Iterable[Path]) -> str:
    """Return 16 hexadecimal digits that change with any file of the folders or version of the packages."""
    digest = hashlib.sha256()
    for package in PACKAGES_WITH_STATIC_FILES:
        digest.update(f"{package} {version(package)}\n".encode())
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
