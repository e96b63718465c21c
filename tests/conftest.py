"""The cast, the folders and the running portal that tests share.

Marks are given here, by what a test asks for, so that none can be forgotten: ``browser`` for a page in
Chromium, ``profiles`` for database, broker or storage, ``plain`` for the rest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.environment import LARGE, profile
from tests.servers import LivePortal, start_portal

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser, Page
    from pytest_django import Settings

    from archive.models import User

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
IN_BROWSER = {"browser", "page", "new_page"}
IN_PROFILE = {"db", "transactional_db", "portal_data", "cast", "client_of", "live_portal", "own_portal"}


def pytest_configure() -> None:
    """Passwords of the cast are hashed fast; nothing else of the settings is the tests' own."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if asked & IN_BROWSER:
            item.add_marker("browser")
        elif asked & IN_PROFILE or item.get_closest_marker("django_db"):
            item.add_marker("profiles")
        elif not item.get_closest_marker("profiles"):
            item.add_marker("plain")
        if asked & {"live_portal", "own_portal"}:
            # One running portal at a time is enough for two cores.
            item.add_marker(pytest.mark.xdist_group("live"))


# --- Folders ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real DICOM files: PORTAL_TEST_DATA, or the folder beside the repository."""
    folder = Path(os.environ.get("PORTAL_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"The real DICOM files are not in {folder}: set PORTAL_TEST_DATA to their folder.")
    return folder


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole path in this process: no message to a worker, and nothing kept from the test before."""
    from tests.journeys.sending import forget_what_was_drawn

    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()


@pytest.fixture
def portal_data(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and every setting that lies below it."""
    from archive.receiving.backlog import backlog
    from pacs_portal.celery import app

    folder = tmp_path / "portal"
    for part in ("archive", "broker", "cache", "journal", "keys", "run"):
        (folder / part).mkdir(parents=True)
    (folder / "cache" / "static").mkdir()
    settings.PORTAL_DATA = folder
    # What this process counted a moment ago was another test's folder.
    monkeypatch.setattr(backlog, "_counted_at", float("-inf"))
    settings.STATIC_ROOT = folder / "cache" / "static"
    settings.BROKER_FOLDER = folder / "broker"
    if profile() != LARGE:
        settings.CACHES = {
            "default": settings.CACHES["default"] | {"LOCATION": str(folder / "cache" / "small")},
        }
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {
            "data_folder_in": str(folder / "broker" / "queue"),
            "data_folder_out": str(folder / "broker" / "queue"),
            "processed_folder": str(folder / "broker" / "processed"),
            "control_folder": str(folder / "broker" / "control"),
        }
        settings.CELERY_BROKER_TRANSPORT_OPTIONS = options
        monkeypatch.setitem(app.conf, "broker_transport_options", options)
        # Pools that exist already go on writing into the folder they were made for.
        monkeypatch.setattr(app, "_pool", None)
        monkeypatch.setattr(app.amqp, "_producer_pool", None)
    return folder


# --- The cast ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cast:
    """Everybody who appears in the tests; ``outsider`` has an account and no role."""

    reader: User
    reader2: User
    referrer: User
    referrer2: User
    technologist: User
    admin: User
    outsider: User

    def everybody(self) -> list[User]:
        return [getattr(self, field.name) for field in fields(self)]


@pytest.fixture
def cast(db: None) -> Cast:
    """The users, in the groups of their roles."""
    return Cast(
        reader=_user("reader", "Rita", "Reader", "radiologist"),
        reader2=_user("reader2", "Rudi", "Reader", "radiologist"),
        referrer=_user("referrer", "Clara", "Clinician", "referring clinician"),
        referrer2=_user("referrer2", "Carl", "Clinician", "referring clinician"),
        technologist=_user("technologist", "Tom", "Technologist", "technologist", modalities=["CT", "MR"]),
        admin=_user("admin", "Ada", "Administrator", "administrator", is_staff=True, is_superuser=True),
        outsider=_user("outsider", "Otto", "Outsider", None),
    )


PASSWORD = "correct horse battery"


def _user(username: str, first_name: str, last_name: str, group: str | None, **values: Any) -> User:
    from django.contrib.auth.models import Group

    from archive.models import User

    user = User.objects.create_user(
        username,
        email=f"{username}@example.org",
        password=PASSWORD,
        first_name=first_name,
        last_name=last_name,
        **values,
    )
    if group:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


@pytest.fixture
def client_of(db: None) -> Callable[[User | None], Client]:
    """Make a client that is signed in as a user, or as nobody."""
    from django.test import Client

    def make(user: User | None = None, **values: Any) -> Client:
        client = Client(**values)
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


# --- The running portal -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def live_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    """The real thing, with the demo users and an empty archive, shared by the tests of one process."""
    portal = start_portal(tmp_path_factory.mktemp("live"))
    yield portal
    portal.stop()


@pytest.fixture
def own_portal(tmp_path: Path) -> Iterator[LivePortal]:
    """The real thing for one test that does it harm."""
    portal = start_portal(tmp_path)
    yield portal
    portal.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    if shutil.which(CHROMIUM) is None:
        pytest.skip("Chromium is not installed: apt-get install chromium.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages, each in a browser profile of its own; any error on one of them fails the test.

    A test that provokes errors takes them out of ``page.portal_errors`` itself.
    """
    contexts = []
    errors: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.portal_errors = errors  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
        # A violation of the content security policy is an error on the console.
        page.on("console", lambda message: message.type == "error" and errors.append(f"console: {message.text}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page of a desktop browser."""
    return new_page(viewport={"width": 1440, "height": 900})


@pytest.fixture(scope="session")
def open_sessions() -> dict[str, list[Any]]:
    """Cookies by demo user, of the last sign-in on the shared portal."""
    return {}


@pytest.fixture
def sign_in(live_portal: LivePortal, open_sessions: dict[str, list[Any]]) -> Callable[[Page, str], None]:
    """Sign in as one of the demo users, as a person does; who is still signed in comes with the cookies of that time."""

    def through_the_form(page: Page, username: str) -> None:
        page.locator("input[name=login]").fill(username)
        page.locator("input[name=password]").fill(live_portal.passwords[username])
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        open_sessions[username] = page.context.cookies()

    def signed_in(page: Page, username: str) -> None:
        page.context.add_cookies(open_sessions.get(username, []))
        page.goto(live_portal.url)
        if "/accounts/login/" in page.url:
            through_the_form(page, username)

    return signed_in
