"""The history of the administration: who changed what, and earlier states brought back, also of what was deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from archive.access.permissions import give_administrators_their_permissions
from archive.models import AuditEvent, User
from tests.conftest import PASSWORD
from viewer.models import CriticalCategory, ReportPolicy, ReportTemplate, SharePolicy, TimeLimit, WindowPreset

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
BASE = "/admin/viewer"


@pytest.fixture
def client(client_of: Callable[..., Client], cast: object) -> Client:
    """Of an administrator by role, without Django's superuser status."""
    give_administrators_their_permissions()
    user = User.objects.create_user("ordinary", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="administrator"))
    return client_of(user)


def save_template(client: Client, template: ReportTemplate, **changes: str) -> None:
    values = {"name": template.name, "modality": template.modality, "body_part": template.body_part}
    values |= {name: getattr(template, name) for name in ("indication", "technique", "comparison", "findings")}
    answer = client.post(f"{BASE}/reporttemplate/{template.pk}/change/", values | {"impression": ""} | changes)
    assert answer.status_code == 302, answer.content.decode()[:2000]


def buttons_of(client: Client, address: str) -> list[str]:
    """Addresses that bring something back."""
    return re.findall(r'action="([^"]+bring-back[^"]+)"', client.get(address).content.decode())


def test_a_change_is_shown_with_what_was_and_can_be_undone(client: Client) -> None:
    template = ReportTemplate.objects.create(name="CT chest", modality="CT", findings="Lungs clear.")
    save_template(client, template, findings="<b>All</b> wrong.")
    page = client.get(f"{BASE}/reporttemplate/{template.pk}/history/").content.decode()
    assert "ordinary" in page
    assert "<del>Lungs clear.</del> &rarr; <ins>&lt;b&gt;All&lt;/b&gt; wrong.</ins>" in page
    (undo,) = buttons_of(client, f"{BASE}/reporttemplate/{template.pk}/history/")
    assert client.get(undo).status_code == 404
    assert client.post(undo).status_code == 302
    template.refresh_from_db()
    assert template.findings == "Lungs clear."
    page = client.get(f"{BASE}/reporttemplate/{template.pk}/history/").content.decode()
    assert "An earlier version was brought back." in page


def test_what_was_deleted_comes_back_under_its_number(client: Client) -> None:
    told = Group.objects.create(name="on call")
    limit = TimeLimit.objects.create(
        priority=TimeLimit._meta.get_field("priority").choices[0][0], modality="XA", minutes=7
    )
    limit.told.add(told)
    address = f"{BASE}/timelimit/{limit.pk}/delete/"
    assert client.post(address, {"confirmed": "1", "reason": "No longer wanted"}).status_code == 302
    assert not TimeLimit.objects.filter(pk=limit.pk).exists()
    (undo,) = buttons_of(client, f"{BASE}/timelimit/deleted/")
    client.post(undo)
    again = TimeLimit.objects.get(pk=limit.pk)
    assert (again.minutes, list(again.told.all())) == (7, [told])
    assert AuditEvent.objects.filter(event="rights-changed", subject=f"time limit {limit.pk}").count() == 2


def test_what_cannot_come_back_is_said_and_changes_nothing(client: Client) -> None:
    owner = User.objects.create_user("gone", password=PASSWORD)
    template = ReportTemplate.objects.create(name="mine", owner=owner)
    save_template(client, template, owner="")
    owner.delete()
    ReportTemplate.objects.get_or_create(pk=template.pk, defaults={"name": "mine"})
    (undo,) = buttons_of(client, f"{BASE}/reporttemplate/{template.pk}/history/")
    page = client.post(undo, follow=True).content.decode()
    assert "cannot be brought back" in page
    assert ReportTemplate.objects.get(pk=template.pk).owner_id is None


@pytest.mark.parametrize("model", [SharePolicy, ReportPolicy, WindowPreset, CriticalCategory])
def test_rules_policies_and_presets_have_a_history(client: Client, model: type[ReportPolicy]) -> None:
    row = model.objects.first() or model.objects.create(pk=1)
    address = f"{BASE}/{model._meta.model_name}/{row.pk}"
    assert client.get(f"{address}/history/").status_code == 200
    assert client.get(f"{address}/change/").status_code == 200


def test_nobody_else_brings_anything_back(client: Client, client_of: Callable[..., Client], cast: object) -> None:
    template = ReportTemplate.objects.create(name="CT chest", findings="Lungs clear.")
    save_template(client, template, findings="Wrong.")
    (undo,) = buttons_of(client, f"{BASE}/reporttemplate/{template.pk}/history/")
    reader = client_of(User.objects.get(username="reader"))
    answer = reader.post(undo)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={undo}")
    template.refresh_from_db()
    assert template.findings == "Wrong."
