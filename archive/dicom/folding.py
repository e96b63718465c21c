"""Text without case and accents: what is typed and what is kept pass the same function before they are compared."""

from __future__ import annotations

import unicodedata

KANA_VOICING = frozenset("\u3099\u309a")
"""Combining voiced marks: か and が are different letters, not one letter with an accent."""


def fold(value: str) -> str:
    """Fold case, width and accents; nothing else is changed.

    >>> fold("Äneas ÇELIK")
    'aneas celik'
    >>> fold("ガ") == fold("カ")
    False
    """
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c) or c in KANA_VOICING)
    return unicodedata.normalize("NFC", bare)
