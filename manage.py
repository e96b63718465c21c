#!/usr/bin/env python3
"""Django's commands, and ``run``: the supervisor that starts web, worker and beat.

What is missing is said in a sentence: this is the first file that any command of the portal runs.
"""

import os
import sys

OLDEST_PYTHON = (3, 11)


def main() -> None:
    """Run the command of the command line."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"The portal needs Python 3.11 or later; this is Python {sys.version.split()[0]}.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pacs_portal.settings")
    try:
        run(sys.argv)
    except ModuleNotFoundError as error:
        own = (error.name or "").partition(".")[0] in {"pacs_portal", "archive", "viewer", ""}
        if own or os.environ.get("PORTAL_DEBUG") == "1":
            raise
        sys.exit(f"The Python package '{error.name}' is missing: 'make setup' installs what requirements.txt lists.")


def run(arguments: list[str]) -> None:
    """Hand over to the supervisor or to Django; a wrong setting is a sentence."""
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        read_settings()
        if arguments[1:2] == ["run"]:
            from pacs_portal.supervisor import main as supervise

            sys.exit(supervise())
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


def read_settings() -> None:
    """Read the settings and register the portal's checks."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.PORTAL_DATA  # noqa: B018 - the first use reads the file
    except OSError as error:
        message = f"The data folder cannot be written: {error.filename}: {error.strerror}. Set PORTAL_DATA to another."
        raise ImproperlyConfigured(message) from error
    except ValueError as error:
        raise ImproperlyConfigured(f"A setting is wrong: {error}.") from error
    import pacs_portal.checks  # noqa: F401


if __name__ == "__main__":
    main()
