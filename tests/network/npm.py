"""Packages of others as their makers publish them: downloaded once, compared with the digest that a test knows."""

from __future__ import annotations

import hashlib
import tarfile
import urllib.request
from pathlib import Path

KEPT = Path.home() / ".cache" / "portal-tests"


def unpacked(address: str, sha256: str) -> Path:
    """The folder of a package's files; OSError where it cannot be had or is another one."""
    folder = KEPT / address.rpartition("/")[2].removesuffix(".tgz")
    if not (folder / "package" / "package.json").is_file():
        with urllib.request.urlopen(address, timeout=60) as answer:
            data = answer.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise OSError(f"{address} is not the package that this test knows.")
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / "package.tgz"
        archive.write_bytes(data)
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        archive.unlink()
    return folder / "package"
