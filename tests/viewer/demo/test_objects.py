"""Making things on two cores keeps their order and does not run ahead without end."""

from __future__ import annotations

import threading
import time

import pytest

from viewer.demo.objects import AHEAD, in_order


def test_results_come_in_the_order_of_the_items() -> None:
    def make(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number

    assert list(in_order(make, range(40))) == list(range(40))


def test_no_more_are_made_than_are_soon_asked_for() -> None:
    started: list[int] = []
    lock = threading.Lock()

    def make(number: int) -> int:
        with lock:
            started.append(number)
        return number

    results = in_order(make, range(100))
    next(results)
    time.sleep(0.1)

    assert len(started) <= AHEAD + 1
    results.close()  # type: ignore[attr-defined]


def test_an_error_reaches_the_one_who_asks() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    results = in_order(make, range(5))

    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
