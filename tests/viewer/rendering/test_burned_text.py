"""Text burned into pictures, and names in scripts that the typeface lacks."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.rendering.burned_text import burn_text, can_draw, drawable_text, name_on_picture


@pytest.mark.parametrize("shape", [(64, 200), (64, 200, 3)])
def test_text_is_white_with_a_black_edge_and_the_picture_given_stays(shape: tuple[int, ...]) -> None:
    grey = np.full(shape, 128, np.uint8)
    written = burn_text(grey, ["DOE, Jane"])
    assert written.shape == shape and (grey == 128).all()
    assert written.max() > 240 and written.min() < 15
    assert (written[40:] == 128).all()


def test_nothing_to_say_changes_nothing() -> None:
    grey = np.zeros((8, 8), np.uint8)
    assert burn_text(grey, []) is grey


def test_a_second_line_stands_below_the_first() -> None:
    black = np.zeros((100, 200), np.uint8)
    one, two = burn_text(black, ["A"]), burn_text(black, ["A", "A"])
    assert np.flatnonzero(two.any(axis=1)).max() > np.flatnonzero(one.any(axis=1)).max()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DOE^Jane^^Dr", "DOE, Jane (Dr)"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
        ("Müller^Jörg", "Muller, Jorg"),
        ("Groß^Łukasz", "Gross, Lukasz"),
        ("Иванов^Иван", "??????, ????"),
        ("=山田^太郎", ""),
        ("", ""),
    ],
)
def test_a_name_is_written_as_far_as_the_typeface_goes(name: str, expected: str) -> None:
    assert name_on_picture(name) == expected
    assert can_draw(name_on_picture(name))


def test_control_characters_are_never_drawn() -> None:
    assert drawable_text("a\nb\x00c") == "a?b?c"
