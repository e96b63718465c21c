"""Which presentation contexts are taken."""

from __future__ import annotations

import pytest
from pydicom.uid import UID
from pynetdicom._globals import ALL_TRANSFER_SYNTAXES
from pynetdicom.presentation import AllStoragePresentationContexts, PresentationContext, negotiate_as_acceptor

from archive.dimse.contexts import STORAGE_CLASSES, VERIFICATION, is_storage, supported_contexts
from tests.archive.dimse.raw import CT_CLASS, EXPLICIT, IMPLICIT, JPEG_2000

PRIVATE = "1.3.46.670589.5.0.10"


def proposed(number: int, abstract: str, *syntaxes: str) -> PresentationContext:
    context = PresentationContext()
    context.context_id = number
    context.abstract_syntax = UID(abstract)
    context.transfer_syntax = [UID(syntax) for syntax in syntaxes]
    return context


def results(*contexts: PresentationContext, accept_private: bool = False) -> dict[int, tuple[int, str]]:
    """Negotiate as pynetdicom does; context ID -> result and transfer syntax."""
    ours = supported_contexts(contexts, accept_private=accept_private)
    answers, _roles = negotiate_as_acceptor(list(contexts), ours)
    return {
        int(answer.context_id or 0): (int(answer.result or 0), str(answer.transfer_syntax[0])) for answer in answers
    }


def test_every_storage_class_that_pynetdicom_knows_is_taken() -> None:
    assert {str(context.abstract_syntax) for context in AllStoragePresentationContexts} <= STORAGE_CLASSES


@pytest.mark.parametrize("uid", ["1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.5", "1.2.840.10008.5.1.4.1.1.9"])
def test_retired_storage_classes_are_taken(uid: str) -> None:
    assert is_storage(uid)


@pytest.mark.parametrize("uid", [VERIFICATION, "1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.31", PRIVATE])
def test_nothing_else_is_storage(uid: str) -> None:
    assert not is_storage(uid)


@pytest.mark.parametrize("syntax", ALL_TRANSFER_SYNTAXES)
def test_every_transfer_syntax_is_taken(syntax: str) -> None:
    assert results(proposed(1, CT_CLASS, syntax)) == {1: (0, syntax)}


def test_the_senders_first_choice_counts() -> None:
    assert results(proposed(1, CT_CLASS, JPEG_2000, EXPLICIT, IMPLICIT)) == {1: (0, JPEG_2000)}
    assert results(proposed(1, CT_CLASS, IMPLICIT, JPEG_2000)) == {1: (0, IMPLICIT)}


def test_one_class_in_several_contexts() -> None:
    answers = results(proposed(1, CT_CLASS, EXPLICIT), proposed(3, CT_CLASS, IMPLICIT), proposed(5, CT_CLASS, "1.2.3"))

    assert answers == {1: (0, EXPLICIT), 3: (0, IMPLICIT), 5: (4, "1.2.3")}


def test_verification_is_taken_uncompressed_only() -> None:
    answers = results(proposed(1, VERIFICATION, JPEG_2000, IMPLICIT), proposed(3, VERIFICATION, JPEG_2000))

    assert answers == {1: (0, IMPLICIT), 3: (4, JPEG_2000)}


def test_an_unknown_class_is_result_3_and_an_unknown_syntax_result_4() -> None:
    answers = results(proposed(1, "1.2.840.10008.5.1.4.1.2.3.1", IMPLICIT), proposed(3, CT_CLASS, "1.2.3.4"))

    assert answers == {1: (3, IMPLICIT), 3: (4, "1.2.3.4")}


def test_private_classes_are_taken_when_the_site_says_so() -> None:
    assert results(proposed(1, PRIVATE, EXPLICIT)) == {1: (3, EXPLICIT)}
    assert results(proposed(1, PRIVATE, EXPLICIT), accept_private=True) == {1: (0, EXPLICIT)}


def test_a_standard_class_of_another_service_is_not_private() -> None:
    assert results(proposed(1, "1.2.840.10008.5.1.4.1.2.3.2", IMPLICIT), accept_private=True) == {1: (3, IMPLICIT)}


@pytest.mark.parametrize("root", ["1.2.840.10008.5.1.4.1.2.1", "1.2.840.10008.5.1.4.1.2.2"])
@pytest.mark.parametrize("service", ["1", "2", "3"])
def test_query_and_retrieve_are_offered_without_compression(root: str, service: str) -> None:
    assert results(proposed(1, f"{root}.{service}", JPEG_2000, IMPLICIT)) == {1: (0, IMPLICIT)}


@pytest.mark.parametrize("uid", ["1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.31", "1.2.840.10008.1.20.1"])
def test_services_whose_answers_we_write_are_taken_in_little_endian_alone(uid: str) -> None:
    big = "1.2.840.10008.1.2.2"
    assert results(proposed(1, uid, big, EXPLICIT), proposed(3, uid, big)) == {1: (0, EXPLICIT), 3: (4, big)}
