"""The demo password: random, kept once, for the portal's own account only."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from viewer.demo.password import ALPHABET, kept_password, new_password


def test_password_is_made_once_with_mode_600(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "demo_password"

    first, second = kept_password(path), kept_password(path)

    assert first == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_starts_at_the_same_time_agree(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "demo_password"

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: kept_password(path), range(32)))

    assert len(found) == 1


def test_a_kept_password_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "demo_password"
    path.write_text("chosen-by-hand\n", encoding="ascii")

    assert kept_password(path) == "chosen-by-hand"


def test_passwords_are_long_and_differ() -> None:
    made = {new_password() for _ in range(100)}

    assert len(made) == 100
    assert all(len(one) == 19 and set(one) <= set(ALPHABET + "-") for one in made)
