"""axe-core (MPL-2.0): the package as its makers publish it, fetched once and only for tests."""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

VERSION = "4.10.3"
ADDRESS = f"https://registry.npmjs.org/axe-core/-/axe-core-{VERSION}.tgz"
SHA256 = "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292"
KEPT = Path.home() / ".cache" / "portal-tests"


def script() -> str:
    """The checker's source; OSError where it is not here and cannot be fetched."""
    kept = KEPT / f"axe-{VERSION}.min.js"
    if not kept.is_file():
        with urllib.request.urlopen(ADDRESS, timeout=60) as answer:
            data = answer.read()
        if hashlib.sha256(data).hexdigest() != SHA256:
            raise OSError("The package of axe-core is not the one that this test knows.")
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            file = archive.extractfile("package/axe.min.js")
            if file is None:
                raise OSError("The package of axe-core has no axe.min.js.")
            text = file.read()
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(text)
    return kept.read_text(encoding="utf-8")
