"""The head of an A-ASSOCIATE-RQ."""

from __future__ import annotations

import pytest

from archive.dimse.associate import APPLICATION_CONTEXT, read_associate_request, with_version_1
from tests.archive.dimse.raw import associate_request


def test_the_fields_are_read() -> None:
    request = read_associate_request(associate_request(calling="CT ROOM 1", called="PORTAL", version=5))

    assert request == (5, "PORTAL", "CT ROOM 1", APPLICATION_CONTEXT)


@pytest.mark.parametrize(("version", "speaks"), [(1, True), (3, True), (0, False), (2, False), (0x8000, False)])
def test_only_the_first_bit_of_the_version_counts(version: int, speaks: bool) -> None:
    assert read_associate_request(associate_request(version=version)).speaks_version_1 is speaks


@pytest.mark.parametrize("title", ["", "  ", "A\\B", "A\x07B", "\xe9"])
def test_a_title_that_is_none_is_empty(title: str) -> None:
    pdu = bytearray(associate_request(calling="X"))
    pdu[26:42] = title.encode("latin-1").ljust(16)

    assert read_associate_request(pdu).calling_ae_title == ""


def test_padding_with_zero_bytes_is_tolerated() -> None:
    pdu = bytearray(associate_request(calling="X"))
    pdu[26:42] = b"CT1".ljust(16, b"\0")

    assert read_associate_request(pdu).calling_ae_title == "CT1"


@pytest.mark.parametrize("tail", [b"", b"\x10\0\xff\xff1.2", b"\x20\0\0\4abcd", b"\x10"])
def test_a_context_that_is_missing_or_cut_is_not_dicoms(tail: bytes) -> None:
    pdu = associate_request()[:74] + tail

    assert read_associate_request(pdu).application_context != APPLICATION_CONTEXT


def test_the_other_versions_are_cleared_and_nothing_else() -> None:
    assert with_version_1(associate_request(version=0xFFFF)) == associate_request(version=1)
