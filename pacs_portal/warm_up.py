"""What the first reader of a new process would otherwise wait for, loaded before it answers anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.template.loader import get_template
from django.urls import reverse
from django.utils.formats import localize

from archive.pixels.child import children
from pacs_portal.settings import BASE_DIR

TEMPLATES = BASE_DIR / "templates"
FOLDERS = ("includes", "viewer", "worklist", "report")
"""Of the pages that readers open, and of what they are put together from."""


def warm_up() -> None:
    """Load the address map and with it every page, the templates of readers, and a decoder."""
    # Going from a name to an address fills tables of all addresses.
    reverse("wado")
    for name in template_names(TEMPLATES):
        get_template(name)
    # Numbers and dates have their formats in modules of their own.
    localize(1.5)
    localize(datetime.now(UTC))
    children.start_ahead()


def template_names(folder: Path) -> list[str]:
    """Names of the templates that are kept compiled: those beside the folders, and those in the ones of readers."""
    found = [*folder.glob("*.html"), *(path for name in FOLDERS for path in folder.glob(f"{name}/*.html"))]
    return sorted(path.relative_to(folder).as_posix() for path in found)
