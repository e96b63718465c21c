"""Lines of a printed text: broken to a width in reading order, then each turned as its directions want (UAX 9)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from arabic_reshaper import ArabicReshaper
from bidi.algorithm import get_display

from viewer.reports.pdf_fonts import is_invisible, width_of

_RESHAPER = ArabicReshaper({"delete_harakat": False, "support_ligatures": True})
_PIECE = r"\s+|[⺀-鿿가-힯豈-﫿＀-￯]|[^\s⺀-鿿가-힯豈-﫿＀-￯]+"
"""Where a line may break: at white space, and between characters of East Asian scripts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line in the order in which it is drawn, from left to right."""

    text: str
    is_right_to_left: bool
    source: str = ""
    """The same line in reading order."""


def is_right_to_left(text: str) -> bool:
    """Whether the first character with a strong direction runs from right to left (UAX 9, P2 and P3)."""
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def lines_of(text: str, width: float, size: float, *, is_bold: bool = False, whole: Sequence[str] = ()) -> list[Line]:
    """Break a text into printed lines; its own line ends are kept, and the words of ``whole`` stay on one line."""
    words = [re.escape(words) for words in sorted(whole, key=len, reverse=True)]
    pieces = re.compile("|".join([*words, _PIECE]))
    paragraphs = text.split("\n")
    return [line for paragraph in paragraphs for line in _paragraph(paragraph, width, size, is_bold, pieces)]


def _paragraph(paragraph: str, width: float, size: float, is_bold: bool, pieces: re.Pattern[str]) -> list[Line]:
    turned = is_right_to_left(paragraph)
    shaped = _RESHAPER.reshape(paragraph.expandtabs(4))
    broken = _break(pieces.findall(shaped), width, size, is_bold)
    return [Line(_in_drawing_order(line, turned), turned, line) for line in broken]


def _in_drawing_order(line: str, turned: bool) -> str:
    shown = get_display(line, base_dir="R" if turned else "L")
    return "".join(char for char in str(shown) if not is_invisible(char))


def _break(pieces: Sequence[str], width: float, size: float, is_bold: bool) -> list[str]:
    lines: list[str] = []
    current = ""
    for piece in pieces:
        if width_of(current + piece.rstrip(), size, is_bold=is_bold) <= width:
            current += piece
            continue
        if current.strip():
            lines.append(current.rstrip())
        current = "" if piece.isspace() else piece
        while width_of(current, size, is_bold=is_bold) > width and len(current) > 1:
            fitting = _fitting(current, width, size, is_bold)
            lines.append(current[:fitting])
            current = current[fitting:]
    return [*lines, current.rstrip()] if current.strip() or not lines else lines


def _fitting(word: str, width: float, size: float, is_bold: bool) -> int:
    """Characters of a word that is wider than a line which fit on it; at least one."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(word[:middle], size, is_bold=is_bold) <= width:
            low = middle
        else:
            high = middle - 1
    return low
