"""HL7 v2 messages: bytes to segments, fields by number, and acknowledgements (HL7 v2.5.1 chapter 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import hl7

from archive.dicom.uids import new_uid
from archive.errors import ArchiveError

MOST_SEGMENTS: Final = 500
LONGEST_WORDS: Final = 180
CHARACTER_SETS: Final = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/5": "iso8859-5",
    "8859/7": "iso8859-7",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
}
"""MSH-18 (table 0211) and what it means here; nothing said is read as UTF-8, of which ASCII is a part."""
_FIRST_SEGMENT: Final = re.compile(rb"MSH([^\r\n])[^\r\n]*")


class UnreadableMessage(ArchiveError):
    """The bytes are no HL7 v2 message that can be taken; answered AR."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an answer needs of a message's MSH segment."""

    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    message_type: str = ""
    control_id: str = ""
    processing_id: str = "P"
    version: str = "2.5"


class Segment:
    """One segment; what is not there is empty."""

    def __init__(self, segment: Any, unescape: Any) -> None:
        self._segment = segment
        self._unescape = unescape

    @property
    def name(self) -> str:
        return str(self._segment[0])

    def repetitions(self, field: int) -> list[list[str]]:
        """Components of each repetition of a field; of a component its first subcomponent."""
        try:
            found = self._segment[field]
        except IndexError:
            return []
        return [self._components(repetition) for repetition in found]

    def components(self, field: int) -> list[str]:
        """Components of the field's first repetition."""
        found = self.repetitions(field)
        return found[0] if found else []

    def text(self, field: int, component: int = 1) -> str:
        """One component, counted from 1."""
        parts = self.components(field)
        return parts[component - 1] if len(parts) >= component else ""

    def subcomponents(self, field: int) -> list[list[str]]:
        """Subcomponents of each component of the field's first repetition."""
        raw = self._raw(field)
        parts = raw[0].split("^") if raw else []
        return [[self._clean(one) for one in part.split("&")] for part in parts]

    def lines(self, field: int) -> list[str]:
        """A text field as typed: repetitions and line breaks (chapter 2.7.6) are lines, spaces are kept."""
        text = "\r".join(str(self._unescape(repetition)) for repetition in self._raw(field))
        return [line.rstrip() for line in re.sub(r"\r\n?|\n", "\r", text).split("\r")] if text.strip() else []

    def _raw(self, field: int) -> list[str]:
        try:
            return [str(repetition) for repetition in self._segment[field]]
        except IndexError:
            return []

    def _components(self, repetition: Any) -> list[str]:
        if isinstance(repetition, str):
            return [self._clean(repetition)]
        return [self._clean(part if isinstance(part, str) else str(part[0])) for part in repetition]

    def _clean(self, value: str) -> str:
        # Two quotation marks delete a value (chapter 2.5.3).
        plain = str(self._unescape(value)).strip() if "\\" in value else value.strip()
        return "" if plain == '""' else " ".join(plain.split())


def read_header(data: bytes) -> Header:
    """What an answer needs of a message, as far as it can be read: also one that is refused has a control ID."""
    fields = [field.decode("latin-1").strip()[:200] for field in _msh(data)] + [""] * 12
    return Header(
        sending_application=fields[2],
        sending_facility=fields[3],
        receiving_application=fields[4],
        receiving_facility=fields[5],
        message_type="^".join(fields[8].split("^")[:2]),
        control_id=fields[9],
        processing_id=fields[10] or "P",
        version=fields[11] or "2.5",
    )


def _msh(data: bytes) -> list[bytes]:
    """Fields of the MSH segment by their place: MSH itself, the encoding characters, MSH-3 and so on."""
    found = _FIRST_SEGMENT.match(data)
    return found[0].split(found[1])[:30] if found is not None else []


def read_message(data: bytes) -> list[Segment]:
    """Decode and parse one message; returns its segments after MSH.

    Raises
    ------
    UnreadableMessage
    """
    fields = _msh(data)
    if not fields:
        raise UnreadableMessage("The message does not begin with MSH.")
    named = fields[17].split(b"~")[0].decode("ascii", "replace").strip() if len(fields) > 17 else ""
    codec = CHARACTER_SETS.get(named.upper())
    if codec is None:
        raise UnreadableMessage(f"Character set '{named[:20]}' is not read; UNICODE UTF-8 is.")
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        raise UnreadableMessage(f"The message is not in {named or 'UNICODE UTF-8'}.") from None
    text = re.sub(r"\r\n?|\n", "\r", text).strip("\r") + "\r"
    if text.count("\r") > MOST_SEGMENTS:
        raise UnreadableMessage(f"The message has more than {MOST_SEGMENTS} segments.")
    try:
        message = hl7.parse(text)
        return [Segment(segment, message.unescape) for segment in message if len(segment) > 1][1:]
    except Exception as error:
        # The parser raises what it likes for what is no message.
        raise UnreadableMessage(f"The message cannot be read: {type(error).__name__}.") from None


def acknowledge(header: Header, code: str, words: str = "") -> bytes:
    """An ACK (chapter 2.9.2): ``code`` is AA, AE or AR; ``words`` say why not."""
    at = datetime.now().astimezone().strftime("%Y%m%d%H%M%S%z")
    event = header.message_type.partition("^")[2]
    fields = (
        *("MSH", "^~\\&", header.receiving_application, header.receiving_facility),
        *(header.sending_application, header.sending_facility, at, ""),
        *(f"ACK^{event}" if event else "ACK", new_uid()[-20:], header.processing_id, header.version),
        *("", "", "", "", "", "UNICODE UTF-8"),
    )
    escaped = [field if place in (1, 8) else escape(field) for place, field in enumerate(fields)]
    said = f"|{escape(words[:LONGEST_WORDS])}" if words else ""
    return f"{'|'.join(escaped)}\rMSA|{code}|{escape(header.control_id)}{said}\r".encode()


def segment_of(name: str, fields: Mapping[int, str]) -> str:
    """A segment of fields by number, each written already: its delimiters are meant.

    >>> segment_of("OBX", {1: "1", 3: "a^b", 4: ""})
    'OBX|1||a^b'
    """
    last = max((number for number, value in fields.items() if value), default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def components_of(*parts: str, separator: str = "^") -> str:
    """Components, or subcomponents, of a field; each is escaped, empty ones at the end are left out.

    >>> components_of("DOE", "J&J", "")
    'DOE^J\\\\T\\\\J'
    """
    return separator.join(escape(part) for part in parts).rstrip(separator)


def escape(text: str) -> str:
    """Escape delimiters (chapter 2.7)."""
    text = re.sub(r"[\x00-\x1f]", " ", text).replace("\\", "\\E\\")
    for character, sequence in (("|", "\\F\\"), ("^", "\\S\\"), ("~", "\\R\\"), ("&", "\\T\\")):
        text = text.replace(character, sequence)
    return text
