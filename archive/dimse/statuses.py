"""Turn the archive's refusals into DIMSE statuses; nothing else decides codes.

PS3.7 annex C (general statuses), PS3.4 B.2.3 (C-STORE), C.4.1.1.4 (C-FIND), C.4.2.1.5 (C-MOVE), C.4.3.1.4 (C-GET).
"""

from __future__ import annotations

from typing import NamedTuple

from archive import errors

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
INVALID_OBJECT_INSTANCE = 0x0117
SOP_CLASS_NOT_SUPPORTED = 0x0122
NOT_AUTHORIZED = 0x0124
NO_SUCH_ATTRIBUTE = 0x0105
INVALID_ATTRIBUTE_VALUE = 0x0106
ATTRIBUTE_LIST_ERROR = 0x0107
"""A warning: some attributes were not taken."""
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119
MISSING_ATTRIBUTE = 0x0120
MISSING_ATTRIBUTE_VALUE = 0x0121
INVALID_ARGUMENT_VALUE = 0x0115
NO_SUCH_ACTION = 0x0123
DUPLICATE_TRANSACTION = 0x0131
RESOURCE_LIMITATION = 0x0213
STEP_MAY_NO_LONGER_BE_UPDATED = 0xA710
"""Error ID beside 0110 (PS3.4 table F.7.2-2)."""
OUT_OF_RESOURCES = 0xA700
UNABLE_TO_PERFORM_SUBOPERATIONS = 0xA702
MOVE_DESTINATION_UNKNOWN = 0xA801
DATA_SET_DOES_NOT_MATCH = 0xA900
SOME_SUBOPERATIONS_FAILED = 0xB000
CANNOT_UNDERSTAND = 0xC000
UNABLE_TO_PROCESS = 0xC001
CANCELLED = 0xFE00
PENDING = 0xFF00
PENDING_UNSUPPORTED_KEYS = 0xFF01
"""A match, with the warning that optional keys were not supported for existence or matching."""

STORE_STATUS: dict[type[errors.ArchiveError], int] = {
    errors.InvalidUID: INVALID_OBJECT_INSTANCE,
    errors.DataSetMismatch: DATA_SET_DOES_NOT_MATCH,
    errors.CannotUnderstand: CANNOT_UNDERSTAND,
    errors.OutOfSpace: OUT_OF_RESOURCES,
    errors.BacklogFull: OUT_OF_RESOURCES,
    errors.ObjectTooLarge: OUT_OF_RESOURCES,
    errors.StorageFailed: PROCESSING_FAILURE,
}
"""Refusals of the intake and the C-STORE status of each (PS3.4 table B.2-1, PS3.7 C.4 and C.5)."""

COMMENT_LENGTH = 64
"""Error Comment (0000,0902) is LO: at most 64 characters, no backslash (PS3.5 6.2)."""


class Answer(NamedTuple):
    """What a peer is told: a status, and words where it is not success."""

    status: int
    comment: str = ""


STORED = Answer(SUCCESS)


def answer_to(error: Exception) -> Answer:
    """Return the C-STORE answer for a refusal; anything unforeseen is a processing failure without details.

    >>> answer_to(errors.DataSetMismatch("The data set is of another SOP Instance."))
    Answer(status=43264, comment='The data set is of another SOP Instance.')
    >>> answer_to(ZeroDivisionError("secret"))
    Answer(status=272, comment='The archive could not process the object.')
    """
    for kind in type(error).__mro__:
        if kind in STORE_STATUS:
            return Answer(STORE_STATUS[kind], comment_of(str(error)))
    return Answer(PROCESSING_FAILURE, "The archive could not process the object.")


def comment_of(text: str) -> str:
    """Cut words to what an Error Comment may hold.

    >>> comment_of("a\\\\b\\nc" + "x" * 70)
    'a/b cxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'
    """
    clean = "".join(c if " " <= c <= "~" else " " for c in text.replace("\\", "/"))
    return clean if len(clean) <= COMMENT_LENGTH else f"{clean[: COMMENT_LENGTH - 3]}..."
