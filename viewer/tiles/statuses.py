"""Which HTTP status a refusal gets: the one table for tiles, manifests, PS3.18 and our own JSON."""

from __future__ import annotations

from archive.errors import CannotDecode, FrameMissing
from viewer.errors import (
    Deleted,
    InvalidParameter,
    NotAcceptable,
    NotFound,
    NothingToDraw,
    NoValueTile,
    StackChanged,
    TileMissing,
    TooLarge,
)

STATUS: dict[type[Exception], int] = {
    InvalidParameter: 400,
    NotFound: 404,
    TileMissing: 404,
    FrameMissing: 404,
    StackChanged: 410,
    Deleted: 410,
    NoValueTile: 406,
    NotAcceptable: 406,
    TooLarge: 413,
    NothingToDraw: 422,
    CannotDecode: 422,
}


def status_of(error: Exception) -> int:
    """The most specific entry of the table; 422 for what it does not name."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 422)
