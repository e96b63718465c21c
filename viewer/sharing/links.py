"""Make, find, open and end share links: the one owner of their state."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from archive.access.entities import Visitor
from archive.access.roles import Role, has_role
from archive.access.rules import may_read_reports, shareable_studies
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Study, User
from viewer.models import ShareLink, ShareOpening, SharePolicy
from viewer.sharing.errors import CannotShare, LinkEnded
from viewer.sharing.secrets import digest_of, is_secret_of, new_secret

MOST_WRONG_PASSCODES = 5
OPEN_FOR = timedelta(hours=12)
"""A browser that opened a link must open it again after this."""
SEEN_EVERY = timedelta(seconds=20)
SHORTEST_PASSCODE = 6
LONGEST_RECIPIENT = 80


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to share, as the form says it."""

    recipient: str
    days: int
    starts_at: datetime | None = None
    passcode: str = ""
    most_views: int | None = None
    series: list[str] = field(default_factory=list)
    images: list[tuple[str, int]] = field(default_factory=list)
    is_deidentified: bool = False
    with_report: bool = False


def policy() -> SharePolicy:
    """What the site allows; its defaults until an administrator changes them."""
    return SharePolicy.objects.filter(pk=1).first() or SharePolicy(pk=1)


def may_share(who: User, study: Study) -> bool:
    """Whether a person may make links to a study now."""
    return _role_may_share(who) and shareable_studies(Study.objects.filter(pk=study.pk), who).exists()


def _role_may_share(who: User) -> bool:
    allowed = policy()
    if has_role(who, Role.RADIOLOGIST):
        return allowed.radiologists_may_share
    return has_role(who, Role.CLINICIAN) and allowed.clinicians_may_share


def longest_days(who: User) -> int:
    """Until a link of this person ends, at most."""
    allowed = policy()
    is_reader = has_role(who, Role.RADIOLOGIST)
    return allowed.longest_days if is_reader else min(7, allowed.longest_days_of_clinicians)


def make_link(study: Study, wanted: Wanted, *, by: User, address: str) -> tuple[str, ShareLink]:
    """Make a link; its secret is returned this once.

    Raises
    ------
    CannotShare
        The policy or the person's rights do not allow it.
    """
    _check(study, wanted, by)
    secret, digest = new_secret()
    starts = wanted.starts_at or timezone.now()
    with transaction.atomic():
        link = ShareLink.objects.create(
            study=study,
            maker=by,
            recipient=wanted.recipient,
            digest=digest,
            pseudonym_key=secrets.token_hex(32),
            starts_at=wanted.starts_at,
            expires_at=starts + timedelta(days=wanted.days),
            passcode=make_password(wanted.passcode) if wanted.passcode else "",
            most_views=wanted.most_views,
            series=wanted.series,
            images=[list(one) for one in wanted.images],
            is_deidentified=wanted.is_deidentified,
            with_report=wanted.with_report,
        )
        _record(
            Event.LINK_MADE,
            link,
            user=by,
            address=address,
            expires=link.expires_at.isoformat(),
            deidentified=link.is_deidentified,
            report=link.with_report,
            passcode=bool(link.passcode),
            series=len(link.series),
            images=len(link.images),
        )
    return secret, link


def _check(study: Study, wanted: Wanted, by: User) -> None:
    if not may_share(by, study):
        raise CannotShare("You may not share this study.")
    if not wanted.recipient.strip() or len(wanted.recipient) > LONGEST_RECIPIENT:
        raise CannotShare("Write whom the link is for, in at most 80 characters: the name stands in every picture.")
    longest = longest_days(by)
    if not 1 <= wanted.days <= longest:
        raise CannotShare(f"A link of yours ends after 1 to {longest} days.")
    if wanted.starts_at is not None and wanted.starts_at > timezone.now() + timedelta(days=longest):
        raise CannotShare(f"A link begins within {longest} days.")
    if not wanted.passcode and policy().passcode_required:
        raise CannotShare("This site wants a passcode for every link.")
    if wanted.passcode and len(wanted.passcode) < SHORTEST_PASSCODE:
        raise CannotShare(f"A passcode has at least {SHORTEST_PASSCODE} characters.")
    if wanted.with_report and wanted.is_deidentified:
        raise CannotShare("A report names people: it cannot go with a de-identified view.")
    if wanted.with_report and not may_read_reports(by, study):
        raise CannotShare("You may not read the report of this study, so you cannot share it.")
    known = set(study.series.filter(instance_count__gt=0).values_list("series_instance_uid", flat=True))
    if not set(wanted.series) <= known:
        raise CannotShare("A series that was chosen is not in this study.")


