"""Give the pool its queue back after a child was killed while it held the queue's lock.

With the filesystem broker Celery's prefork pool shares one queue among its children,
and the idle child that waits for the next task holds its lock. Killed there (by the
system's out-of-memory killer, say), it takes the lock with it: no task runs any more,
and warm shutdown waits for ever. (With Redis each child has a pipe of its own.)

The lock is given back when, for some seconds on end, it is taken and yet no living
child waits at the pipe: then its holder is dead.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps

if TYPE_CHECKING:
    from celery.worker import WorkController

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LOOKS = 3
"""So many looks on end must find the lock without a living holder."""


class PoolRepair(bootsteps.StartStopStep):
    """Looks after the pool's queue in a thread of its own."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: WorkController, **options: Any) -> None:
        super().__init__(worker, **options)
        self._end = threading.Event()

    def start(self, worker: WorkController) -> None:
        pool = getattr(worker.pool, "_pool", None)
        lock = getattr(getattr(pool, "_inqueue", None), "_rlock", None)
        if lock is not None and wait_channel("self"):
            threading.Thread(target=self._run, args=(pool, lock), name="pool-repair", daemon=True).start()

    def close(self, worker: WorkController) -> None:
        # Until the pool has ended the repair is needed most; the thread is a daemon.
        return

    def _run(self, pool: Any, lock: Any) -> None:
        found = 0
        while not self._end.wait(LOOK_EVERY_S):
            found = found + 1 if lock_is_orphaned(pool, lock) else 0
            if found >= LOOKS:
                logger.warning("a pool child died with the lock of the task queue; the lock is given back")
                lock.release()
                found = 0


def lock_is_orphaned(pool: Any, lock: Any) -> bool:
    """Say whether the lock is taken and no living child waits at the pipe."""
    if not lock._semlock._is_zero():
        return False
    waits = [wait_channel(str(process.pid)) for process in list(pool._pool) if process.is_alive()]
    return bool(waits) and all(waits) and all("futex" in one for one in waits)


def wait_channel(process: str) -> str:
    """Where in the kernel a process waits; empty where the system does not say, "0" where it runs."""
    try:
        return Path(f"/proc/{process}/wchan").read_text(encoding="ascii")
    except OSError:
        return ""


def install(app: Celery) -> None:
    """Give the application's workers the step."""
    app.steps["worker"].add(PoolRepair)
