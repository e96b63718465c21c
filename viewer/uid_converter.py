"""Path converters: ``uid`` is digits and dots, at most 64 characters and a number; ``stack`` may end in a word."""

STACK = r"[0-9.]{1,70}(?:\.[a-z]{3})?"
"""A stack's id: the UID of a series or instance, with ``.2`` for a part of a series or ``.sub`` for differences."""


class UIDConverter:
    regex = r"[0-9.]{1,70}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class StackConverter(UIDConverter):
    regex = STACK
