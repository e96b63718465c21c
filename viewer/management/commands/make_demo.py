"""``manage.py make_demo``: the demo users, and once the demo studies, through the intake, with a day's schedule."""

from __future__ import annotations

import io
import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from tqdm import tqdm

from archive.access.grants import identifier_was_given
from archive.access.roles import Role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError, BacklogFull, OutOfSpace, StorageFailed
from archive.models import PersonIdentifier, User
from archive.receiving.intake import IntakeResult
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.receiving.wakeup import announce_incoming
from viewer.demo.catalogue import demo_studies
from viewer.demo.headers import REFERRER_IDENTIFIER
from viewer.demo.objects import Maker, in_order
from viewer.demo.password import kept_password
from viewer.demo.schedule import finish, schedule
from viewer.demo.wheel_samples import WHEEL_SAMPLES, sample_bytes


@dataclass(frozen=True, slots=True)
class DemoUser:
    """An account of the demo."""

    username: str
    role: Role
    first_name: str
    last_name: str
    modalities: list[str] = field(default_factory=list)


# First names of referrers go without a title: images name them so, and a mapping is proposed by it.
DEMO_USERS = (
    DemoUser("reader", Role.RADIOLOGIST, "Dr Rhea", "Reader"),
    DemoUser("reader2", Role.RADIOLOGIST, "Dr Rowan", "Rereader"),
    DemoUser("referrer", Role.CLINICIAN, "Remy", "Referrer"),
    DemoUser("referrer2", Role.CLINICIAN, "Robin", "Roads"),
    DemoUser("technologist", Role.TECHNOLOGIST, "Terry", "Technologist", ["CT", "MR", "US"]),
    DemoUser("admin", Role.ADMINISTRATOR, "Alex", "Admin"),
)
DEMO_REFERRER = "referrer"


def demo_password() -> str:
    """Return the password of all demo users: the site's choice, else a random one kept in the data folder."""
    chosen = getattr(settings, "PORTAL_DEMO_PASSWORD", "") or os.environ.get("PORTAL_DEMO_PASSWORD", "")
    return chosen or kept_password(Path(settings.PORTAL_DATA) / "keys" / "demo_password")


def marker_path() -> Path:
    """Stands once all demo studies have been sent."""
    return Path(settings.PORTAL_DATA) / "run" / "demo_studies_made"


def begun_path() -> Path:
    """Holds the moment that the studies' times count from."""
    return Path(settings.PORTAL_DATA) / "run" / "demo_studies_begun"


def begun_at() -> datetime:
    """Return the site's time at the first run; kept, so that a run that was cut sends the same bytes again."""
    path = begun_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        now = timezone.localtime().replace(tzinfo=None, microsecond=0)
        _write_whole(path, now.isoformat())
    return datetime.fromisoformat(path.read_text(encoding="ascii").strip())


def _write_whole(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text + "\n", encoding="ascii")
    beside.replace(path)


@transaction.atomic
def refresh_user(demo: DemoUser, password: str) -> bool:
    """Create an account, or put back what it needs to be signed in to; returns whether it was created."""
    user, created = User.objects.get_or_create(
        username=demo.username,
        defaults={
            "first_name": demo.first_name,
            "last_name": demo.last_name,
            "modalities": demo.modalities,
        },
    )
    is_admin = demo.role is Role.ADMINISTRATOR
    wanted: dict[str, Any] = {"is_active": True, "is_staff": is_admin, "is_superuser": is_admin}
    changed = [name for name, value in wanted.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, wanted[name])
    if not user.check_password(password):
        user.set_password(password)
        changed.append("password")
    if changed:
        user.save(update_fields=changed)
    user.groups.add(Group.objects.get_or_create(name=demo.role.value)[0])
    if created:
        record_event(
            Event.RIGHTS_CHANGED, actor="make_demo", subject=f"user {user.pk}", details={"role": demo.role.value}
        )
    return created


def give_identifier() -> None:
    """Tie the identifier that demo images carry to the demo referrer."""
    referrer = User.objects.get(username=DEMO_REFERRER)
    identifier, created = PersonIdentifier.objects.get_or_create(value=REFERRER_IDENTIFIER, defaults={"user": referrer})
    if created:
        identifier_was_given(identifier)


