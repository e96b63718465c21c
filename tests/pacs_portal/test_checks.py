"""What the system checks say, in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from pacs_portal import checks
from tests.conftest import Cast

RANDOM = "ySm1b7Q0cE5zLr2wVtN8aKd3GhJ6pXuC9oFiBnTqMlRsZkWe4Y"


@pytest.fixture
def production(settings: Settings) -> Settings:
    """Settings of a production that is in order."""
    settings.IS_DEMO = False
    settings.DEBUG = False
    settings.SECRET_KEY = RANDOM
    settings.PORTAL_PUBLIC_URL = "https://pacs.example.org"
    return settings


def said(found: object) -> list[str]:
    return [f"{message.id} {message.msg}" for message in found]  # type: ignore[attr-defined]


def test_the_environment_of_this_run_is_complete() -> None:
    assert said(checks.packages_are_there()) == []
    assert said(checks.sqlite_is_new_enough()) == []


def test_a_missing_package_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("Django==1.0  # pages\nno-such-package[extra]==2.0  # nothing\n")
    settings.BASE_DIR = tmp_path
    version, missing = said(checks.packages_are_there())
    assert version.startswith("portal.W001 Django is 5.")
    assert missing == "portal.E001 The Python package 'no-such-package' is missing."


def test_a_data_folder_that_is_no_folder_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.PORTAL_DATA = tmp_path / "file"
    assert said(checks.data_folder_is_writable()) == [
        f"portal.E002 The data folder {tmp_path}/file cannot be used: File exists."
    ]


def test_the_check_of_the_data_folder_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.PORTAL_DATA = tmp_path / "new"
    assert said(checks.data_folder_is_writable()) == []
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("pacs.example.org", False),
    ],
)
def test_a_loopback_address_is_told_from_others(host: str, expected: bool) -> None:
    assert checks.is_loopback(host) is expected


@pytest.mark.parametrize("variable", ["PORTAL_HTTP_HOST", "PORTAL_DICOM_HOST"])
def test_a_demo_on_the_network_is_refused_unless_told_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    setattr(settings, variable, "0.0.0.0")
    assert [message.split()[0] for message in said(checks.demo_stays_at_home())] == ["portal.E004"]
    monkeypatch.setenv("PORTAL_DEMO_ANYWHERE", "1")
    assert said(checks.demo_stays_at_home()) == []


def test_production_may_listen_on_the_network(production: Settings) -> None:
    production.PORTAL_HTTP_HOST = "0.0.0.0"
    assert said(checks.demo_stays_at_home()) == []


def test_a_production_in_order_is_let_pass(production: Settings) -> None:
    assert said(checks.production_is_closed()) == []


def test_production_with_debug_is_refused(production: Settings) -> None:
    production.DEBUG = True
    assert said(checks.production_is_closed()) == ["portal.E005 PORTAL_DEBUG is on, and the profile is production."]


@pytest.mark.parametrize("secret", ["few", "a" * 64, f"django-insecure-{RANDOM}"])
def test_production_with_a_default_secret_is_refused(production: Settings, secret: str) -> None:
    production.SECRET_KEY = secret
    (message,) = said(checks.production_is_closed())
    assert message.startswith("portal.E006 The secret key is short or a default")


def test_production_with_a_demo_password_is_refused(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DEMO_PASSWORD", "known")
    assert said(checks.production_is_closed()) == [
        "portal.E007 PORTAL_DEMO_PASSWORD is set, and the profile is production."
    ]


def test_production_without_tls_is_warned_of(production: Settings) -> None:
    production.PORTAL_PUBLIC_URL = "http://pacs.example.org"
    (message,) = said(checks.production_is_closed())
    assert message.startswith("portal.W002 PORTAL_PUBLIC_URL is http://pacs.example.org")


def test_production_on_the_data_of_a_demo_is_refused(production: Settings, portal_data: Path, cast: Cast) -> None:
    (portal_data / "keys" / "demo_password").write_text("known to all")
    for user in (cast.reader, cast.admin, cast.outsider):
        user.set_password("known to all")
        user.save()
    assert said(checks.production_has_no_demo_passwords(databases=["default"])) == [
        "portal.E008 The demo password still opens: reader, admin."
    ]
    for user in (cast.reader, cast.admin):
        user.is_active = False
        user.save()
    assert said(checks.production_has_no_demo_passwords(databases=["default"])) == []
