"""Every refusal of the archive, one class each; its docstring is the explanation.

Two tables turn these into answers: ``archive/dimse/statuses.py`` (DIMSE status)
and ``archive/dicomweb/statuses.py`` (HTTP status). Nothing else decides codes.
"""


class ArchiveError(Exception):
    """Something was asked of the archive that it refuses; the message says what, and what would be accepted."""


class CannotUnderstand(ArchiveError):
    """The bytes are not a data set that can be read whole: not DICOM, cut short, or beyond a stated limit."""


class DataSetMismatch(ArchiveError):
    """The data set's SOP Class or SOP Instance UID is not the one that was announced with it."""


class OtherStudy(ArchiveError):
    """An instance was sent to a study that it does not belong to."""


class InvalidUID(ArchiveError):
    """A value that must be a UID is none (PS3.5 9.1: digits and dots, at most 64 characters)."""


class OutOfSpace(ArchiveError):
    """The disk is full, or so nearly that the archive keeps the rest for itself."""


class BacklogFull(ArchiveError):
    """More images wait to be indexed than the site allows; the sender should come again later."""


class ObjectTooLarge(ArchiveError):
    """The object is larger than the site takes."""


class StorageFailed(ArchiveError):
    """The bytes could not be made durable; nothing of them counts as stored."""


class CannotDecode(ArchiveError):
    """The pixel data cannot be decoded: an unsupported transfer syntax, or a code stream that is damaged."""


class FrameMissing(ArchiveError):
    """A frame was asked for that the instance does not have."""
