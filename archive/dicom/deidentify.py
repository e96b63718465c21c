"""De-identify a data set: PS3.15 Annex E, Basic Application Level Confidentiality Profile and six of its options.

Beyond the table: what is private goes, names of people and UIDs go wherever they stand, and a text that holds a
value by which the original names somebody goes too, whatever its attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from pydicom import Dataset, config
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items

from archive.dicom.confidentiality import Rule, rules
from archive.dicom.uids import uid_from

METHOD: Final = "PS3.15 Annex E Basic Profile"


class Option(StrEnum):
    """An option of the profile: its code of CID 7050 and the letter that the table gives it."""

    CLEAN_PIXELS = "113101"
    CLEAN_DESCRIPTORS = "113105"
    FULL_DATES = "113106"
    MODIFIED_DATES = "113107"
    PATIENT_CHARACTERISTICS = "113108"
    DEVICE_IDENTITY = "113109"
    UIDS = "113110"


MEANINGS: Final = {
    "113100": "Basic Application Confidentiality Profile",
    Option.CLEAN_PIXELS: "Clean Pixel Data Option",
    Option.CLEAN_DESCRIPTORS: "Clean Descriptors Option",
    Option.FULL_DATES: "Retain Longitudinal Temporal Information Full Dates Option",
    Option.MODIFIED_DATES: "Retain Longitudinal Temporal Information Modified Dates Option",
    Option.PATIENT_CHARACTERISTICS: "Retain Patient Characteristics Option",
    Option.DEVICE_IDENTITY: "Retain Device Identity Option",
    Option.UIDS: "Retain UIDs Option",
}
"""CID 7050 De-identification Method."""
DUMMIES: Final = {
    "AE": "ANON",
    "AS": "000Y",
    "CS": "ANON",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "TM": "000000",
    "UR": "urn:anonymized",
}
DUMMY_TEXT: Final = "ANONYMIZED"
TEXTS: Final = frozenset({"LO", "LT", "SH", "ST", "UC", "UT", "PN", "AE", "UR"})
"""What somebody typed; coded strings (CS) have their own words, which may be like a name."""
MOMENTS: Final = frozenset({"DA", "TM", "DT"})
WELL_KNOWN: Final = "1.2.840.10008."
CLASSES: Final = frozenset(
    {"SOPClassUID", "ReferencedSOPClassUID", "OriginalSpecializedSOPClassUID", "RelatedGeneralSOPClassUID"}
    | {"SOPClassesInStudy", "SOPClassesSupported", "CodingSchemeUID", "MediaStorageSOPClassUID"}
)
"""UIDs that name a kind and not a thing."""
IDENTIFYING: Final = (
    *("PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName", "IssuerOfPatientID"),
    *("PatientMotherBirthName", "AccessionNumber", "StudyID", "AdmissionID", "ReferringPhysicianName"),
    *("PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy", "RequestingPhysician"),
    *("PhysiciansOfRecord", "InstitutionName", "PatientTelephoneNumbers", "PatientAddress", "PatientBirthDate"),
)
"""Attributes whose values are looked for in every other text."""
SHORTEST_WORD: Final = 3
_WORDS = re.compile(r"\w+", re.UNICODE)
_MANY_DIGITS = re.compile(r"\d{5,}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
"""What may be a number of a person or a date, in a text that was typed."""


@dataclass(frozen=True, slots=True)
class Deidentification:
    """How a set of objects is de-identified: one of these for all that must still fit together."""

    key: str
    """Secret of this set: new UIDs come from it, and cannot be told without it."""
    code: str
    """What the patient is called from now on."""
    options: frozenset[Option] = frozenset()
    shift_days: int = 0
    """By which all dates move, for ``MODIFIED_DATES``."""

    def new_uid(self, uid: str) -> str:
        """The UID that stands for another one; what the standard names stays."""
        return uid if uid.startswith(WELL_KNOWN) or Option.UIDS in self.options else uid_from(self.key, uid)


@dataclass(slots=True)
class _Work:
    how: Deidentification
    words: frozenset[str] = field(default_factory=frozenset)

    def has(self, option: Option) -> bool:
        return option in self.how.options


def deidentify(ds: Dataset, how: Deidentification, *, pixels_are_clean: bool = False) -> None:
    """De-identify a data set in place; pixel data is not touched.

    Parameters
    ----------
    ds
        Without group 0002.
    pixels_are_clean
        Somebody has looked at the pictures and what was burned in is covered.

    Source
    ------
    PS3.15 E.1.1 (what a de-identifier does), E.2, E.3.
    """
    work = _Work(how, _identifying_words(ds))
    _clean(ds, work)
    # An empty name is allowed, one that can be told from others is of more use (E.1.1, note on dummy values).
    _set(ds, PatientName=f"ANON^{how.code}", PatientID=how.code)
    _describe(ds, how, pixels_are_clean=pixels_are_clean)


def _describe(ds: Dataset, how: Deidentification, *, pixels_are_clean: bool) -> None:
    """Say what was done: C.12.1.1, C.7.1.1 and C.7.6.1.1.5."""
    options = set(how.options) - {Option.CLEAN_PIXELS} | ({Option.CLEAN_PIXELS} if pixels_are_clean else set())
    temporal = {Option.FULL_DATES: "UNMODIFIED", Option.MODIFIED_DATES: "MODIFIED"}
    kept = next((word for option, word in temporal.items() if option in options), "REMOVED")
    _set(ds, PatientIdentityRemoved="YES", DeidentificationMethod=METHOD, LongitudinalTemporalInformationModified=kept)
    ds.DeidentificationMethodCodeSequence = Items([_code(one) for one in ("113100", *sorted(options))])
    if pixels_are_clean:
        ds.BurnedInAnnotation = "NO"


def _code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = str(value), "DCM", MEANINGS[value]
    return item


def _set(ds: Dataset, **values: str) -> None:
    for keyword, value in values.items():
        setattr(ds, keyword, value)


def _identifying_words(ds: Dataset) -> frozenset[str]:
    """Words of the values that name the patient, the people around and the place, in lower case."""
    found: set[str] = set()
    for keyword in IDENTIFYING:
        for value in _values(ds, keyword):
            found |= {word for word in _WORDS.findall(value.casefold()) if len(word) >= SHORTEST_WORD}
            found |= {value.casefold().strip()} if len(value.strip()) >= SHORTEST_WORD else set()
    return frozenset(found)


def _values(ds: Dataset, keyword: str) -> Iterator[str]:
    try:
        value = ds.get(keyword)
    except Exception:
        # pydicom raises what it likes for a value that it cannot read; such a value is not kept either.
        return
    many = value if isinstance(value, list) or hasattr(value, "append") else [value]
    yield from (str(one) for one in many if one)


def _clean(ds: Dataset, work: _Work) -> None:
    """Apply the table to a data set and to the items in it."""
    for tag in list(ds.keys()):
        if tag.is_private or 0x5000 <= tag.group <= 0x50FF or 0x6000 <= tag.group <= 0x60FF:
            del ds[tag]
            continue
        try:
            element = ds[tag]
        except Exception:
            # A value that cannot be read cannot be judged.
            del ds[tag]
            continue
        rule = rules().get(int(tag))
        action = _action(element, rule, work)
        if action == "K":
            _keep(ds, element, work)
        elif action == "X":
            del ds[tag]
        else:
            _replace(ds, element, action, work)


def _action(element: DataElement, rule: Rule | None, work: _Work) -> str:
    """K(eep), C(lean), U, X, Z or D for one element, by the table and the options."""
    if rule is None:
        return _unlisted(element, work)
    kept = (
        ("u", Option.UIDS),
        ("d", Option.DEVICE_IDENTITY),
        ("p", Option.PATIENT_CHARACTERISTICS),
        ("t", Option.FULL_DATES),
    )
    if any(letter in rule.options and work.has(option) for letter, option in kept):
        return "K"
    if "t" in rule.options and work.has(Option.MODIFIED_DATES):
        return "M"
    is_cleaned = ("c" in rule.options and work.has(Option.CLEAN_DESCRIPTORS)) or (
        "P" in rule.options and work.has(Option.PATIENT_CHARACTERISTICS)
    )
    return "C" if is_cleaned else rule.strongest


def _unlisted(element: DataElement, work: _Work) -> str:
    """What the table does not name stays, but for names, dates and UIDs of things."""
    if element.VR == "PN":
        return "Z"
    if element.VR == "UI":
        return "K" if element.keyword in CLASSES or work.has(Option.UIDS) else "U"
    if element.VR in MOMENTS and not work.has(Option.FULL_DATES):
        return "M" if work.has(Option.MODIFIED_DATES) else "Z"
    return "K"


def _keep(ds: Dataset, element: DataElement, work: _Work) -> None:
    """As it is, but for what names somebody in it; items are gone through."""
    if element.VR == "SQ":
        for item in element.value or ():
            _clean(item, work)
    elif element.VR in TEXTS and _names_somebody(element, work):
        _write(ds, element, DUMMY_TEXT)


def _replace(ds: Dataset, element: DataElement, action: str, work: _Work) -> None:
    is_items = element.VR == "SQ"
    if action == "C":
        if not is_items and (_names_somebody(element, work) or _MANY_DIGITS.search(_text(element))):
            del ds[element.tag]
        else:
            _keep(ds, element, work)
    elif is_items and (action == "U" or _is_rather_kept(element)):
        _keep(ds, element, work)
    elif action == "U":
        many = [work.how.new_uid(str(one)) for one in _many(element)]
        _write(ds, element, many if len(many) > 1 else "".join(many))
    elif action == "M":
        many = [_moved(str(one), element.VR, work.how.shift_days) for one in _many(element)]
        _write(ds, element, many if len(many) > 1 else "".join(many))
    elif action == "D" and not is_items:
        _write(ds, element, DUMMIES.get(element.VR, DUMMY_TEXT if element.VR in TEXTS else None))
    else:
        _write(ds, element, [] if is_items else None)


def _is_rather_kept(element: DataElement) -> bool:
    """Whether an IOD may want items: then they are gone through, unless they are about a person."""
    rule = rules()[int(element.tag)]
    return "D" in rule.action and "/" in rule.action and "Identification" not in rule.keyword


def _write(ds: Dataset, element: DataElement, value: Any) -> None:
    ds.add(DataElement(element.tag, element.VR, value, validation_mode=config.IGNORE))


def _many(element: DataElement) -> list[Any]:
    value = element.value
    if value is None or value == "":
        return []
    return list(value) if element.VM > 1 else [value]


def _text(element: DataElement) -> str:
    return " ".join(str(one) for one in _many(element))


def _names_somebody(element: DataElement, work: _Work) -> bool:
    """Whether a text holds a word of an identifying value."""
    text = _text(element).casefold()
    return any(word in work.words for word in _WORDS.findall(text)) or any(
        word in text for word in work.words if " " in word or "^" in word
    )


def _moved(text: str, vr: str, days: int) -> str:
    """A date some days later; a time of day stays, what is no date goes."""
    if vr == "TM":
        return text
    try:
        moved = date(int(text[:4]), int(text[4:6]), int(text[6:8])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{moved:%Y%m%d}{text[8:] if vr == 'DT' else ''}"
