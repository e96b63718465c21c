"""Real servers for tests, on free loopback ports and in temporary folders, ended by their own ids.

``python -m tests.servers -- COMMAND`` starts PostgreSQL and Redis, runs the command with
``DATABASE_URL``, ``REDIS_URL`` and ``PORTAL_TEST_PROFILE=large``, and ends both.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pacs_portal.processes import die_with_parent, end_tree
from tests.environment import LARGE, PROCESS_DATA, profile

ROOT = Path(__file__).resolve().parent.parent
DEMO_USERS = ("reader", "reader2", "referrer", "referrer2", "technologist", "admin")
START_PATIENCE_S = 120.0
DEMO_PASSWORD = secrets.token_urlsafe(12)
"""Of every portal that this process starts, so that a copied database has it already."""


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, patience_s: float, what: str) -> None:
    """Ask again until the condition holds; AssertionError with ``what`` when it never does."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"After {patience_s:g} s: {what}")
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Say whether something listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- The portal -------------------------------------------------------------------------------------------------------


@dataclass
class LivePortal:
    """A portal that was started as an operator starts it."""

    process: subprocess.Popen[bytes]
    url: str
    http_port: int
    dicom_port: int
    ae_title: str
    data: Path
    passwords: dict[str, str]
    environment: dict[str, str]
    log_path: Path
    clean_up: ExitStack = field(default_factory=ExitStack)

    def log(self) -> str:
        """Return everything the portal has printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def answers(self, path: str = "/healthz") -> bool:
        """Say whether the web server answers, with whatever status below 500."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                return bool(answer.status < 500)
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    def stop(self) -> None:
        """End it as Ctrl-C does, and whatever is left of it after that."""
        end_tree(self.process.pid, patience_s=45)
        self.clean_up.close()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py on this portal's data."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def portal_environment(data: Path, **values: str) -> dict[str, str]:
    """Return the environment of a portal of its own: nothing of the caller's or the tests' own settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PORTAL_") and name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    }
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "pacs_portal.settings",
        "PORTAL_DATA": str(data),
        "PORTAL_HTTP": f"127.0.0.1:{free_port()}",
        "PORTAL_DICOM_PORT": str(free_port()),
        "PORTAL_DEMO": "0",
        "PORTAL_DEMO_PASSWORD": DEMO_PASSWORD,
        "PORTAL_SETTLE_S": "1",
        **values,
    }


def start_portal(folder: Path, *, wait: bool = True, **values: str) -> LivePortal:
    """Start a portal with its data below ``folder``, on the profile of this test run, and wait until it answers."""
    clean_up = ExitStack()
    if profile() == LARGE and "DATABASE_URL" not in values:
        values |= clean_up.enter_context(large_services_of_one_portal())
    environment = portal_environment(folder / "portal", **values)
    is_new = "DATABASE_URL" not in environment and give_empty_database(folder / "portal" / "db.sqlite3")
    log_path = folder / "portal.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    http_port = int(environment["PORTAL_HTTP"].rpartition(":")[2])
    portal = LivePortal(
        process=process,
        url=f"http://127.0.0.1:{http_port}",
        http_port=http_port,
        dicom_port=int(environment["PORTAL_DICOM_PORT"]),
        ae_title=environment.get("PORTAL_AE_TITLE", "PORTAL"),
        data=folder / "portal",
        passwords=dict.fromkeys(DEMO_USERS, environment["PORTAL_DEMO_PASSWORD"]),
        environment=environment,
        log_path=log_path,
        clean_up=clean_up,
    )
    if wait:
        wait_for_portal(portal)
        if is_new and environment["PORTAL_DEMO"] == "0":
            keep_empty_database(portal)
    return portal


EMPTY_DATABASE = PROCESS_DATA / "empty.sqlite3"
"""As the first portal of this process made it: the migrations take longer than everything else of a first start."""


def give_empty_database(path: Path) -> bool:
    """Copy the empty database to where a portal has none; True where there is nothing to copy yet, and it makes one."""
    if path.exists() or not EMPTY_DATABASE.exists():
        return not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(EMPTY_DATABASE, path)
    return False


def keep_empty_database(portal: LivePortal) -> None:
    """Keep what the first portal has made, before anybody uses it."""
    made = EMPTY_DATABASE.with_suffix(".part")
    with (
        closing(sqlite3.connect(f"file:{portal.data}/db.sqlite3?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(made)) as target,
    ):
        source.backup(target)
    made.rename(EMPTY_DATABASE)


def wait_for_portal(portal: LivePortal) -> None:
    """Wait until web server and receiver answer; the log is the message when they do not."""

    def is_up() -> bool:
        if portal.process.poll() is not None:
            raise AssertionError(f"The portal ended with {portal.process.returncode}:\n{portal.log()[-4000:]}")
        return portal.answers() and accepts(portal.dicom_port)

    try:
        wait_until(is_up, patience_s=START_PATIENCE_S, what="the portal does not answer")
    except AssertionError as error:
        log = portal.log()[-4000:]
        portal.stop()
        raise AssertionError(f"{error}\n{log}") from None


@contextmanager
def large_services_of_one_portal() -> Iterator[dict[str, str]]:
    """Make a database of its own on the run's PostgreSQL, and use a Redis of its own."""
    import psycopg

    server = os.environ["DATABASE_URL"]
    name = f"portal_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        with redis_server() as redis_url:
            yield {"DATABASE_URL": f"{server.rpartition('/')[0]}/{name}", "REDIS_URL": redis_url}
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


