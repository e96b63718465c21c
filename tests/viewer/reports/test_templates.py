"""Templates: their fields are filled by the study and its reader, and one that names an unknown field is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from archive.access.permissions import give_administrators_their_permissions
from archive.models import Study, User
from tests.conftest import PASSWORD
from viewer.models import ReportPolicy, ReportTemplate
from viewer.reports.template_fields import UnknownField, require_known_fields

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_fields_are_filled_in_and_what_the_study_does_not_say_is_a_gap(
    study: Study, cast: Cast, client_of: Callable[..., Client]
) -> None:
    text = "{age}, {sex}; {examination}; {referrer}; {reader}; [none / mild]."
    ReportTemplate.objects.create(name="mine", modality="CT", owner=cast.reader, findings=text)
    told = client_of(cast.reader).get(f"/api/studies/{study.study_instance_uid}/report/writing-aids").json()
    (mine,) = [one for one in told["templates"] if one["own"]]
    assert mine["text"]["findings"] == "54Y, F; CT chest; [referrer]; Rita Reader; [none / mild]."


@pytest.mark.parametrize("text", ["{patient}", "{age.__class__}", "{}", "{0}", "{Age}"])
def test_unknown_fields_are_refused_in_words(text: str) -> None:
    with pytest.raises(UnknownField, match=r"is no field. Accepted: \{age\}"):
        require_known_fields(f"Known {{age}}, unknown {text}.")


def test_the_administration_names_the_section_with_the_unknown_field(
    client_of: Callable[..., Client], cast: Cast
) -> None:
    give_administrators_their_permissions()
    user = User.objects.create_user("ordinary", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="administrator"))
    count = ReportTemplate.objects.count()
    answer = client_of(user).post("/admin/viewer/reporttemplate/add/", {"name": "new", "findings": "{liver size}"})
    assert answer.status_code == 200
    assert "is no field" in answer.content.decode()
    assert ReportTemplate.objects.count() == count


def test_dictation_is_offered_only_where_the_site_says_so(
    study: Study, cast: Cast, client_of: Callable[..., Client]
) -> None:
    address = f"/api/studies/{study.study_instance_uid}/report"
    assert client_of(cast.reader).get(address).json()["may_dictate"] is False
    ReportPolicy.objects.create(pk=1, dictation=True)
    assert client_of(cast.reader).get(address).json()["may_dictate"] is True