def find_link(secret: str) -> ShareLink:
    """The link that is good at this moment.

    Raises
    ------
    LinkEnded
        There is none, whatever the reason.
    """
    links = ShareLink.objects.select_related("study__patient", "maker").filter(digest=digest_of(secret))
    link = links.first()
    if link is None or not is_open(link) or _is_used_up(link):
        raise LinkEnded
    return link


def is_open(link: ShareLink) -> bool:
    """Whether pictures may be shown: it runs, and its maker may still show them."""
    now = timezone.now()
    runs = link.revoked_at is None and (link.starts_at is None or link.starts_at <= now) and link.expires_at > now
    if not runs or link.wrong_passcodes >= MOST_WRONG_PASSCODES or not link.maker.is_active:
        return False
    visible = Study.objects.visible_to(Visitor(link.study_id, link.maker)).exists()
    return visible and _role_may_share(link.maker)


def _is_used_up(link: ShareLink) -> bool:
    return link.most_views is not None and link.views >= link.most_views


def open_link(link: ShareLink, *, passcode: str, address: str, browser: str) -> tuple[str, ShareOpening] | None:
    """Count a view and let a browser in; None for a wrong passcode.

    Raises
    ------
    LinkEnded
        It was used up meanwhile, or by this passcode.
    """
    if link.passcode and not _is_passcode(link, passcode, address):
        return None
    secret, digest = new_secret()
    with transaction.atomic():
        free = Q(most_views__isnull=True) | Q(views__lt=F("most_views"))
        running = ShareLink.objects.filter(free, pk=link.pk, revoked_at__isnull=True)
        if not running.update(views=F("views") + 1, wrong_passcodes=0):
            raise LinkEnded
        opening = ShareOpening.objects.create(link=link, digest=digest, address=address, browser=browser[:200])
        _record(Event.LINK_OPENED, link, address=address, opening=str(opening.pk))
    return secret, opening


def _is_passcode(link: ShareLink, passcode: str, address: str) -> bool:
    """Each try is counted before it is looked at, so that many at once are not more than five."""
    left = ShareLink.objects.filter(pk=link.pk, wrong_passcodes__lt=MOST_WRONG_PASSCODES)
    if not left.update(wrong_passcodes=F("wrong_passcodes") + 1):
        raise LinkEnded
    if check_password(passcode, link.passcode):
        return True
    _record(Event.LINK_REFUSED, link, address=address, outcome="failure", reason="wrong passcode")
    link.refresh_from_db(fields=["wrong_passcodes"])
    if link.wrong_passcodes >= MOST_WRONG_PASSCODES:
        raise LinkEnded
    return False


def opening_of(opening_id: UUID, secret: str) -> ShareOpening:
    """The opening that a browser's cookie belongs to, good at this moment; looked up anew for every request.

    Raises
    ------
    LinkEnded
    """
    openings = ShareOpening.objects.select_related("link__study__patient", "link__maker")
    opening = openings.filter(pk=opening_id).first()
    now = timezone.now()
    if opening is None or not is_secret_of(secret, opening.digest) or opening.opened_at < now - OPEN_FOR:
        raise LinkEnded
    if not is_open(opening.link):
        raise LinkEnded
    if opening.last_seen_at < now - SEEN_EVERY:
        ShareOpening.objects.filter(pk=opening.pk).update(last_seen_at=now)
    return opening


def revoke_link(link: ShareLink, *, by: User, address: str) -> bool:
    """End a link at once; False where it had been ended before."""
    with transaction.atomic():
        ended = ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(
            revoked_at=timezone.now(), revoked_by=by
        )
        if ended:
            _record(Event.LINK_ENDED, link, user=by, address=address)
    return bool(ended)


def state_in_words(link: ShareLink) -> str:
    """How a link stands, for its maker."""
    now = timezone.now()
    if link.revoked_at is not None:
        return "revoked"
    if link.expires_at <= now:
        return "over"
    if link.wrong_passcodes >= MOST_WRONG_PASSCODES:
        return "locked after five wrong passcodes"
    if _is_used_up(link):
        return "used up"
    if link.starts_at is not None and link.starts_at > now:
        return "not yet open"
    return "open" if is_open(link) else "asleep: you may not share this study now"


def _record(
    event: Event,
    link: ShareLink,
    *,
    user: User | None = None,
    address: str = "",
    outcome: str = "success",
    **details: object,
) -> None:
    record_event(
        event,
        user=user,
        actor="" if user else f"share link {link.pk}",
        address=address,
        outcome=outcome,
        study_instance_uid=link.study.study_instance_uid,
        subject=f"share link {link.pk}",
        details=details,
    )
