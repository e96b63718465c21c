"""Filters under a name: whose they are, what is shown first, and that no name of a patient is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from tests.viewer.worklist.studies import make_study
from viewer.models import Preferences, SavedFilter
from viewer.worklist.listing import READING
from viewer.worklist.saved import NotSaved, Wish, clean_query, delete_filter, filters_for, save_filter

if TYPE_CHECKING:
    from django.test import Client

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]


@pytest.fixture
def neuro(cast: Cast) -> Group:
    group = Group.objects.create(name="neuro")
    group.user_set.add(cast.reader, cast.reader2, cast.referrer)
    return group


def test_a_filter_is_kept_as_the_list_writes_it_and_without_what_was_typed(cast: Cast) -> None:
    query = "text=DOE&stat=1&modality=MR&modality=CT&sort=patient&after=12&nonsense=1"
    assert clean_query(query, READING, cast.reader) == "modality=MR&modality=CT&sort=patient&stat=1"
    assert clean_query("sort=priority&state=nowhere", READING, cast.reader) == ""


def test_one_s_own_filters_are_nobody_else_s(cast: Cast) -> None:
    kept = save_filter(cast.reader, Wish(" My   CT ", "modality=CT"))
    assert kept.name == "My CT"
    assert list(filters_for(cast.reader)) == [kept] and list(filters_for(cast.reader2)) == []
    assert delete_filter(cast.reader2, kept.pk) is False
    assert delete_filter(cast.reader, kept.pk) is True


def test_a_filter_of_the_same_name_is_replaced(cast: Cast) -> None:
    save_filter(cast.reader, Wish("CT", "modality=CT"))
    save_filter(cast.reader, Wish("CT", "modality=CT&stat=1"))
    assert SavedFilter.objects.get().query == "modality=CT&stat=1"


def test_a_group_s_filter_is_its_members_and_goes_with_whom_made_it(cast: Cast, neuro: Group) -> None:
    kept = save_filter(cast.reader, Wish("Heads", "modality=MR", group=neuro))
    assert [list(filters_for(who)) for who in (cast.reader2, cast.technologist)] == [[kept], []]
    assert delete_filter(cast.reader2, kept.pk) is False
    for who in (cast.technologist, cast.referrer):  # no member; a member who neither reads nor makes images
        with pytest.raises(NotSaved, match="groups that you belong to"):
            save_filter(who, Wish("Other", "", group=neuro))
    assert delete_filter(cast.reader, kept.pk) is True


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_a_filter_has_a_name(cast: Cast, name: str) -> None:
    with pytest.raises(NotSaved, match="1 to 40 characters"):
        save_filter(cast.reader, Wish(name, ""))


def test_one_filter_of_an_owner_is_shown_first(cast: Cast, neuro: Group) -> None:
    first = save_filter(cast.reader, Wish("first", "stat=1", is_default=True))
    second = save_filter(cast.reader, Wish("second", "unread=1", is_default=True))
    save_filter(cast.reader2, Wish("of all", "modality=MR", group=neuro, is_default=True))
    first.refresh_from_db()
    assert (first.is_default, second.is_default) == (False, True)


# --- On the page ----------------------------------------------------------------------------------------------------


def test_the_group_s_list_is_shown_first_with_its_columns_until_one_asks_for_another(
    cast: Cast, client_of: ClientOf, neuro: Group
) -> None:
    make_study(1, modality="CT")
    make_study(2, modality="MR", patient_id="P2")
    kept = save_filter(cast.reader, Wish("Heads", "modality=MR", neuro, ("age", "reader"), is_default=True))
    client = client_of(cast.reader2)
    html = client.get("/").content.decode()
    assert 'data-study="2.25.2"' in html and 'data-study="2.25.1"' not in html
    assert "data-hide-accession" in html and "data-hide-age" not in html
    assert f'<a class="chip worklist-saved" href="/?modality=MR&amp;list={kept.pk}" aria-current="true"' in html
    everything = client.get("/?list=0").content.decode()
    assert 'data-study="2.25.1"' in everything and "data-hide-accession" not in everything


def test_a_filter_is_kept_by_its_form_and_deleted_by_its_button(cast: Cast, client_of: ClientOf, neuro: Group) -> None:
    Preferences.objects.create(user=cast.reader, worklist_columns=["age"])
    client = client_of(cast.reader)
    values = {"name": "Mine", "query": "modality=CT&text=DOE", "columns": "1", "group": str(neuro.pk)}
    answer = client.post("/worklist/filters", values)
    kept = SavedFilter.objects.get()
    assert answer["Location"] == f"/worklist/?modality=CT&list={kept.pk}"
    assert (kept.query, kept.group, kept.created_by) == ("modality=CT", neuro, cast.reader)
    assert "age" in kept.columns and "referrer" not in kept.columns
    assert client_of(cast.reader2).post(f"/worklist/filters/{kept.pk}/delete").status_code == 404
    assert client.post(f"/worklist/filters/{kept.pk}/delete").status_code == 302
    assert not SavedFilter.objects.exists()


def test_a_name_with_markup_stays_text(cast: Cast, client_of: ClientOf) -> None:
    save_filter(cast.reader, Wish("<script>x</script>", "stat=1"))
    html = client_of(cast.reader).get("/").content.decode()
    assert "<script>x" not in html and "&lt;script&gt;x" in html


def test_what_cannot_be_kept_is_said(cast: Cast, client_of: ClientOf, neuro: Group) -> None:
    client = client_of(cast.reader)
    assert "1 to 40 characters" in client.post("/worklist/filters", {"name": ""}, follow=True).content.decode()
    stranger = Group.objects.create(name="cardiac")
    said = client.post("/worklist/filters", {"name": "x", "group": str(stranger.pk)}, follow=True).content.decode()
    assert "groups that you belong to" in said
    for who in (cast.admin, cast.outsider):
        assert client_of(who).post("/worklist/filters", {"name": "x"}).status_code in (403, 404)
    assert not SavedFilter.objects.exists()
