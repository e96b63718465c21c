"""What must stand in the environment before Django's settings are read: an early pytest plugin.

Every test process, and each of pytest-xdist's workers, gets its own data folder. Nothing of the
caller's own portal is used: ``PORTAL_*``, ``DATABASE_URL`` and ``REDIS_URL`` of the caller's shell
are dropped, unless ``python -m tests.servers`` made them for this run.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

LARGE = "large"
EMBEDDED = "embedded"


def prepare() -> Path:
    """Set the environment of this test process and return its data folder."""
    for name in list(os.environ):
        if name.startswith("PORTAL_") and not name.startswith("PORTAL_TEST_"):
            del os.environ[name]
    if profile() != LARGE:
        os.environ.pop("DATABASE_URL", None)
        os.environ.pop("REDIS_URL", None)
    elif "REDIS_URL" in os.environ:
        number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{number}"
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    (folder / "cache" / "static").mkdir(parents=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {
        "PORTAL_DATA": str(folder),
        "PORTAL_SECRET_KEY": "only-for-tests-" + "0" * 50,
        "PORTAL_TEST_SQLITE": str(folder / "test.sqlite3"),
        "PORTAL_SETTLE_S": "1",
        "DJANGO_SETTINGS_MODULE": "pacs_portal.settings",
        # Playwright's own loop runs beside the test's database calls.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }
    return folder


def profile() -> str:
    """Return 'large' (PostgreSQL and Redis) or 'embedded' (SQLite and files)."""
    return os.environ.get("PORTAL_TEST_PROFILE", EMBEDDED)


PROCESS_DATA = prepare()
