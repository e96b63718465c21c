"""Whatever bytes come, what reads them says so in its own words, and holds no more than it was given."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.dicom.header_scan import scan_header
from archive.dimse.associate import FIXED_BYTES, read_associate_request
from archive.dimse.messages import BadMessage, StoreRequest, read_command_set
from archive.errors import ArchiveError
from tests.archive.dimse.raw import associate_request, echo_command, store_command

pytestmark = pytest.mark.plain
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
SOME = settings(max_examples=150, deadline=1000, derandomize=True)
PIECES = st.tuples(st.integers(0, 400), st.binary(max_size=12))


def mutated(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for place, piece in changes:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at + len(piece) :]
    return data


@SOME
@given(st.lists(PIECES, max_size=6), st.integers(0, 400))
def test_any_request_is_read_as_far_as_it_can_be(changes: list[tuple[int, bytes]], cut: int) -> None:
    request = mutated(associate_request(), changes)[: max(FIXED_BYTES, cut)]
    read = read_associate_request(request)

    assert len(read.calling_ae_title) <= 16
    assert len(read.application_context) <= len(request)


@SOME
@given(st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=5).map(lambda c: mutated(store_command("1.2"), c))))
def test_any_command_set_is_elements_or_a_bad_message(data: bytes) -> None:
    try:
        elements = read_command_set(data)
        StoreRequest.of(elements)
    except BadMessage:
        return

    assert sum(8 + len(value) for value in elements.values()) <= len(data)


@SOME
@given(st.lists(PIECES, min_size=1, max_size=6), st.sampled_from([EXPLICIT, IMPLICIT]))
def test_any_data_set_is_scanned_or_refused(changes: list[tuple[int, bytes]], syntax: str) -> None:
    data = mutated(echo_command() + store_command("1.2.3") * 3, changes)
    try:
        scan_header(io.BytesIO(data), start=0, transfer_syntax_uid=syntax)
    except ArchiveError:
        return
