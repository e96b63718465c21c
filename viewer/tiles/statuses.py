"""Which HTTP status a refusal gets: the one table for tiles, manifests and our own JSON."""

from __future__ import annotations

from archive.errors import CannotDecode, FrameMissing
from viewer.errors import InvalidParameter, NotFound, NothingToDraw, NoValueTile, StackChanged, TileMissing

STATUS: dict[type[Exception], int] = {
    InvalidParameter: 400,
    NotFound: 404,
    TileMissing: 404,
    FrameMissing: 404,
    StackChanged: 410,
    NoValueTile: 406,
    NothingToDraw: 422,
    CannotDecode: 422,
}


def status_of(error: Exception) -> int:
    """The most specific entry of the table; 422 for what it does not name."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 422)
