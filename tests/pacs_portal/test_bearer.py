"""Bearer tokens: what they open, and what they never do."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from archive.access.tokens import make_token
from archive.models import AccessToken, AuditEvent, User
from tests.conftest import Cast
from tests.phantoms import ct_image, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
READ, STORE, ALL = AccessToken.Scope.READ, AccessToken.Scope.STORE, AccessToken.Scope.ALL


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)


def bearer(user: User, scope: AccessToken.Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(user, scope)[0]}"}


def stow(client: Client, headers: dict[str, str]) -> int:
    data = to_part10_bytes(ct_image())
    return client.post("/dicom-web/studies", data, content_type="application/dicom", headers=headers).status_code


@pytest.mark.parametrize(("scope", "status"), [(READ, 403), (STORE, 200), (ALL, 200)])
def test_storing_needs_the_scope_and_no_csrf_token(scope: AccessToken.Scope, status: int, cast: Cast) -> None:
    assert stow(Client(enforce_csrf_checks=True), bearer(cast.technologist, scope)) == status


@pytest.mark.parametrize(("scope", "status"), [(READ, 404), (STORE, 403), (ALL, 404)])
def test_reading_needs_the_scope(scope: AccessToken.Scope, status: int, cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(None).get("/api/instances/1.2.3/tags", headers=bearer(cast.reader, scope))
    assert answer.status_code == status


def test_a_token_never_gives_more_than_its_user_may(cast: Cast, client_of: ClientOf) -> None:
    assert stow(client_of(None), bearer(cast.outsider, ALL)) == 403


def test_an_expired_a_revoked_and_an_unknown_token_are_told_apart_by_nobody(cast: Cast, client_of: ClientOf) -> None:
    expired, revoked, disabled = (bearer(user, ALL) for user in (cast.reader, cast.reader2, cast.admin))
    AccessToken.objects.filter(user=cast.reader).update(expires_at=timezone.now() - timedelta(seconds=1))
    AccessToken.objects.filter(user=cast.reader2).update(revoked_at=timezone.now())
    User.objects.filter(pk=cast.admin.pk).update(is_active=False)
    answers = [
        client_of(None).get("/api/instances/1.2.3/tags", headers=headers)
        for headers in (expired, revoked, disabled, {"Authorization": "Bearer portal-nothing"})
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert 'error="invalid_token"' in answers[0]["WWW-Authenticate"]


@pytest.mark.parametrize(("path", "status"), [("/", 302), ("/admin/", 302), ("/tiles/1.2/1/0/0/0.png", 401)])
def test_a_token_opens_no_page_and_no_tile(path: str, status: int, cast: Cast, client_of: ClientOf) -> None:
    assert client_of(None).get(path, headers=bearer(cast.admin, ALL)).status_code == status


def test_a_token_in_the_address_is_none(cast: Cast, client_of: ClientOf) -> None:
    text, _token = make_token(cast.reader, ALL)
    answer = client_of(None).get("/api/instances/1.2.3/tags", {"access_token": text})
    assert answer.status_code == 401 and 'Bearer realm="portal"' in answer["WWW-Authenticate"]


def test_only_a_hash_of_it_is_kept_and_its_use_is_known(cast: Cast, client_of: ClientOf) -> None:
    text, token = make_token(cast.reader, READ)
    client_of(None).get("/api/instances/1.2.3/tags", headers={"Authorization": f"Bearer {text}"})
    token.refresh_from_db()
    assert token.used_at is not None
    assert text not in str(vars(token)) and text not in str(list(AuditEvent.objects.values()))


def test_the_command_prints_a_token_that_works(cast: Cast, client_of: ClientOf) -> None:
    out = io.StringIO()
    call_command("make_token", "reader", "--scope", "read", "--days", "7", stdout=out)
    headers = {"Authorization": f"Bearer {out.getvalue().strip()}"}
    assert client_of(None).get("/api/instances/1.2.3/tags", headers=headers).status_code == 404
    for username, days in (("nobody", "7"), ("reader", "0")):
        with pytest.raises(CommandError):
            call_command("make_token", username, "--scope", "read", "--days", days)


def test_an_administrator_revokes_one_at_once(cast: Cast, client_of: ClientOf) -> None:
    headers = bearer(cast.reader, ALL)
    token = AccessToken.objects.get()
    admin = client_of(cast.admin)
    page = admin.get("/admin/archive/accesstoken/").content.decode()
    assert "Rita Reader" in page and token.digest not in page
    admin.post("/admin/archive/accesstoken/", {"action": "revoke_tokens", "_selected_action": [token.pk]})
    assert client_of(None).get("/api/instances/1.2.3/tags", headers=headers).status_code == 401
    assert client_of(cast.reader).get("/admin/archive/accesstoken/").status_code != 200
