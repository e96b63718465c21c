"""Every refusal of the reports, one class each; ``viewer.api.reports`` gives each its HTTP status."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.errors import ViewerError


class ReportRefusal(ViewerError):
    """Something was asked of a report that is refused; the message says why, and what would be possible."""


class NotForYou(ReportRefusal):
    """The role of the person does not read or write this."""


class InvalidText(ReportRefusal):
    """A section is unknown, no text, or longer than a report is."""


class NothingToSign(ReportRefusal):
    """There is no text to sign."""


class AlreadySigned(ReportRefusal):
    """The final report was signed: its text cannot be changed, an addendum can be added."""


class NotSignedYet(ReportRefusal):
    """An addendum needs a final report."""


class OtherPatient(ReportRefusal):
    """The text was written about another patient than the images that are shown, or that the study is now of."""


class WrongPassword(ReportRefusal):
    """The signature's password or second factor is not right."""


class NoSecondFactor(ReportRefusal):
    """The site wants a second factor for signatures, and the person has none yet."""


class TooManyTries(WrongPassword):
    """The password was wrong so often that the account is locked for a while."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft as it was saved, by whom and when."""

    number: int
    text: dict[str, str]
    by: str
    at: str
    """ISO 8601."""


class Conflict(ReportRefusal):
    """The draft was saved by another window or person in between; ``theirs`` is what is kept now."""

    def __init__(self, theirs: Saved, clock: str) -> None:
        super().__init__(
            f"{theirs.by or 'Somebody'} saved this draft at {clock}, after you opened it. Both texts are kept: choose."
        )
        self.theirs = theirs
