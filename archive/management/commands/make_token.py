"""``manage.py make_token USER --scope read|store|all|metrics``: a bearer token for DICOMweb and the API."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive.access.tokens import LIFETIME, LONGEST_LIFETIME, make_token
from archive.models import AccessToken, User


class Command(BaseCommand):
    help = "Print a new bearer token; it is shown this once and kept only as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USER")
        parser.add_argument("--scope", choices=AccessToken.Scope.values, required=True)
        parser.add_argument("--days", type=int, default=LIFETIME.days, help="how long it is good for (%(default)s)")
        parser.add_argument("--label", default="", help="what it is for")

    def handle(self, *_args: Any, username: str, scope: str, days: int, label: str, **_options: Any) -> None:
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username}.")
        if not 1 <= days <= LONGEST_LIFETIME.days:
            raise CommandError(f"--days is from 1 to {LONGEST_LIFETIME.days}.")
        text, _token = make_token(
            user, AccessToken.Scope(scope), label=label, lifetime=timedelta(days=days), made_by="make_token"
        )
        self.stdout.write(text)
