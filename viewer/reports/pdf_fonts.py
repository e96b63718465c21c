"""Fonts of printed reports: which of them has a character, from what the system brings and what reportlab brings.

The Debian packages fonts-dejavu-core (Latin, Greek, Cyrillic, Arabic, Hebrew) and fonts-droid-fallback
(Chinese, Japanese, Korean) are used where they are. Without the second, CJK is set in the fonts
that PDF readers have of their own; without the first, Vera of reportlab covers western Latin.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

BROUGHT = Path(reportlab.__file__).parent / "fonts"
SYSTEM = Path("/usr/share/fonts/truetype")
REGULAR = (SYSTEM / "dejavu" / "DejaVuSans.ttf", BROUGHT / "Vera.ttf")
BOLD = (SYSTEM / "dejavu" / "DejaVuSans-Bold.ttf", BROUGHT / "VeraBd.ttf")
OTHERS = (
    SYSTEM / "droid" / "DroidSansFallbackFull.ttf",
    SYSTEM / "noto" / "NotoSansArabic-Regular.ttf",
    SYSTEM / "noto" / "NotoSansHebrew-Regular.ttf",
    SYSTEM / "noto" / "NotoSansThai-Regular.ttf",
)
OF_THE_READER = (
    ("STSong-Light", "CJK UNIFIED"),
    ("HeiseiMin-W3", "HIRAGANA KATAKANA"),
    ("HYSMyeongJo-Medium", "HANGUL"),
)
"""Fonts that PDF readers bring for East Asian text (Adobe's language packs), by words of Unicode's names."""
MISSING = "?"
"""Stands for what no font has; the page says so."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one font."""

    font: str
    text: str


@cache
def family(is_bold: bool) -> tuple[TTFont, ...]:
    """Fonts in the order in which they are asked for a character."""
    chosen = next(path for path in (BOLD if is_bold else REGULAR) if path.is_file())
    return tuple(font for path in (chosen, *OTHERS) if (font := _load(path)) is not None)


def _load(path: Path) -> TTFont | None:
    if not path.is_file():
        return None
    try:
        font = TTFont(path.stem, str(path))
    except TTFError:
        return None
    pdfmetrics.registerFont(font)
    return font


@cache
def font_of(char: str, is_bold: bool) -> str:
    """Name of the font that draws a character; empty where none does."""
    for font in family(is_bold):
        if ord(char) in font.face.charToGlyph:
            return str(font.fontName)
    words = unicodedata.name(char, "").split("-")[0]
    for name, scripts in OF_THE_READER:
        if words and any(script in words for script in scripts.split(" ") if script != "CJK"):
            pdfmetrics.registerFont(UnicodeCIDFont(name))
            return name
    return ""


def runs_of(text: str, *, is_bold: bool = False) -> list[Run]:
    """A line cut where the font changes; what cannot be drawn becomes ``MISSING``."""
    runs: list[Run] = []
    plain = str(family(is_bold)[0].fontName)
    for char in text:
        name, shown = (font_of(char, is_bold) or None), char
        if name is None:
            name, shown = plain, MISSING
        if runs and runs[-1].font == name:
            runs[-1] = Run(name, runs[-1].text + shown)
        else:
            runs.append(Run(name, shown))
    return runs


def width_of(text: str, size: float, *, is_bold: bool = False) -> float:
    """Width in points."""
    return sum(float(pdfmetrics.stringWidth(run.text, run.font, size)) for run in runs_of(text, is_bold=is_bold))


def scripts_not_printed(texts: Iterable[str]) -> list[str]:
    """Scripts of characters that no font has, as words of Unicode's names: ``Devanagari``, ``Thai``."""
    missing = {char for text in texts for char in text if not char.isspace() and not is_invisible(char)}
    names = {unicodedata.name(char, "unknown").split()[0].capitalize() for char in missing if not font_of(char, False)}
    return sorted(names)


def is_invisible(char: str) -> bool:
    """Marks of direction and joining, which are obeyed and not drawn."""
    return unicodedata.category(char) == "Cf"
