"""Refusals of sharing."""

from __future__ import annotations

from viewer.errors import NotFound, ViewerError


class CannotShare(ViewerError):
    """What was filled in cannot become a link; the message says what would be accepted."""


class LinkEnded(NotFound):
    """No such link, or it is over, used up, revoked or not yet to be opened: all of them look the same."""

    def __init__(self) -> None:
        super().__init__("This link does not open anything.")
