"""What is typed into a search field: words, folded, each of which a study must contain."""

from __future__ import annotations

import pytest

from archive.models import Study
from archive.querying import search
from archive.querying.words import containing, words_of
from tests.archive.querying.rows import make_study


def test_words_are_folded_and_bounded() -> None:
    assert words_of("  DOE,^Jané ") == ["doe", "jane"]
    assert len(words_of(" ".join("abcdefghijkl"))) == 8
    assert words_of("x" * 500) == ["x" * 120]


@pytest.mark.django_db
@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "123"),
        ("doe", "12"),
        ("jane DOE", "1"),
        ("acc", "12"),
        ("a", "123"),
        ("100%", "3"),
        ("2020-01-05", "2"),
        ("doe nobody", ""),
    ],
)
def test_studies_contain_every_word(few: int, text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FEW_TO_SORT", few)
    make_study(1, name="DOE^Jane", accession_number="ACC1")
    make_study(2, name="DOE^John", accession_number="acc2", study_date="20200105")
    make_study(3, name="Müller", study_description="100% oxygen, a_b")

    found = containing(Study.objects.all(), text)

    assert "".join(sorted(study.study_instance_uid[5:] for study in found)) == expected
