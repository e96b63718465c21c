"""Path converter ``stack``: a UID that may end in a word. Importing this registers it."""

from __future__ import annotations

from django.urls import register_converter

from archive.uid_converter import UIDConverter

STACK = r"[0-9.]{1,70}(?:\.[a-z]{3})?"
"""A stack's id: the UID of a series or instance, with ``.2`` for a part of a series or ``.sub`` for differences."""


class StackConverter(UIDConverter):
    regex = STACK


register_converter(StackConverter, "stack")
