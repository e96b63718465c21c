"""Why somebody decided: a sentence that another person can judge, kept in the audit trail."""

from __future__ import annotations

from archive.errors import ArchiveError

SHORTEST_REASON = 5
LONGEST_REASON = 255


class ReasonTooShort(ArchiveError):
    """A decision needs a reason that another person can judge."""


def clean_reason(reason: str, *, refusal: type[ArchiveError] = ReasonTooShort) -> str:
    """One line of a reason.

    Raises
    ------
    refusal
        It is too short.
    """
    text = " ".join(reason.split())
    if len(text) < SHORTEST_REASON:
        raise refusal(f"Please give a reason of at least {SHORTEST_REASON} characters; it goes into the audit trail.")
    return text[:LONGEST_REASON]
