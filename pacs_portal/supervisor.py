"""``manage.py run``: starts web, worker and beat, restarts what dies, and leaves nothing behind.

One supervisor a data folder, by a lock. Every process below it dies with its parent, whatever way that
goes: the kernel sees to it (``die_with_parent``). A process that loses its parent while the supervisor
lives becomes the supervisor's child (``become_subreaper``) and is ended, so that no half of a worker or of
a web server goes on beside its successor.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from pacs_portal.checks import DEMO_USERS
from pacs_portal.processes import become_subreaper, children_of, descendants_of, die_with_parent, signal_all
from pacs_portal.starting import CannotStart, prepare, take_lock

WEB_WORKERS = 2
WEB_THREADS = 16
"""Requests that one web process works on at once; an upload from a slow line holds one for long."""
WEB_ALLOCATOR = {
    # One heap for all threads of a web process: each request is on another thread, and would work in memory that
    # no cache of the processor knows. A tile's arrays come out of that heap and stay in it; larger ones are the
    # kernel's, and go back at once (docs/decisions/0005-one-heap-for-sixteen-threads.md).
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
"""Of the GNU C library; others do not read them."""
POOL = 2
WARM_SHUTDOWN_S = 30.0
"""Time in which open associations and running jobs may come to their end."""
SHORTEST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
TRIES = 5
"""Starts of work that ends by itself, such as the demo studies, before it waits for the next start of the portal."""
WELL_AFTER_S = 30.0
"""A process that has lived this long was well: its next restart comes at once again."""
LOOK_EVERY_S = 0.25
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


# --- The children -----------------------------------------------------------------------------------------------------


@dataclass
class Child:
    """A process that is kept running."""

    name: str
    command: list[str]
    is_needed: bool = True
    """False for work that ends by itself: it is tried again a few times when it fails."""
    niceness: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    """What the caller's own environment says counts more."""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = 0.0
    due_at: float = 0.0
    starts: int = 0

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches only the supervisor."""
        supervisor = os.getpid()

        def before_exec() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.nice(self.niceness)
            die_with_parent(supervisor)

        self.process = subprocess.Popen(
            self.command,
            cwd=settings.BASE_DIR,
            env=self.environment | os.environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=before_exec,  # This process has one thread.
        )
        self.started_at = time.monotonic()
        self.starts += 1

    def has_ended(self, status: int) -> None:
        """Note the end and when to start again."""
        assert self.process is not None  # noqa: S101 - only a started child ends
        self.process.returncode = os.waitstatus_to_exitcode(status)
        lived_s = time.monotonic() - self.started_at
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S) if lived_s < WELL_AFTER_S else 0.0
        self.pause_s = max(self.pause_s, SHORTEST_PAUSE_S)
        self.due_at = time.monotonic() + self.pause_s

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def is_done(self) -> bool:
        """Work that ends by itself has ended well, or has failed too often."""
        if self.is_needed or self.is_running or self.process is None:
            return False
        return self.process.returncode == 0 or self.starts >= TRIES


def children() -> list[Child]:
    """Return the processes of the portal, by the settings."""
    python = sys.executable
    # As root, in a container for one, Celery warns at every start against what pickle could do; JSON is all it gets.
    quiet = ["-W", "ignore:You're running the worker with superuser privileges"]
    celery = [python, *quiet, "-m", "celery", "--quiet", "-A", "pacs_portal"]
    level = ["--loglevel", "WARNING"]
    run = Path(settings.PORTAL_DATA) / "run"
    web = [
        *[python, "-m", "granian", "--interface", "wsgi", "pacs_portal.wsgi:application"],
        *["--host", settings.PORTAL_HTTP_HOST, "--port", str(settings.PORTAL_HTTP_PORT)],
        *["--http", "1", "--no-ws", "--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)],
        # Its warnings are one, that there are many threads: they wait for slow lines, not for the processor.
        *["--respawn-failed-workers", "--workers-kill-timeout", "10", "--log-level", "error"],
    ]
    worker = [
        *[*celery, "worker", "--dicom-port", str(settings.PORTAL_DICOM_PORT), *level],
        *["--pool", "prefork", "--concurrency", str(POOL)],
        # Nobody here reads the events, and those for dead workers would pile up.
        *["--without-gossip", "--without-mingle", "--without-heartbeat"],
    ]
    # The pid file of a killed beat would refuse the next; the lock of the data folder is what counts.
    beat = [*celery, "beat", *level, "--schedule", str(run / "beat"), "--pidfile="]
    web_server = Child("web", web, environment=WEB_ALLOCATOR)
    found = [web_server, Child("worker", worker), Child("beat", beat), *receivers()]
    if settings.IS_DEMO and settings.PORTAL_DEMO:
        command = [python, "manage.py", "make_demo", "--studies", "--verbosity", "0"]
        found.append(Child("demo studies", command, is_needed=False, niceness=10))
    return found


def receivers() -> list[Child]:
    """The receivers beside the worker's own, which share its port."""
    command = [sys.executable, "manage.py", "dicom_receiver", "--skip-checks", "--quiet"]
    return [Child(f"receiver {number}", command) for number in range(2, settings.PORTAL_RECEIVERS + 1)]