def refresh_users() -> int:
    """Create or refresh all demo users; returns how many were created."""
    password = demo_password()
    created = sum(refresh_user(demo, password) for demo in DEMO_USERS)
    give_identifier()
    return created


@dataclass(frozen=True, slots=True)
class Made:
    """One file to send, or why there is none."""

    name: str
    data: bytes = b""
    error: str = ""


def _made(name: str, make: Callable[[], bytes]) -> Made:
    try:
        return Made(name, make())
    except Exception as error:  # one phantom that cannot be made must not take the others with it
        return Made(name, error=f"{type(error).__name__}: {error}")


def _bytes_of(maker: Maker) -> bytes:
    return maker().to_bytes()


def planned(now: datetime) -> list[tuple[str, Callable[[], bytes]]]:
    """Return a name and a call for each file: the synthetic studies, then what pydicom's wheel ships."""
    plans: list[tuple[str, Callable[[], bytes]]] = []
    for study in demo_studies(now):
        makers = study.makers()
        plans += [
            (f"{study.visit.key} {number}", partial(_bytes_of, maker)) for number, maker in enumerate(makers, start=1)
        ]
    return plans + [(name, partial(sample_bytes, name)) for name in WHEEL_SAMPLES]


def made_files(plans: list[tuple[str, Callable[[], bytes]]]) -> Iterator[Made]:
    """Make the files on two cores, in order."""
    return in_order(lambda plan: _made(*plan), plans)


def send_studies(*, is_quiet: bool = False) -> tuple[list[IntakeResult], list[str]]:
    """Make and send every demo file; returns what was stored, and a sentence for each that was not.

    Raises
    ------
    OutOfSpace, BacklogFull, StorageFailed
        There is no room, or the disk fails; the rest would fare no better.
    """
    stored: list[IntakeResult] = []
    failures = []
    plans = planned(begun_at())
    # On a terminal only, unless it is to be quiet.
    shown = tqdm(
        made_files(plans), total=len(plans), desc="Demo studies", unit="image", disable=True if is_quiet else None
    )
    for made in shown:
        if made.error:
            failures.append(f"{made.name} could not be made: {made.error}")
            continue
        try:
            stored.append(receive_part10(io.BytesIO(made.data), Origin(door=Door.DEMO)))
        except (OutOfSpace, BacklogFull, StorageFailed):
            raise
        except ArchiveError as error:
            failures.append(f"{made.name} was refused: {error}")
    announce_incoming.send()
    return stored, failures


class Command(BaseCommand):
    """Make demo users and demo studies; without a flag both."""

    help = (
        "Create or refresh the demo users, and send the demo studies through the intake once. Only on the demo profile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", action="store_true", help="only the users")
        parser.add_argument("--studies", action="store_true", help="only the studies, also where PORTAL_DEMO is 0")

    def handle(self, *args: Any, **options: Any) -> None:
        self.verbosity: int = options["verbosity"]
        if settings.PORTAL_PROFILE != "demo":
            raise CommandError(
                f"PORTAL_PROFILE is '{settings.PORTAL_PROFILE}'; the demo is made only where it is 'demo'."
            )
        both = not (options["users"] or options["studies"])
        if both or options["users"]:
            created = refresh_users()
            self._say(f"Demo users are ready, {created} of {len(DEMO_USERS)} new.")
        if options["studies"] or (both and settings.PORTAL_DEMO):
            self._make_studies(is_quiet=self.verbosity == 0)

    def _say(self, sentence: str) -> None:
        if self.verbosity > 0:
            self.stdout.write(sentence)

    def _make_studies(self, *, is_quiet: bool) -> None:
        if marker_path().exists():
            self._say("Demo studies were made before; nothing is sent.")
            return
        begun = begun_at()
        schedule(demo_studies(begun), begun)
        try:
            stored, failures = send_studies(is_quiet=is_quiet)
        except (OutOfSpace, BacklogFull, StorageFailed) as error:
            raise CommandError(f"Demo studies are not complete: {error} Run the command again later.") from error
        finish(stored, begun)
        for sentence in failures:
            self.stderr.write(sentence)
        _write_whole(marker_path(), timezone.now().isoformat())
        self._say(f"{len(stored)} demo images were sent, {len(failures)} were not.")
