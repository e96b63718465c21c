"""Command sets and PDUs by hand, compared with what pydicom and PS3.7 / PS3.8 say they are."""

from __future__ import annotations

import io

import pytest
from pydicom import Dataset
from pynetdicom.dsutils import decode

from archive.dimse.messages import (
    CALLING_AE_TITLE_NOT_RECOGNIZED,
    INVALID_PARAMETER,
    BadMessage,
    StoreRequest,
    pack_abort,
    pack_command,
    pack_rejection,
    pack_store_response,
    read_command_set,
)
from tests.archive.dimse.raw import CT_CLASS, command_set, element, store_command, us

REQUEST = StoreRequest(message_id=513, sop_class_uid=CT_CLASS, sop_instance_uid="1.2.3.4", has_data_set=True)


def decoded(command: bytes) -> Dataset:
    return decode(io.BytesIO(command), True, True)


def test_a_store_request_is_read() -> None:
    elements = read_command_set(store_command("1.2.3", message_id=65535))

    assert StoreRequest.of(elements) == StoreRequest(65535, CT_CLASS, "1.2.3", True)


def test_a_store_request_without_a_data_set_says_so() -> None:
    assert not StoreRequest.of(read_command_set(store_command("1.2.3", data_set=0x0101))).has_data_set


@pytest.mark.parametrize(
    "data",
    [b"\0\0\0\0\4\0\0", b"\0\0\0\0\4\0\0\0\0\0\0", b"\x08\0\x10\0\0\0\0\0", b"\0\0\0\0\xff\xff\xff\xff"],
    ids=["half a head", "short value", "another group", "undefined length"],
)
def test_a_command_set_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        read_command_set(data)


@pytest.mark.parametrize("missing", [0x0110, 0x0800])
def test_a_store_request_that_lacks_a_number_is_refused(missing: int) -> None:
    elements = read_command_set(store_command("1.2.3"))
    del elements[missing]

    with pytest.raises(BadMessage, match=f"{missing:04X}"):
        StoreRequest.of(elements)


def test_a_success_response_has_the_elements_of_the_standard() -> None:
    ds = decoded(pack_store_response(REQUEST, status=0))

    assert ds.CommandField == 0x8001
    assert ds.MessageIDBeingRespondedTo == 513
    assert ds.CommandDataSetType == 0x0101
    assert ds.Status == 0
    assert ds.AffectedSOPClassUID == CT_CLASS
    assert ds.AffectedSOPInstanceUID == "1.2.3.4"
    assert "ErrorComment" not in ds
    assert list(ds.keys()) == sorted(ds.keys())


def test_the_group_length_counts_what_follows_it() -> None:
    command = pack_store_response(REQUEST, status=0xA900, comment="odd")

    assert decoded(command).CommandGroupLength == len(command) - 12
    assert decoded(command).ErrorComment == "odd"


def test_a_uid_that_is_none_is_not_repeated() -> None:
    request = REQUEST._replace(sop_instance_uid="1." + "2" * 70, sop_class_uid="caf\u00e9")

    ds = decoded(pack_store_response(request, status=0x0117))

    assert "AffectedSOPInstanceUID" not in ds
    assert "AffectedSOPClassUID" not in ds


def test_a_command_goes_in_one_pdu_where_it_fits() -> None:
    # PS3.8 9.3.5: type 4, length, value length, context, header 3 (last fragment of a command).
    assert pack_command(5, b"ABCD") == b"\4\0\0\0\0\x0a\0\0\0\6\5\3ABCD"


def test_a_command_is_cut_to_what_the_peer_takes() -> None:
    command = bytes(range(200))
    pdus = pack_command(5, command, max_pdu_bytes=64 + 6)

    pieces, offset = [], 0
    while offset < len(pdus):
        length = int.from_bytes(pdus[offset + 2 : offset + 6], "big")
        assert length <= 70
        pieces.append(pdus[offset + 11 : offset + 6 + length])
        offset += 6 + length
    assert b"".join(piece[1:] for piece in pieces) == command
    assert [piece[0] for piece in pieces] == [1, 1, 1, 3]


def test_abort_and_rejection() -> None:
    assert pack_abort(INVALID_PARAMETER) == b"\7\0\0\0\0\4\0\0\2\6"
    assert pack_rejection(CALLING_AE_TITLE_NOT_RECOGNIZED) == b"\3\0\0\0\0\4\0\1\1\3"


def test_a_repeated_element_counts_once() -> None:
    assert read_command_set(command_set(element(0x0110, us(1)), element(0x0110, us(2))))[0x0110] == us(2)
