"""Derived series are made in this process, as the worker makes them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def made_here(alone: None) -> None:
    """No worker is woken for any job of these tests."""
