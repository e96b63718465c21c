"""Answers of C-FIND as bytes. There may be thousands; pydicom would take a millisecond for each.

What is plain text in one character set is written here, everything else by pydicom (PS3.5 6.2, 7.1).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from pydicom.charset import convert_encodings
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import Tag

from archive.querying.answers import Values, element_of, vr_of

TEXT_VRS: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Those that Specific Character Set (0008,0005) is about (PS3.5 6.1.2.2)."""
_PLAIN_VRS: Final = frozenset({"AE", "AS", "CS", "DA", "IS", "LO", "PN", "SH", "TM", "UI"})
_LONGEST_SHORT: Final = 0xFFFE


def encode_answer(values: Values, *, is_implicit: bool, character_set: Sequence[str]) -> bytes:
    """Write an answer in little endian, its elements in the order of their tags.

    Parameters
    ----------
    character_set
        Values of (0008,0005); every text fits it.
    """
    encodings = convert_encodings(list(character_set) or None)
    parts = []
    for keyword, value in sorted(values.items(), key=_tag_order):
        is_plain = len(encodings) == 1 and not isinstance(value, DataElement) and vr_of(keyword) in _PLAIN_VRS
        if is_plain:
            parts.append(_element(keyword, _text(value), encodings[0], is_implicit=is_implicit))
        else:
            parts.append(_by_pydicom(keyword, value, encodings, is_implicit=is_implicit))
    return b"".join(parts)


def _tag_order(item: tuple[str, Any]) -> int:
    return tag_number(item[0])


@lru_cache(maxsize=8192)
def tag_number(keyword: str) -> int:
    """The tag of a keyword as one number."""
    return tag_for_keyword(keyword) or 0


def _text(value: Any) -> str:
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _element(keyword: str, text: str, encoding: str, *, is_implicit: bool) -> bytes:
    vr = vr_of(keyword)
    data = text.encode(encoding if vr in TEXT_VRS else "ascii", "replace")
    if len(data) % 2:
        data += b"\0" if vr == "UI" else b" "
    data = data[:_LONGEST_SHORT]
    group, element = divmod(tag_number(keyword), 0x10000)
    if is_implicit:
        return struct.pack("<HHI", group, element, len(data)) + data
    return struct.pack("<HH2sH", group, element, vr.encode("ascii"), len(data)) + data


def _by_pydicom(keyword: str, value: Any, encodings: list[str], *, is_implicit: bool) -> bytes:
    element = value if isinstance(value, DataElement) else element_of(keyword, value)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, is_implicit
    element.tag = Tag(element.tag)
    write_data_element(buffer, element, encodings)
    return buffer.getvalue()
