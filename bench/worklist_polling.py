"""Fifty readers who have the worklist of 100,000 studies open, over HTTP, while studies are claimed and given back.

    python -m bench.worklist_polling [--studies 100000] [--readers 50] [--seconds 60] [--change-every 2] [--folder DIR]

A portal as an operator starts it, on two cores with everything else. Each reader's browser looks every 3 s, as the
page does, and draws what is new; every few seconds another reader takes the next study or gives it back, so that
every list has changed. The time is that of the whole answer at the browser's end of the line. Clients are threads of
this process and take their share of the same cores.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.worklist import fill, set_up
from tests.servers import LivePortal, start_portal

LOOK_EVERY_S = 3.0
SEEN = re.compile(r'name="seen" value="([^"]*)"')


@dataclass
class Reader:
    """One signed-in browser."""

    port: int
    session: str
    token: str
    seen: str = ""
    times: list[tuple[int, float]] = field(default_factory=list)
    """Status and seconds of each look."""
    line: http.client.HTTPConnection | None = None

    def post(self, path: str, values: dict[str, str]) -> tuple[int, str, str | None]:
        """Status, body and the list's mark of an answer."""
        self.line = self.line or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={self.token}",
            "X-CSRFToken": self.token,
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
        }
        self.line.request("POST", path, urlencode(values), headers)
        answer = self.line.getresponse()
        body = answer.read().decode()
        return answer.status, body, answer.getheader("X-Worklist-Seen")

    def look(self) -> None:
        begun = time.perf_counter()
        status, _, seen = self.post("/worklist/rows", {"seen": self.seen, "sort": "priority"})
        self.times.append((status, time.perf_counter() - begun))
        if status not in (200, 204):
            raise RuntimeError(f"a look was answered {status}")
        self.seen = seen or self.seen

    def keep_looking(self, until: float) -> None:
        time.sleep(random.random() * LOOK_EVERY_S)
        while (begun := time.monotonic()) < until:
            self.look()
            time.sleep(max(0.0, LOOK_EVERY_S - (time.monotonic() - begun)))


def make_readers(count: int, port: int) -> list[Reader]:
    """Accounts with a session each; signing in is not what is measured."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import Group
    from django.contrib.sessions.backends.db import SessionStore
    from django.middleware.csrf import _get_new_csrf_string  # a token that the portal would have made

    from archive.models import User

    User.objects.filter(username__startswith="poll").delete()
    radiologists = Group.objects.get(name="radiologist")
    readers = []
    for number in range(count):
        user = User.objects.create(username=f"poll{number}", password="!")
        user.groups.add(radiologists)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        readers.append(Reader(port, session.session_key or "", _get_new_csrf_string()))
    return readers


def change_things(reader: Reader, every_s: float, until: float, done: Counter[str]) -> None:
    """Take the next study, give it back, in turns: each makes every list another one."""
    held = ""
    while time.monotonic() < until:
        if held:
            reader.post(f"/studies/{held}/release", {})
            held = ""
        else:
            status, body, _ = reader.post("/worklist/next", {})
            found = re.search(r'"study": "([0-9.]+)"', body)
            held = found[1] if status == 200 and found else ""
        done["changes"] += 1
        time.sleep(every_s)


def measure(portal: LivePortal, readers: int, seconds: float, change_every_s: float) -> None:
    everybody = make_readers(readers + 1, portal.http_port)
    lookers, other = everybody[:-1], everybody[-1]
    for reader in lookers:
        reader.look()
        reader.times.clear()
    until = time.monotonic() + seconds
    done: Counter[str] = Counter()
    threads = [threading.Thread(target=reader.keep_looking, args=(until,)) for reader in lookers]
    if change_every_s:
        threads.append(threading.Thread(target=change_things, args=(other, change_every_s, until, done)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    looks = [one for reader in lookers for one in reader.times]
    times = sorted(taken * 1000 for _, taken in looks)
    fresh = [taken * 1000 for status, taken in looks if status == 200]
    hundredths = statistics.quantiles(times, n=100)
    print(
        f"{readers} readers, {len(looks)} looks in {seconds:g} s, {done['changes']} changes, {len(fresh)} lists drawn anew"
    )
    print(f"median {hundredths[49]:.1f} ms, p95 {hundredths[94]:.1f} ms, p99 {hundredths[98]:.1f} ms")
    if fresh:
        print(f"lists drawn anew: median {statistics.median(fresh):.1f} ms")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--change-every", type=float, nargs="*", default=[0, 10, 2])
    parser.add_argument("--folder", type=Path, default=None, help="keep the database here, and use it again")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as temporary:
        folder = options.folder or Path(temporary)
        set_up(folder / "portal")
        from archive.models import Study

        if not Study.objects.exists():
            fill(options.studies, options.studies)
        print(f"{Study.objects.count():,} studies, load {os.getloadavg()[0]:.1f} before")
        portal = start_portal(folder, PORTAL_SECRET_KEY=os.environ["PORTAL_SECRET_KEY"])
        try:
            for change_every_s in options.change_every:
                print(f"a change every {change_every_s:g} s" if change_every_s else "no change")
                measure(portal, options.readers, options.seconds, change_every_s)
        finally:
            portal.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
