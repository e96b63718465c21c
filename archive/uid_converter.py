"""Path converter ``uid``: digits and dots, at most 64 characters and a number.

Importing this registers it: an address map that uses it imports it, and works alone.
"""

from __future__ import annotations

from django.urls import register_converter


class UIDConverter:
    regex = r"[0-9.]{1,70}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(UIDConverter, "uid")
