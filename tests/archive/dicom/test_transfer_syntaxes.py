"""The table of transfer syntaxes against pydicom's dictionary."""

from __future__ import annotations

from pydicom.uid import UID, UID_dictionary

from archive.dicom.transfer_syntaxes import (
    GE_PRIVATE_BIG_ENDIAN_PIXELS,
    TRANSFER_SYNTAXES,
    Codec,
    is_deflated,
    is_encapsulated,
    is_video,
    name_of,
    transfer_syntax,
)

PAPYRUS_AND_MIME = {"1.2.840.10008.1.20", "1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"}
"""Retired, or of objects that are no files."""


def test_every_transfer_syntax_of_the_standard_is_known() -> None:
    standard = {uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"}
    retired_jpeg = {f"1.2.840.10008.1.2.4.{number}" for number in (*range(52, 57), *range(58, 67))}

    assert standard - set(TRANSFER_SYNTAXES) - PAPYRUS_AND_MIME - retired_jpeg == set()


def test_encodings_are_those_that_pydicom_knows() -> None:
    for uid, syntax in TRANSFER_SYNTAXES.items():
        if uid == GE_PRIVATE_BIG_ENDIAN_PIXELS or uid not in UID_dictionary:
            continue
        theirs = UID(uid)
        assert syntax.implicit_vr == theirs.is_implicit_VR, uid
        assert syntax.big_endian == (not theirs.is_little_endian), uid
        if syntax.codec is not Codec.OTHER:
            assert syntax.encapsulated == theirs.is_encapsulated, uid


def test_an_unknown_transfer_syntax_is_explicit_and_of_no_codec() -> None:
    syntax = transfer_syntax("1.2.3")

    assert (syntax.codec, syntax.implicit_vr, syntax.encapsulated) == (Codec.OTHER, False, False)
    assert name_of("1.2.3") == "Transfer syntax 1.2.3"


def test_kinds() -> None:
    assert is_video("1.2.840.10008.1.2.4.102")
    assert is_deflated("1.2.840.10008.1.2.1.99")
    assert is_encapsulated("1.2.840.10008.1.2.5")
    assert not is_encapsulated("1.2.840.10008.1.2.1")
