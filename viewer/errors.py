"""Every refusal of the viewer, one class each; its docstring is the explanation.

``viewer/tiles`` and ``viewer/api`` turn these into HTTP status by one table;
nothing here knows a code.
"""

from __future__ import annotations

_SHOWN = 60
"""Characters of an unacceptable value that a message repeats."""


class ViewerError(Exception):
    """Something was asked of the viewer that it refuses; the message says what, and what would be accepted."""


class InvalidParameter(ViewerError):
    """A parameter of a request is unknown, is not of its kind, or is out of range.

    ``parameter`` names it, ``accepted`` says in words what would be taken.
    """

    def __init__(self, parameter: str, found: object, accepted: str) -> None:
        shown = str(found)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
        super().__init__(f"{parameter}: {shown!r} cannot be used. Accepted: {accepted}.")
        self.parameter = parameter
        self.accepted = accepted


class InvalidWindow(InvalidParameter):
    """Center or width of a window is not a finite number, or the width is too small for its function."""

    def __init__(self, found: object, accepted: str, *, parameter: str = "window") -> None:
        super().__init__(parameter, found, accepted)


class NothingToDraw(ViewerError):
    """The image has no pixels that could be shown; ``reason`` stands where the picture would be."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TileMissing(ViewerError):
    """A level, a tile or a pixel was asked for that the image does not have."""


class NoValueTile(ViewerError):
    """Stored values do not fit 16 bits, are colours, or a shutter or table lies over them: only windowed tiles exist."""


class NotFound(ViewerError):
    """There is no such study, stack, frame or tile, or the person may not see it: both look the same."""


class StackChanged(ViewerError):
    """Images of the stack were hidden or restored since the manifest was read; it must be read again."""


class NotAcceptable(ViewerError):
    """None of the media types that the client accepts is one of those that exist; ``offered`` lists them."""

    def __init__(self, what: str, offered: tuple[str, ...]) -> None:
        choice = f"It is offered as {', '.join(offered)}." if offered else "It has no rendered form."
        super().__init__(f"{what} is not available in a media type that you accept. {choice}")
        self.offered = offered


class TooLarge(ViewerError):
    """The answer would be larger than the portal makes; the message says the limit."""


class Deleted(ViewerError):
    """The images were rejected; said only to those who may know that they existed."""
