"""Signing in and out, the account's own page, and the pages of errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from tests.conftest import PASSWORD
from viewer.pages.account import ClearCacheOnSignOutMiddleware

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=", re.IGNORECASE)
CLEARING = "viewer.pages.account.ClearCacheOnSignOutMiddleware"

FOR_EVERYBODY = ["/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/signup/"]
FOR_USERS = [
    "/account/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/email/",
    "/accounts/reauthenticate/",
]


def sign_in(client: Client, username: str, password: str = PASSWORD, **values: str) -> HttpResponse:
    return client.post("/accounts/login/", {"login": username, "password": password, **values})  # type: ignore[return-value]


@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_pages_of_signing_in_are_ours_and_hold_no_inline_code(db: None, client_of: ClientOf, path: str) -> None:
    response = client_of(None).get(path)
    html = response.content.decode()
    assert response.status_code == 200
    assert "css/account.css" in html and not INLINE.search(html)


@pytest.mark.parametrize("path", FOR_USERS)
def test_pages_of_the_account_are_ours_and_hold_no_inline_code(cast: Cast, client_of: ClientOf, path: str) -> None:
    client = client_of(None)
    sign_in(client, "reader")
    response = client.get(path)
    html = response.content.decode()
    assert response.status_code == 200
    assert "css/account.css" in html and not INLINE.search(html)


def test_a_second_factor_is_set_up_and_asked_for_at_the_next_sign_in(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(None)
    sign_in(client, "reader")
    again = client.get("/accounts/2fa/totp/activate/")
    assert again["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    html = client.get("/accounts/2fa/totp/activate/").content.decode()
    assert 'src="data:image/svg+xml' in html and not INLINE.search(html)
    secret = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', html)
    assert secret is not None
    assert client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])}).status_code == 302
    assert "On: signing in also asks" in client.get("/account/").content.decode()

    fresh = client_of(None)
    assert sign_in(fresh, "reader")["Location"].startswith("/accounts/2fa/authenticate/")
    html = fresh.get("/accounts/2fa/authenticate/").content.decode()
    assert "recovery codes" in html and not INLINE.search(html)
    assert fresh.get("/account/").status_code == 302


def code_of(secret: str) -> str:
    """The code of an authenticator app now (RFC 6238: SHA-1, 30 s, six digits)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    place = digest[-1] & 15
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def test_the_account_page_says_who_one_is(cast: Cast, client_of: ClientOf) -> None:
    html = client_of(cast.technologist).get("/account/").content.decode()
    for said in ("Tom Technologist", "technologist", "CT, MR", "Change password", "Second factor", "Sign out"):
        assert said in html
    assert "none yet: ask an administrator" in client_of(cast.outsider).get("/account/").content.decode()


def test_signing_in_goes_to_pages_of_ours_only(cast: Cast, client_of: ClientOf) -> None:
    assert sign_in(client_of(None), "reader", next="/search/")["Location"] == "/search/"
    assert sign_in(client_of(None), "reader", next="https://evil.example/")["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(cast: Cast, client_of: ClientOf) -> None:
    answers = []
    for name in ("reader", "nobody"):
        html = sign_in(client_of(None), name, "wrong").content.decode()
        answers.append(re.findall(r'message-error" role="alert">(.*?)</div>', html, re.DOTALL))
        assert f'value="{name}"' in html
    assert answers[0] == answers[1] != []


def test_five_wrong_passwords_lock_in_words(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(None)
    for _ in range(4):
        assert sign_in(client, "reader", "wrong").status_code == 200
    locked = sign_in(client, "reader", "wrong")
    assert locked.status_code == 429
    assert "locked for a while" in locked.content.decode() and "15 minutes" in locked.content.decode()
    assert sign_in(client, "reader").status_code == 429


def test_an_address_that_fails_with_many_accounts_is_locked_for_all(
    cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.ADDRESS_FAILURE_LIMIT = 6
    guessing = client_of(None)
    for name in ("amy", "ben", "eve", "kim", "lea", "sam"):
        assert sign_in(guessing, name, "wrong").status_code == 200
    assert sign_in(guessing, "reader").status_code == 429
    elsewhere = client_of(None)
    elsewhere.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert sign_in(elsewhere, "reader").status_code == 302


def test_signing_out_empties_the_browser_s_cache(cast: Cast, client_of: ClientOf, settings: Settings) -> None:
    if CLEARING not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [CLEARING, *settings.MIDDLEWARE]
    client = client_of(cast.reader)
    assert "Clear-Site-Data" not in client.get("/account/")
    assert client.get("/accounts/logout/").status_code == 200
    response = client.post("/accounts/logout/")
    assert response["Clear-Site-Data"] == '"cache"'
    assert client.get("/account/").status_code == 302


def test_an_idle_session_that_ends_empties_it_too(cast: Cast, client_of: ClientOf, settings: Settings) -> None:
    if CLEARING not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [CLEARING, *settings.MIDDLEWARE]
    client = client_of(cast.reader)
    session = client.session
    session["seen_at"] = 1.0
    session.save()
    response = client.get("/account/")
    assert (response.status_code, response["Clear-Site-Data"]) == (302, '"cache"')


def test_an_answer_without_a_session_s_end_is_left_alone() -> None:
    middleware = ClearCacheOnSignOutMiddleware(lambda _request: HttpResponse("x"))
    assert "Clear-Site-Data" not in middleware(HttpRequest())


def test_changing_the_password_ends_the_other_sessions(cast: Cast, client_of: ClientOf) -> None:
    here, elsewhere = client_of(None), client_of(None)
    sign_in(here, "reader")
    sign_in(elsewhere, "reader")
    new = "a new and longer password"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302


def test_a_short_password_is_refused_in_words(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(None)
    sign_in(client, "reader")
    html = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "short-1", "password2": "short-1"}
    ).content.decode()
    assert "at least 12 characters" in html


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(None)
    client.post("/accounts/password/reset/", {"email": "reader@example.org"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert unknown["Location"] == "/accounts/password/reset/done/"
    letter = next(message for message in mail.outbox if message.to == ["reader@example.org"])
    link = re.search(r"/accounts/password/reset/key/\S+", letter.body)
    assert link is not None
    form = client.get(link[0], follow=True)
    assert "Choose a new password" in form.content.decode()
    new = "a new and longer password"
    done = client.post(form.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert "The password is changed" in done.content.decode()
    assert sign_in(client_of(None), "reader", new).status_code == 302
    assert "no longer works" in client_of(None).get(link[0], follow=True).content.decode()


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("404.html", "not here, or not for you to see"),
        ("403.html", "Your role does not do this"),
        ("403_csrf.html", "too old to be sent"),
        ("400.html", "did not understand this request"),
        ("500.html", "could not do this"),
    ],
)
def test_pages_of_errors_need_nothing_but_themselves(template: str, words: str) -> None:
    html = render_to_string(template)
    assert words in html and not INLINE.search(html)


def test_what_is_absent_looks_alike_to_all(cast: Cast, client_of: ClientOf) -> None:
    for who in (cast.reader, cast.outsider):
        response = client_of(who).get("/no/such/page/")
        assert response.status_code == 404
        assert "not for you to see" in response.content.decode()