# --- Supervision ------------------------------------------------------------------------------------------------------


@dataclass
class Supervisor:
    """Keeps children running until a signal says that it is enough."""

    children: list[Child]
    has_greeted: bool = False
    next_look: float = field(default_factory=time.monotonic)

    def run(self) -> int:
        """Start everything, keep it running, end it at SIGTERM, SIGINT or SIGHUP; a second one kills."""
        become_subreaper()
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            for child in self.children:
                child.start()
            while not self._told_to_end(LOOK_EVERY_S):
                self._reap()
                self._restart()
                self._greet_when_up()
            self._end_all()
        finally:
            signal_all(descendants_of(os.getpid()), signal.SIGKILL)
        return 0

    def _told_to_end(self, wait_s: float) -> bool:
        received = signal.sigtimedwait(WATCHED, wait_s)
        return received is not None and received.si_signo != signal.SIGCHLD

    def _reap(self) -> None:
        """Collect what has ended, and end what has lost its parent."""
        while ended := _ended_child():
            pid, status = ended
            for child in self.children:
                if child.process is not None and child.process.pid == pid:
                    child.has_ended(status)
                    if not child.is_done:
                        say(f"{child.name} ended ({_how(status)}); it starts again in {child.pause_s:g} s.")
        known = {child.process.pid for child in self.children if child.process is not None}
        signal_all([pid for pid in children_of(os.getpid()) if pid not in known], signal.SIGKILL)

    def _restart(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if not child.is_running and not child.is_done and now >= child.due_at:
                child.start()

    def _greet_when_up(self) -> None:
        if not self.has_greeted and time.monotonic() >= self.next_look:
            self.has_greeted = is_up()
            self.next_look = time.monotonic() + LOOK_EVERY_S
            if self.has_greeted:
                say(greeting())

    def _end_all(self) -> None:
        """Ask all to end and wait; beat first, so that it queues nothing for a worker that is going."""
        say("Ending: web, worker and beat.")
        running = [child.process.pid for child in reversed(self.children) if child.process and child.is_running]
        signal_all(running, signal.SIGTERM)
        deadline = time.monotonic() + WARM_SHUTDOWN_S
        while any(child.is_running for child in self.children) and time.monotonic() < deadline:
            told_again = self._told_to_end(LOOK_EVERY_S)
            self._reap_quietly()
            if told_again:
                return

    def _reap_quietly(self) -> None:
        while ended := _ended_child():
            for child in self.children:
                if child.process is not None and child.process.pid == ended[0]:
                    child.has_ended(ended[1])


def _ended_child() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name


def is_up() -> bool:
    """Say whether the web server answers and the receiver listens."""
    return _web_answers() and _connects(_reachable(settings.PORTAL_DICOM_HOST), settings.PORTAL_DICOM_PORT)


def _web_answers() -> bool:
    connection = http.client.HTTPConnection(_reachable(settings.PORTAL_HTTP_HOST), settings.PORTAL_HTTP_PORT, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound


def greeting() -> str:
    """Return what whoever started the portal needs to know."""
    lines = [
        f"The portal is at {settings.PORTAL_PUBLIC_URL}/",
        f"DICOM: {settings.PORTAL_AE_TITLE} at {settings.PORTAL_DICOM_HOST}:{settings.PORTAL_DICOM_PORT}",
    ]
    if settings.IS_DEMO:
        lines.append(f"Users: {', '.join(DEMO_USERS)}; password: {demo_password()}")
        lines.append("Demonstration: not for clinical use.")
    return "\n".join([*lines, "Ctrl-C ends it."])


def demo_password() -> str:
    """Return the password of the demo users: the environment's, or the one kept in the data folder."""
    given = os.environ.get("PORTAL_DEMO_PASSWORD")
    return given or (Path(settings.PORTAL_DATA) / "keys" / "demo_password").read_text(encoding="ascii").strip()


def say(text: str) -> None:
    """Print for whoever sits at the terminal."""
    print(text, flush=True)  # noqa: T201


def main() -> int:
    """Run the portal; what is in the way is a sentence and exit 1."""
    try:
        take_lock(Path(settings.PORTAL_DATA) / "run")
        prepare()
    except CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return Supervisor(children()).run()
