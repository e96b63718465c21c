"""Each refusal of the archive and the DIMSE status that a peer gets for it."""

from __future__ import annotations

import pytest

from archive import errors
from archive.dimse.statuses import COMMENT_LENGTH, answer_to, comment_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidUID("x"), 0x0117),
        (errors.DataSetMismatch("x"), 0xA900),
        (errors.CannotUnderstand("x"), 0xC000),
        (errors.OutOfSpace("x"), 0xA700),
        (errors.BacklogFull("x"), 0xA700),
        (errors.ObjectTooLarge("x"), 0xA700),
        (errors.StorageFailed("x"), 0x0110),
        (errors.ArchiveError("x"), 0x0110),
        (OSError("x"), 0x0110),
    ],
)
def test_status_of_each_refusal(error: Exception, status: int) -> None:
    assert answer_to(error).status == status


def test_a_subclass_is_answered_as_its_kind() -> None:
    class Bomb(errors.CannotUnderstand):
        """It inflates."""

    assert answer_to(Bomb("It inflates.")) == (0xC000, "It inflates.")


def test_an_unforeseen_error_tells_nothing_of_itself() -> None:
    assert "secret" not in answer_to(ValueError("/data/secret")).comment


def test_a_comment_is_a_long_string() -> None:
    comment = comment_of("Text with \\ and \n and \u00e9, and far too long for an element of value representation LO.")

    assert len(comment) == COMMENT_LENGTH
    assert comment.isascii()
    assert comment.isprintable()
    assert "\\" not in comment
    assert comment_of("short") == "short"
