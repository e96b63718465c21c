"""Files as they lie on disk, to compare with what the network gives."""

from __future__ import annotations

from pathlib import Path


def data_set_bytes(path: Path) -> bytes:
    """A file without preamble and group 0002, whose length its first element says (PS3.10 7.1)."""
    data = path.read_bytes()
    assert data[128:138] == b"DICM\x02\x00\x00\x00UL"
    return data[144 + int.from_bytes(data[140:144], "little") :]
