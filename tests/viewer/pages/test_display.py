"""The display test: a page for everybody with an account, its pattern as pure pixels."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from tests.conftest import Cast
from viewer.rendering.test_pattern import draw_pattern

pytestmark = pytest.mark.django_db
ClientOf = Callable[..., Client]


def test_everybody_with_an_account_sees_the_pattern(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.outsider)
    assert "display-pattern" in client.get("/display/").content.decode()
    picture = Image.open(io.BytesIO(client.get("/display/pattern.png").content))
    assert np.array_equal(np.asarray(picture), draw_pattern())
    assert picture.info == {}


def test_nobody_else_does(client_of: ClientOf) -> None:
    assert client_of(None).get("/display/").status_code == 302
