"""Names as sent: three component groups, character sets, comparison."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.data import get_charset_files

from archive.dicom.part10 import read_dataset
from archive.dicom.person_name import format_for_people, normalise, parse
from archive.dicom.values import text


def test_components_and_groups_are_told_apart() -> None:
    name = parse("Yamada^Tarou=山田^太郎=やまだ^たろう")

    assert (name.alphabetic.family, name.alphabetic.given) == ("Yamada", "Tarou")
    assert (name.ideographic.family, name.phonetic.given) == ("山田", "たろう")


def test_names_are_shown_family_first_and_never_recased() -> None:
    assert format_for_people("DOE^JANE") == "DOE, JANE"
    assert format_for_people("van den Berg^Jan ") == "van den Berg, Jan"
    assert format_for_people("McDonald") == "McDonald"
    assert format_for_people("") == ""


def test_all_groups_are_shown() -> None:
    shown = format_for_people("Hong^Gildong=洪^吉洞=홍^길동")

    assert shown.startswith("Hong, Gildong")
    assert "洪 吉洞" in shown
    assert "홍 길동" in shown


@pytest.mark.parametrize("other", ["Doe^Jane", "DOE^JANE^^^", "doe^jane ", " DOE ^ JANE=", "DOE^JANE=="])
def test_case_padding_and_trailing_delimiters_are_no_difference(other: str) -> None:
    assert normalise(other) == normalise("DOE^JANE")


@pytest.mark.parametrize("other", ["DOE^JANET", "DOE", "JANE^DOE", "DOE^JANE^M", "DOE^^JANE"])
def test_other_components_are_a_difference(other: str) -> None:
    assert normalise(other) != normalise("DOE^JANE")


EXPECTED = {
    # Names of PS3.5 H to K and of the files' README, as people write them.
    "chrArab.dcm": "قباني^لنزار",
    "chrGreek.dcm": "Διονυσιος",
    "chrRuss.dcm": "Люкceмбypг",
    "chrHbrw.dcm": "שרון^דבורה",
    "chrFren.dcm": "Buc^Jérôme",
    "chrGerm.dcm": "Äneas^Rüdiger",
    "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrI2.dcm": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrX1.dcm": "Wang^XiaoDong=王^小東",
    "chrX2.dcm": "Wang^XiaoDong=王^小东",
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_names_in_every_character_set_are_decoded(name: str) -> None:
    (path,) = get_charset_files(name)

    assert text(read_dataset(path), "PatientName") == EXPECTED[name]


def test_an_unknown_character_set_does_not_lose_the_image() -> None:
    ds = pydicom.Dataset()
    ds.SpecificCharacterSet = "ISO_IR 9999"
    ds.PatientName = "DOE^JANE"

    assert text(ds, "PatientName") == "DOE^JANE"
