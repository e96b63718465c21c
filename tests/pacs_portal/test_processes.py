"""A child ends with its parent, and a tree ends as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pacs_portal.processes import children_of, descendants_of, end_tree, is_running
from tests.servers import wait_until

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import os, subprocess, sys, time
from pacs_portal.processes import become_subreaper, die_with_parent
become = sys.argv[1]
me = os.getpid()
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"],
    preexec_fn=(lambda: die_with_parent(me)) if become == "mortal" else None,
    start_new_session=True,
)
print(child.pid, flush=True)
time.sleep(600)
"""


def start(kind: str) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, kind], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    return parent, child


def test_a_child_that_dies_with_its_parent_ends_when_the_parent_is_killed() -> None:
    parent, child = start("mortal")
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_running(child), patience_s=5, what="the child lives on")


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    code = "import os; from pacs_portal.processes import die_with_parent; die_with_parent(os.getppid() + 1)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=20)
    assert ended.returncode == -signal.SIGKILL


def test_descendants_are_found_and_ended_with_the_tree() -> None:
    parent, child = start("immortal")
    assert child in children_of(parent.pid)
    assert descendants_of(parent.pid) == [child]
    end_tree(parent.pid, patience_s=1)
    wait_until(lambda: not is_running(child), patience_s=5, what="the child lives on")
    assert not is_running(parent.pid)
    parent.wait()


def test_a_zombie_is_not_running() -> None:
    pid = os.spawnv(os.P_NOWAIT, "/bin/true", ["true"])
    wait_until(lambda: not is_running(pid), patience_s=5, what="it never ended")
    os.waitpid(pid, 0)
