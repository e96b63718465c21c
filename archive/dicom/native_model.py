"""The DICOM JSON model (PS3.18 F) as the XML of the Native DICOM Model (PS3.19 A.1), and back.

The JSON model is the common form: what is stored, found and retrieved is made
once as JSON, and turned into XML where a client asks for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pydicom.datadict import keyword_for_tag

from archive.errors import CannotUnderstand

NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
DEEPEST: Final = 64
"""Sequences within sequences that are read."""
MOST_VALUES: Final = 4096
"""Place up to which a value may stand behind empty ones."""
_NUMBERS: Final = frozenset({"DS", "FL", "FD", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_NAME_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_NAME_PARTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")

Model = Mapping[str, Mapping[str, Any]]
"""A data set in the DICOM JSON model: tag as eight hexadecimal digits to VR and values."""


def to_xml(model: Model) -> bytes:
    """Write one data set as a document.

    >>> to_xml({"00100020": {"vr": "LO", "Value": ["1"]}})[-92:]
    b'<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"><Value number="1">1</Value></DicomAttribute></NativeDicomModel>'[-92:]
    """
    root = ET.Element("NativeDicomModel", {"xmlns": NAMESPACE, "xml:space": "preserve"})
    _write(root, model)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>' + document


def _write(parent: ET.Element, model: Model) -> None:
    for tag in sorted(model):
        element = model[tag]
        attributes = {"tag": tag, "vr": str(element.get("vr", "UN"))}
        if keyword := keyword_for_tag(int(tag, 16)):
            attributes["keyword"] = keyword
        node = ET.SubElement(parent, "DicomAttribute", attributes)
        if "BulkDataURI" in element:
            ET.SubElement(node, "BulkData", {"uri": str(element["BulkDataURI"])})
        elif "InlineBinary" in element:
            ET.SubElement(node, "InlineBinary").text = str(element["InlineBinary"])
        for number, value in enumerate(element.get("Value", ()), 1):
            _write_value(node, attributes["vr"], str(number), value)


def _write_value(node: ET.Element, vr: str, number: str, value: Any) -> None:
    if vr == "SQ":
        _write(ET.SubElement(node, "Item", {"number": number}), value or {})
    elif value is None:
        return
    elif vr == "PN":
        name = ET.SubElement(node, "PersonName", {"number": number})
        for group in _NAME_GROUPS:
            if parts := str(value.get(group, "")):
                group_node = ET.SubElement(name, group)
                for label, part in zip(_NAME_PARTS, _xml_text(parts).split("^"), strict=False):
                    if part:
                        ET.SubElement(group_node, label).text = part
    else:
        ET.SubElement(node, "Value", {"number": number}).text = _xml_text(str(value))


def _xml_text(text: str) -> str:
    """Text without the control characters that XML 1.0 cannot carry."""
    return "".join(one for one in text if one in "\t\n\r" or one >= " ")


def from_xml(document: bytes) -> dict[str, dict[str, Any]]:
    """Read one document into the JSON model.

    Raises
    ------
    CannotUnderstand
        It is no XML, has a document type (entities), another root, or is nested too deeply.
    """
    root = _parsed(document)
    if _name(root) != "NativeDicomModel":
        raise CannotUnderstand("The XML is no Native DICOM Model: its root is another element.")
    return _read(root, depth=0)


def _parsed(document: bytes) -> ET.Element:
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > 3 * DEEPEST:
            raise CannotUnderstand(f"The XML is nested more than {DEEPEST} sequences deep.")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_arguments: object) -> None:
        raise CannotUnderstand("XML with a document type is not read.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
        return builder.close()
    except (expat.ExpatError, AssertionError):
        raise CannotUnderstand("The XML is damaged.") from None


def _name(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _read(parent: Iterable[ET.Element], *, depth: int) -> dict[str, dict[str, Any]]:
    if depth > DEEPEST:
        raise CannotUnderstand(f"The XML is nested more than {DEEPEST} sequences deep.")
    model: dict[str, dict[str, Any]] = {}
    for node in parent:
        if _name(node) == "DicomAttribute":
            model[_tag(node)] = _read_element(node, depth)
    return model


def _tag(node: ET.Element) -> str:
    tag = node.get("tag", "").upper()
    if len(tag) != 8 or any(digit not in "0123456789ABCDEF" for digit in tag):
        raise CannotUnderstand("The XML has an attribute without a tag of eight hexadecimal digits.")
    return tag


def _read_element(node: ET.Element, depth: int) -> dict[str, Any]:
    vr = node.get("vr", "UN")
    element: dict[str, Any] = {"vr": vr}
    values: list[Any] = []
    for child in sorted(node, key=_number):
        kind = _name(child)
        if kind in ("Value", "Item", "PersonName"):
            # Values that are empty are left out of the XML; the number keeps their place.
            values += [None] * (min(_number(child), MOST_VALUES) - 1 - len(values))
        if kind == "Value":
            values.append(_typed(child.text or "", vr))
        elif kind == "Item":
            values.append(_read(child, depth=depth + 1))
        elif kind == "PersonName":
            values.append(_person_name(child))
        elif kind == "InlineBinary":
            element["InlineBinary"] = (child.text or "").strip()
        elif kind == "BulkData":
            element["BulkDataURI"] = child.get("uri") or child.get("uuid", "")
    if values:
        element["Value"] = values
    return element


def _number(node: ET.Element) -> int:
    number = node.get("number", "0")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def _typed(text: str, vr: str) -> Any:
    if vr not in _NUMBERS:
        return text
    try:
        return float(text) if vr in {"DS", "FL", "FD"} else int(text)
    except ValueError:
        raise CannotUnderstand(f"A value of VR {vr} in the XML is no number.") from None


def _person_name(node: ET.Element) -> dict[str, str]:
    name = {}
    for group in node:
        parts = {_name(part): part.text or "" for part in group}
        name[_name(group)] = "^".join(parts.get(label, "") for label in _NAME_PARTS).rstrip("^")
    return name
