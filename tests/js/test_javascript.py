"""The browser's arithmetic and state, run by Node without a browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
TEST_FILES = sorted(FOLDER.rglob("*.test.mjs"))


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_modules_do_what_their_tests_say(path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: apt-get install nodejs.")
    result = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
