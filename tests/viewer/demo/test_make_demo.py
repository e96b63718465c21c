"""``manage.py make_demo``: users that can sign in, studies that are sent once, whatever happens in between."""

from __future__ import annotations

import io
import stat
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from archive.access.roles import Role, roles_of
from archive.errors import CannotUnderstand, OutOfSpace
from archive.indexing.writer import index_waiting_files
from archive.models import Grant, Instance, PersonIdentifier, ScheduledStep, Study, User
from archive.storage import layout
from viewer.arrivals.board import board_of
from viewer.demo import catalogue
from viewer.management.commands import make_demo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]

ROLES = {
    "reader": Role.RADIOLOGIST,
    "reader2": Role.RADIOLOGIST,
    "referrer": Role.CLINICIAN,
    "referrer2": Role.CLINICIAN,
    "technologist": Role.TECHNOLOGIST,
    "admin": Role.ADMINISTRATOR,
}


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the hints that would go to a worker; there is none here."""
    sent: list[int] = []
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr(make_demo.announce_incoming, "send", lambda: sent.append(1))
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    return sent


@pytest.fixture(autouse=True)
def no_given_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_DEMO_PASSWORD", raising=False)


@pytest.fixture
def few_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slices of the referred CT and two samples: the real thing, less of it."""

    def three_slices(now: Any) -> list[catalogue.DemoStudy]:
        study = next(study for study in catalogue.demo_studies(now) if study.visit.key == "ct2")
        return [catalogue.DemoStudy(study.visit, lambda visit: study.plan(visit)[:3])]

    monkeypatch.setattr(make_demo, "demo_studies", three_slices)
    monkeypatch.setattr(make_demo, "WHEEL_SAMPLES", ("CT_small.dcm", "MR_small.dcm"))


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("make_demo", *arguments, stdout=said, stderr=said, skip_checks=True)
    return said.getvalue()


