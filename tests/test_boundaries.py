"""Who imports whom: the rules that keep the house one that can be seen through.

viewer -> archive, never back; the plain packages know neither Django nor a door; what is used is
listed, what is listed is used, and nothing of it is under GPL or AGPL.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ("pacs_portal", "archive", "viewer")
BESIDE = ("tests", "bench")

ARCHIVE = ("archive.dicom", "archive.pixels", "archive.errors")
PLAIN = {
    "archive.dicom": ("archive.dicom", "archive.errors"),
    "archive.pixels": ARCHIVE,
    "viewer.rendering": (*ARCHIVE, "viewer.errors", "viewer.rendering"),
    "viewer.volumes": (*ARCHIVE, "viewer.errors", "viewer.rendering", "viewer.volumes"),
    "viewer.processing": (*ARCHIVE, "viewer.errors", "viewer.rendering", "viewer.volumes", "viewer.processing"),
    "archive.errors": (),
    "viewer.errors": ("archive.errors",),
}
"""Plain package -> what it may import of the house."""
WITHOUT_FILES = ("viewer.rendering", "viewer.volumes", "viewer.processing")
FRAMEWORKS = {"django", "rest_framework", "celery", "kombu", "pynetdicom", "redis", "psycopg", "environ"}
CODECS = {"imagecodecs", "pylibjpeg", "openjpeg", "libjpeg", "jpeg_ls", "gdcm", "cv2"}
GPL = {"libjpeg", "dwv", "ffmpeg", "imageio_ffmpeg", "PyQt5", "PyQt6"}

USED_WITHOUT_IMPORT = {
    "django-cors-headers": "corsheaders.middleware",
    "argon2-cffi": "Argon2PasswordHasher",
    "psycopg": "DATABASE_URL",
    "redis": "RedisCache",
    "granian": "granian",
    "django-allauth": "allauth",
    "django-axes": "axes",
    "django-filter": "django_filters",
    "django-htmx": "django_htmx",
    "whitenoise": "whitenoise",
    "django-csp": "csp",
}
"""Package -> the word by which the settings or the supervisor call it in."""
PART_OF = {"billiard": "celery", "click": "celery"}
"""Package -> the one that it comes with and makes no sense without."""
USED_BY_COMMAND = {"pytest-django", "pytest-xdist", "pytest-timeout", "ruff", "mypy", "django-stubs", "pytest"}


@cache
def modules(*packages: str) -> dict[str, ast.Module]:
    """Parse every module of some packages: dotted name -> tree."""
    found = {}
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imports(tree: ast.Module, name: str) -> Iterator[str]:
    """Yield everything a module imports, wherever in it, by its full dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = name.split(".")[: -node.level] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def top(name: str) -> str:
    return name.partition(".")[0]


def test_archive_never_imports_viewer() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules("archive").items()
        for name in imports(tree, module)
        if is_within(name, "viewer")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PLAIN)
def test_plain_packages_know_neither_django_nor_a_door(package: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules(*HOUSE).items()
        if is_within(module, package)
        for name in imports(tree, module)
        if top(name) in FRAMEWORKS
        or (top(name) in HOUSE and not any(is_within(name, allowed) for allowed in PLAIN[package]))
    ]
    assert wrong == []


@pytest.mark.parametrize("package", WITHOUT_FILES)
def test_the_engine_opens_no_files(package: str) -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module, tree in modules(*HOUSE).items()
        if is_within(module, package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    ]
    assert wrong == []


def test_only_archive_pixels_knows_codecs() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules(*HOUSE).items()
        if not is_within(module, "archive.pixels")
        for name in imports(tree, module)
        if top(name) in CODECS or is_within(name, "pydicom.pixels")
    ]
    assert wrong == []


def test_there_is_no_third_app() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - set(BESIDE) == set(HOUSE)
    assert sorted(path.parent.name for path in ROOT.glob("*/apps.py")) == ["archive", "viewer"]


