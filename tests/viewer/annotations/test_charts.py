"""Profiles and curves through the addresses that the viewer asks, and what calibrates and groups measurements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest

from archive.models import Study
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import SERIES_INSTANCE_UID, ct_image, multi_frame, ramp
from tests.viewer.annotations.test_saving import address, listed, put

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., "Client"]
BOX = {"kind": "rectangle", "geometry": {"points": [[0, 0], [4, 4]]}}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()


def asked(client: Client, stack: str, what: str, **body: Any) -> Any:
    return client.post(f"/api/stacks/{stack}/frames/1/{what}", body, content_type="application/json")


def test_a_profile_is_that_of_the_modality_values(portal_data: object, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(ramp(start=1000)))
    body = {"kind": "length", "geometry": {"points": [[0.5, 2.5], [10.5, 2.5]]}}
    found = asked(client_of(cast.reader), SERIES_INSTANCE_UID, "profile", **body)
    # Stored 1000 + 16 row + column, less 1024, in row 2.
    assert found.json()["values"] == [1000 - 1024 + 32 + column for column in range(11)]
    assert found["Cache-Control"] == "no-store"
    assert asked(client_of(cast.outsider), SERIES_INSTANCE_UID, "profile", **body).status_code == 404
    assert asked(client_of(cast.reader), SERIES_INSTANCE_UID, "profile", **BOX).status_code == 400


def test_a_cine_gives_a_curve_in_seconds(portal_data: object, cast: Cast, client_of: ClientOf) -> None:
    loop = multi_frame(4, rows=8, columns=8, FrameTime="250")
    values = np.stack([np.full((8, 8), 10 * number, np.uint8) for number in (1, 4, 9, 2)])
    loop.PixelData = values.tobytes()
    store(loop)
    found = asked(client_of(cast.reader), loop.SOPInstanceUID, "curve", **BOX).json()
    assert (found["times"], found["time_unit"]) == ([0.0, 0.25, 0.5, 0.75], "s")
    assert found["means"] == [10, 40, 90, 20]
    assert found["sds"] == [0, 0, 0, 0]


def test_a_series_of_phases_gives_a_curve_of_one_place(portal_data: object, cast: Cast, client_of: ClientOf) -> None:
    number = 0
    for phase in (2, 1, 3):
        for z in (0.0, 5.0):
            number += 1
            values = np.full((8, 8), 1024 + 100 * phase + int(z), np.int64)
            store(ct_image(values, z=z, number=number, TemporalPositionIdentifier=phase))
    found = asked(client_of(cast.reader), SERIES_INSTANCE_UID, "curve", **BOX).json()
    assert (found["times"], found["time_unit"]) == ([1, 2, 3], "phase")
    # The first frame of the stack lies at z = 0 or 5; the three phases of that place only.
    assert found["means"] in ([100, 200, 300], [105, 205, 305])


def test_a_place_that_was_seen_once_has_one_time(portal_data: object, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(ramp()), ct_image(ramp(), z=5.0, number=2))
    assert asked(client_of(cast.reader), SERIES_INSTANCE_UID, "curve", **BOX).json()["times"] == [1.0]


def test_a_calibration_and_a_group_are_kept(portal_data: object, cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(ramp()))
    study, client = Study.objects.get(), client_of(cast.reader)
    geometry = {"points": [[0, 0], [10, 0]], "known_mm": 20.0}
    kept = put(client, study, uuid4(), kind="calibration", geometry=geometry, group="target lesions")
    assert kept.status_code == 200
    (one,) = listed(client, study)
    assert (one["geometry"], one["group"]) == (geometry, "target lesions")
    for wrong in (
        {"points": [[0, 0], [10, 0]]},
        geometry | {"known_mm": 0},
        {"points": [[1, 1], [1, 1]], "known_mm": 5},
    ):
        assert put(client, study, uuid4(), kind="calibration", geometry=wrong).status_code == 400
    assert put(client, study, uuid4(), group="x" * 41).status_code == 400
    assert client.get(address(study)).json()["annotations"] == [one]