# --- PostgreSQL and Redis ---------------------------------------------------------------------------------------------


def postgres_folder() -> Path:
    """Return the folder of PostgreSQL's programs; the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    if on_path is None:
        sys.exit("PostgreSQL is missing: apt-get install postgresql postgresql-contrib.")
    return Path(on_path).resolve().parent


def _as_postgres() -> dict[str, object]:
    """Return who PostgreSQL runs as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start PostgreSQL and yield its URL; settings are those of tests, without durability."""
    programs = postgres_folder()
    account = _as_postgres()
    folder = Path(tempfile.mkdtemp(prefix="portal-postgres-"))
    if account:
        os.chown(folder, account["user"], account["group"])  # type: ignore[arg-type]
    port = free_port()
    try:
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "portal", "-A", "trust", "-E", "UTF8", "--no-sync"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            check=True,
            **account,  # type: ignore[call-overload]
        )
        settings = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200"]
        command = [
            *[programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder],
            *[part for setting in settings for part in ("-c", setting)],
        ]
        with _server(command, folder, port, signal.SIGINT, **account):
            url = f"postgres://portal@127.0.0.1:{port}/postgres"
            _wait_for_postgres(url)
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_postgres(url: str) -> None:
    import psycopg

    def connects() -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(connects, patience_s=30, what="PostgreSQL takes no connection")


@contextmanager
def redis_server() -> Iterator[str]:
    """Start Redis without persistence and yield its URL."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("Redis is missing: apt-get install redis-server.")
    folder = Path(tempfile.mkdtemp(prefix="portal-redis-"))
    port = free_port()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
    try:
        with _server(command, folder, port, signal.SIGTERM):
            yield f"redis://127.0.0.1:{port}/0"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(
    command: list[object], folder: Path, port: int, ends_with: signal.Signals, **account: object
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,  # type: ignore[arg-type]
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
            **account,  # type: ignore[call-overload]
        )
    try:
        wait_until(
            lambda: accepts(port) or process.poll() is not None, patience_s=30, what=f"{command[0]} does not listen"
        )
        if process.poll() is not None:
            raise AssertionError((folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:])
        yield process
    finally:
        process.send_signal(ends_with)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            end_tree(process.pid, patience_s=0)
            process.wait()


def main(arguments: list[str]) -> int:
    """Run a command with both servers."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    with postgres_server() as database_url, redis_server() as redis_url:
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORTAL_TEST_PROFILE": LARGE,
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
