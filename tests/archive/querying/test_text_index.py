"""The trigram index follows the table of studies, and is filled again where it was lost."""

from __future__ import annotations

import pytest
from django.db import connection

from archive.models import Study
from archive.querying.finders import by_trigrams
from archive.querying.text_index import TABLE, look_after_text_index, trigrams_of
from tests.archive.querying.rows import make_study


def found(text: str, column: str = "patient_name_key") -> list[int]:
    finder = by_trigrams(column, [text])
    assert finder is not None
    return [row_id for piece in finder.pieces(iter([2] * 100)) for row_id in piece]


@pytest.mark.django_db
def test_every_study_is_named_once_and_the_newest_first() -> None:
    ids = [make_study(number, name=f"DOE^J{number}").pk for number in range(1, 6)]

    assert found("=doe^") == ids[::-1]
    assert found("doe^j3") == [ids[2]]
    assert found("=doe^", "referring_physician_name_key") == []


@pytest.mark.django_db
def test_what_is_changed_or_deleted_is_followed() -> None:
    first, second = make_study(1, name="DOE"), make_study(2, name="DOE")

    first.patient_name_key = "=smith="
    first.save()
    second.delete()
    Study.objects.filter(pk=first.pk).update(series_count=7)

    assert (found("doe"), found("smith")) == ([], [first.pk])


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL keeps indexes when a table changes")
@pytest.mark.parametrize("lost", [f"DROP TABLE {TABLE}", f"DROP TRIGGER {TABLE}_update"])
def test_a_lost_index_is_made_and_filled_again(lost: str) -> None:
    study = make_study(1, name="DOE")
    with connection.cursor() as cursor:
        if lost.startswith("DROP TABLE"):
            for name in ("insert", "delete", "update"):
                cursor.execute(f"DROP TRIGGER {TABLE}_{name}")
        cursor.execute(lost)

    look_after_text_index()
    make_study(2, name="DOE")

    assert len(found("doe")) == 2
    assert study.pk in found("doe")


def test_short_pieces_are_not_looked_for() -> None:
    assert by_trigrams("patient_name_key", ["=d", "oe"]) is None
    assert trigrams_of("ab") == []


@pytest.mark.django_db
@pytest.mark.parametrize("text", ['a"b', '" OR "', "a' OR", "NEAR(", "a*b", "-abc", "{x}:"])
def test_what_is_typed_is_never_a_query_of_its_own(text: str) -> None:
    make_study(1, name="DOE")
    make_study(2, name=text)

    Study.objects.filter(study_instance_uid="2.25.2").update(patient_name_key=f"={text}=")

    assert len(found(text)) == 1
