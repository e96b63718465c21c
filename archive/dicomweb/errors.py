"""Refusals of a DICOMweb request; ``statuses.py`` turns them into HTTP statuses."""

from __future__ import annotations

from archive.errors import ArchiveError


class BadRequest(ArchiveError):
    """The request's syntax is wrong, or a parameter has a value that is none."""


class UnsupportedMediaType(ArchiveError):
    """The body is of a kind that is not taken; the message lists those that are."""
