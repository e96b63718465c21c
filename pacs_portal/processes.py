"""Processes that end together: a child dies with its parent, and nothing is left behind."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _prctl(option: int, value: int) -> None:
    if _libc is not None and _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def die_with_parent(parent: int | None = None, *, with_signal: signal.Signals = signal.SIGKILL) -> None:
    """Let the kernel end this process when its parent ends, however that comes about.

    ``parent`` is the process that must still be there; without it the parent that
    multiprocessing or billiard noted when they made this process, if they did.
    """
    _prctl(PR_SET_PDEATHSIG, with_signal)
    parent = parent or _noted_parent()
    # The parent may have ended before the line above, and then no signal ever comes.
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), with_signal)


def _noted_parent() -> int | None:
    made_by = multiprocessing.parent_process()
    if made_by is not None:
        return made_by.pid
    billiard = sys.modules.get("billiard.process")
    noted = getattr(billiard.current_process(), "_parent_pid", None) if billiard else None
    return noted if isinstance(noted, int) and noted != os.getpid() else None


def become_subreaper() -> None:
    """Become the parent of every descendant that loses its own, so that it can be ended."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def children_of(pid: int) -> list[int]:
    """Return the ids of a process's children, of all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text(encoding="ascii").split()]
        except OSError:
            continue  # The thread has ended since it was listed.
    return found


def descendants_of(pid: int) -> list[int]:
    """Return the ids of all processes below one, nearest first."""
    found: list[int] = []
    waiting = children_of(pid)
    while waiting:
        child = waiting.pop(0)
        found.append(child)
        waiting += children_of(child)
    return found


def is_running(pid: int) -> bool:
    """Say whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of the processes; those that have ended are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def end_tree(pid: int, *, patience_s: float = 10.0) -> None:
    """Ask a process to end, wait, and kill it and every descendant that is left."""
    family = [pid, *descendants_of(pid)]
    signal_all([pid], signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(is_running(member) for member in family):
        _reap(pid)
        time.sleep(0.05)
    signal_all([member for member in {*family, *descendants_of(pid)} if is_running(member)], signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # Not a child of ours: somebody else collects it.
