"""UIDs."""

import pytest

from archive.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, is_valid_uid, new_uid


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.1", "2.25.0", "1", "1.02.3", "1." + "2" * 62])
def test_digits_and_dots_are_a_uid(uid: str) -> None:
    assert is_valid_uid(uid)


@pytest.mark.parametrize(
    "uid", ["", ".1", "1.", "1..2", "1.2a", "1.2 ", " 1.2", "1.2\0", "../etc", "1.٣", "1." + "2" * 63]
)
def test_anything_else_is_none(uid: str) -> None:
    assert not is_valid_uid(uid)


def test_new_uids_are_valid_and_differ() -> None:
    one, other = new_uid(), new_uid()

    assert one != other
    assert is_valid_uid(one)
    assert one.startswith("2.25.")


def test_this_software_has_a_uid_and_a_name_that_fit() -> None:
    assert is_valid_uid(IMPLEMENTATION_CLASS_UID)
    assert len(IMPLEMENTATION_VERSION_NAME) <= 16