# --- Packages of others -----------------------------------------------------------------------------------------------


def requirements(name: str) -> dict[str, str]:
    """Read a requirements file: package -> version; AssertionError for a line that pins nothing."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        wanted, _, reason = line.partition("#")
        if not wanted.strip() or wanted.startswith("-r "):
            continue
        pinned = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==([0-9][0-9A-Za-z.]*)", wanted.strip())
        assert pinned, f"{name}: {wanted.strip()!r} pins no exact version"
        assert reason.strip(), f"{name}: {wanted.strip()} gives no reason"
        found[normalised(pinned[1])] = pinned[2]
    return found


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_packages(*packages: str) -> dict[str, set[str]]:
    """Distribution -> the modules of the house that import it."""
    owners = metadata.packages_distributions()
    found: dict[str, set[str]] = {}
    own = {*HOUSE, *BESIDE, *sys.stdlib_module_names}
    for module, tree in modules(*packages).items():
        for name in imports(tree, module):
            if top(name) in own:
                continue
            for owner in owners.get(top(name), [top(name)]):
                found.setdefault(normalised(owner), set()).add(module)
    return found


def test_every_package_that_is_imported_is_listed() -> None:
    listed = requirements("requirements.txt")
    wrong = {
        name: sorted(where)
        for name, where in imported_packages(*HOUSE).items()
        if name not in listed and PART_OF.get(name) not in listed
    }
    assert wrong == {}


def test_every_package_that_is_listed_is_used() -> None:
    imported = imported_packages(*HOUSE)
    words = "".join((ROOT / "pacs_portal" / name).read_text() for name in ("settings.py", "supervisor.py"))
    unused = [
        name
        for name in requirements("requirements.txt")
        if name not in imported and USED_WITHOUT_IMPORT.get(name, "\0") not in words
    ]
    assert unused == []


def test_every_tool_that_is_listed_is_used() -> None:
    used = {*imported_packages(*HOUSE, *BESIDE), *USED_BY_COMMAND}
    assert [name for name in requirements("requirements-dev.txt") if name not in used] == []


def test_nothing_under_gpl_is_imported() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules(*HOUSE, *[name for name in BESIDE if (ROOT / name).is_dir()]).items()
        for name in imports(tree, module)
        if top(name) in GPL
    ]
    assert wrong == []


def needed(name: str, seen: set[str]) -> set[str]:
    """Return a distribution and, of those installed, everything that it needs."""
    name = normalised(name)
    if name in seen:
        return seen
    try:
        wanted = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return seen
    seen.add(name)
    for line in wanted:
        if "extra ==" not in line:
            needed(re.match(r"[A-Za-z0-9._-]+", line)[0], seen)  # type: ignore[index]
    return seen


def test_nothing_under_gpl_is_shipped() -> None:
    shipped: set[str] = set()
    for name in requirements("requirements.txt"):
        needed(name, shipped)
    assert len(shipped) > len(requirements("requirements.txt"))
    wrong = {name: text for name in sorted(shipped) if is_gpl(text := licence(name))}
    assert wrong == {}


def licence(name: str) -> str:
    """Return what a distribution says of its licence, without the text of it."""
    about = metadata.metadata(name)
    said = [about.get("License-Expression") or "", (about.get("License") or "").strip().partition("\n")[0]]
    return " | ".join([*said, *(about.get_all("Classifier") or [])]).replace("Lesser General Public License", "LGPL")


def is_gpl(text: str) -> bool:
    """Say whether a licence is GPL or AGPL; LGPL is neither."""
    return bool(re.search(r"(?<![A-Za-z])A?GPL|(?<!Lesser )General Public License", text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-3.0-only", True),
        ("AGPLv3", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("LGPL-3.0-only", False),
        ("MIT", False),
    ],
)
def test_a_gpl_licence_is_told_from_others(text: str, expected: bool) -> None:
    assert is_gpl(text) is expected