def contents() -> dict[str, set[str]]:
    """Digests of content by digest of UID, of the files that wait."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in layout.incoming_folder().glob("*.dcm"):
        _, uid, content, _ = path.stem.split("-")
        found[uid].add(content)
    return found


# --- Users ------------------------------------------------------------------------------------------------------------


def test_users_are_in_the_groups_of_their_roles_and_sign_in_with_the_kept_password(portal_data: Path) -> None:
    run("--users")

    kept = portal_data / "keys" / "demo_password"
    users = {user.username: user for user in User.objects.all()}
    assert {name: set(roles_of(user)) for name, user in users.items()} == {name: {role} for name, role in ROLES.items()}
    assert all(user.check_password(kept.read_text().strip()) for user in users.values())
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert users["technologist"].modalities == ["CT", "MR", "US"]
    assert [name for name, user in users.items() if user.is_staff and user.is_superuser] == ["admin"]
    assert users["reader"].get_full_name() == "Dr Rhea Reader"
    assert PersonIdentifier.objects.get().user == users["referrer"]


def test_password_of_the_environment_is_used_and_not_kept(monkeypatch: pytest.MonkeyPatch, portal_data: Path) -> None:
    monkeypatch.setenv("PORTAL_DEMO_PASSWORD", "given by the site")

    run("--users")

    assert User.objects.get(username="reader").check_password("given by the site")
    assert not (portal_data / "keys" / "demo_password").exists()


def test_second_run_changes_no_row() -> None:
    run("--users")
    before = list(User.objects.order_by("pk").values())

    said = run("--users")

    assert list(User.objects.order_by("pk").values()) == before
    assert said == "Demo users are ready, 0 of 6 new.\n"


def test_refresh_lets_a_locked_user_in_again_and_keeps_what_people_chose() -> None:
    run("--users")
    User.objects.filter(username="technologist").update(is_active=False, password="!", modalities=["MG"])
    User.objects.filter(username="reader").update(first_name="Ruth")

    run("--users")

    technologist = User.objects.get(username="technologist")
    assert technologist.is_active
    assert technologist.check_password(make_demo.demo_password())
    assert technologist.modalities == ["MG"]
    assert User.objects.get(username="reader").first_name == "Ruth"


def test_production_refuses(settings: Any) -> None:
    settings.PORTAL_PROFILE = "production"

    with pytest.raises(CommandError, match="PORTAL_PROFILE is 'production'"):
        run()

    assert not User.objects.exists()


# --- Studies ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_studies")
def test_studies_come_in_through_the_intake_and_the_referrer_sees_theirs(no_messages: list[int]) -> None:
    said = run()
    index_waiting_files()

    assert said.endswith("5 demo images were sent, 0 were not.\n")
    assert Instance.objects.count() == 5
    assert {instance.door for instance in Instance.objects.all()} == {"demo"}
    study = Study.objects.get(accession_number="DEMOCT2")
    assert study.patient_name == "Kim^Minseo=金^民瑞=김^민서"
    assert [(grant.user.username, grant.source) for grant in Grant.objects.filter(study=study)] == [
        ("referrer", "identifier")
    ]
    assert len(no_messages) == 1


@pytest.mark.usefixtures("few_studies")
def test_the_arrivals_page_has_something_done_under_way_and_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_slice_each(now: Any) -> list[catalogue.DemoStudy]:
        kept = [study for study in catalogue.demo_studies(now) if study.visit.key in {"ct2", "mr1"}]
        return [catalogue.DemoStudy(one.visit, lambda visit, one=one: one.plan(visit)[:1]) for one in kept]

    monkeypatch.setattr(make_demo, "demo_studies", one_slice_each)
    monkeypatch.setattr(make_demo, "WHEEL_SAMPLES", ())
    noon = timezone.localtime().replace(hour=12, minute=0, tzinfo=None, microsecond=0)
    monkeypatch.setattr(make_demo, "begun_at", lambda: noon)
    run()
    index_waiting_files()

    board = board_of(User.objects.get(username="technologist"))
    assert [(one.what.procedure, one.what.state) for one in board.now] == [("MRI head", "under way")]
    assert [(one.what.procedure, one.what.state) for one in board.done] == [("CT chest abdomen", "done")]
    assert [(one.what.procedure, one.what.state) for one in board.expected] == [
        ("US abdomen", "patient is here"),
        ("CT head", "expected"),
        ("MR knee right", "expected"),
    ]
    assert ScheduledStep.objects.count() == 5
    make_demo.marker_path().unlink()
    run("--studies")
    assert ScheduledStep.objects.count() == 5


@pytest.mark.usefixtures("few_studies")
def test_second_run_sends_nothing() -> None:
    run("--studies")
    before = sorted(layout.incoming_folder().glob("*.dcm"))

    said = run("--studies")

    assert said == "Demo studies were made before; nothing is sent.\n"
    assert sorted(layout.incoming_folder().glob("*.dcm")) == before


@pytest.mark.usefixtures("few_studies")
def test_a_run_cut_in_the_middle_is_repeated_without_a_second_version_of_any_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, sent = make_demo.receive_part10, []

    def cut_after_two(*arguments: Any) -> Any:
        if len(sent) == 2:
            raise KeyboardInterrupt
        sent.append(1)
        return real(*arguments)

    monkeypatch.setattr(make_demo, "receive_part10", cut_after_two)
    with pytest.raises(KeyboardInterrupt):
        run("--studies")
    monkeypatch.setattr(make_demo, "receive_part10", real)
    monkeypatch.setattr(make_demo.timezone, "localtime", lambda: pytest.fail("the time was taken a second time"))

    run("--studies")

    assert len(contents()) == 5
    assert all(len(versions) == 1 for versions in contents().values())
    result = index_waiting_files()
    assert (result.added, result.duplicates, result.held_back) == (5, 2, 0)


@pytest.mark.usefixtures("few_studies")
def test_one_image_that_fails_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = make_demo.receive_part10, []

    def refuse_the_first(*arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            raise CannotUnderstand("It is odd.")
        return real(*arguments)

    monkeypatch.setattr(make_demo, "receive_part10", refuse_the_first)
    monkeypatch.setattr(make_demo, "WHEEL_SAMPLES", ("CT_small.dcm", "not_there.dcm"))

    said = run("--studies")

    assert "ct2 1 was refused: It is odd." in said
    assert "not_there.dcm could not be made: FileNotFoundError" in said
    assert said.endswith("3 demo images were sent, 2 were not.\n")


@pytest.mark.usefixtures("few_studies")
def test_full_disk_ends_the_run_which_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    real = make_demo.receive_part10

    def no_room(*_arguments: Any) -> Any:
        raise OutOfSpace("The archive's disk is nearly full.")

    monkeypatch.setattr(make_demo, "receive_part10", no_room)
    with pytest.raises(CommandError, match="not complete"):
        run("--studies")
    monkeypatch.setattr(make_demo, "receive_part10", real)

    assert run("--studies").endswith("5 demo images were sent, 0 were not.\n")


@pytest.mark.usefixtures("few_studies")
def test_an_empty_archive_stays_empty_where_the_site_wants_it(settings: Any) -> None:
    settings.PORTAL_DEMO = False

    run()

    assert User.objects.count() == 6
    assert not layout.incoming_folder().exists() or not list(layout.incoming_folder().glob("*.dcm"))


@pytest.mark.usefixtures("few_studies")
def test_quiet_says_nothing() -> None:
    assert run("--verbosity", "0") == ""
