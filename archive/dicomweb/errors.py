"""Refusals of a DICOMweb request; ``statuses.py`` turns them into HTTP statuses."""

from __future__ import annotations

from archive.errors import ArchiveError


class BadRequest(ArchiveError):
    """The request's syntax is wrong, or a parameter has a value that is none."""


class UnsupportedMediaType(ArchiveError):
    """The body is of a kind that is not taken; the message lists those that are."""


class NotAcceptable(ArchiveError):
    """The client accepts none of the media types that the resource has; the message lists them."""


class NotFound(ArchiveError):
    """There is no such resource, or the one who asks may not see it: both look the same."""


class Forbidden(ArchiveError):
    """The one who asks may know of it, but not have it."""


class Gone(ArchiveError):
    """It was rejected; told only to those who may know that it was there."""


class NotOffered(NotFound):
    """A service of the standard that the portal does not have; the message says what it has."""


class RangeNotSatisfiable(ArchiveError):
    """The range of bytes that is asked for begins behind the end."""

    def __init__(self, size: int) -> None:
        super().__init__(f"Range: the resource has {size} bytes, counted from 0.")
        self.size = size


class LengthRequired(BadRequest):
    """The size of the body is not announced."""


class BodyTooLarge(BadRequest):
    """The body is larger than the site takes."""
