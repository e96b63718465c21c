"""``/tiles/...``: who may, which parameters, what a browser may keep, and the pixels themselves."""

from __future__ import annotations

import io
import math
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from archive.models import BreakGlass, Grant, Instance, StoredFile, Study
from archive.storage import layout
from archive.storage.integrity import verify
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import ct_image, ramp
from viewer.tiles import drawing, sessions

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.conftest import Cast

SERIES = "2.25.1002"
TILE = f"/tiles/{SERIES}/{{frame}}/0/0/0.png"


@pytest.fixture
def reader(study: Study, cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


def tile(client: Client, frame: int = 1, **query: Any) -> Any:
    return client.get(TILE.format(frame=frame), query)


def pixels(response: Any) -> np.ndarray:
    assert (response.status_code, response["Content-Type"]) == (200, "image/png"), response.content[:300]
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.mode == "L"
        return np.array(picture)


def linear(stored: np.ndarray, *, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1 on HU = stored - 1024, truncated."""
    found = np.empty(stored.shape, np.uint8)
    for index, value in np.ndenumerate(stored - 1024.0):
        if value <= center - 0.5 - (width - 1) / 2:
            found[index] = 0
        elif value > center - 0.5 + (width - 1) / 2:
            found[index] = 255
        else:
            found[index] = math.floor(((value - (center - 0.5)) / (width - 1) + 0.5) * 255)
    return found


# --- Pixels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [1, 2, 3, 4])
def test_a_tile_holds_the_window_of_the_header_applied_to_the_stored_values(reader: Client, frame: int) -> None:
    expected = linear(ramp(start=700 + 100 * frame), center=40, width=400)
    assert np.array_equal(pixels(tile(reader, frame)), expected)


def test_a_window_that_was_asked_for_is_applied_exactly(reader: Client) -> None:
    expected = linear(ramp(start=1000), center=-3.5, width=77)
    assert np.array_equal(pixels(tile(reader, 3, window="-3.5,77")), expected)
    assert np.array_equal(pixels(tile(reader, 3, window="-3.5,77,linear", invert="1")), 255 - expected)


def test_linear_exact_and_sigmoid_follow_their_formulas(reader: Client) -> None:
    hu = ramp(start=1000) - 1024.0
    exact = np.floor(np.clip((hu - 40) / 80 + 0.5, 0, 1) * 255).astype(np.uint8)
    assert np.array_equal(pixels(tile(reader, 3, window="40,80,linear-exact")), exact)
    sigmoid = np.floor(255 / (1 + np.exp(-4 * (hu - 40) / 80))).astype(np.uint8)
    assert np.array_equal(pixels(tile(reader, 3, window="40,80,sigmoid")), sigmoid)


def test_a_value_tile_holds_high_bytes_above_low_bytes(reader: Client) -> None:
    both = pixels(tile(reader, 2, values="1")).astype(int)
    assert both.shape == (32, 16)
    offset = reader.get(f"/stacks/{SERIES}/manifest.json").json()["values"]["offset"]
    assert np.array_equal(both[:16] * 256 + both[16:] - offset, ramp(start=900))


def test_a_tile_says_nothing_of_its_image_in_text(reader: Client) -> None:
    content = tile(reader).content
    for chunk in (b"tEXt", b"iTXt", b"zTXt", b"gAMA", b"iCCP", b"sRGB", b"cHRM", b"eXIf", b"PHANTOM"):
        assert chunk not in content


def test_head_answers_without_a_body_and_other_methods_not_at_all(reader: Client) -> None:
    assert reader.head(TILE.format(frame=1)).status_code == 200
    assert reader.post(TILE.format(frame=1)).status_code == 405


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_to_sign_in(study: Study, client_of: Callable[..., Client]) -> None:
    response = tile(client_of(None))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] and response["Cache-Control"] == "no-store"


def test_who_sees_the_study_sees_its_tiles_and_nobody_else(
    study: Study, cast: Cast, client_of: Callable[..., Client]
) -> None:
    seen = {user.username for user in cast.everybody() if tile(client_of(user)).status_code == 200}
    assert seen == {"reader", "reader2", "technologist"}


def test_absent_and_forbidden_look_the_same(study: Study, cast: Cast, client_of: Callable[..., Client]) -> None:
    outsider = client_of(cast.outsider)
    forbidden, absent = tile(outsider), outsider.get("/tiles/1.2.3.4/1/0/0/0.png")
    assert (forbidden.status_code, absent.status_code) == (404, 404)
    assert forbidden.content == absent.content


def test_a_grant_opens_the_tiles_for_the_referrer_alone(
    study: Study, cast: Cast, client_of: Callable[..., Client]
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    assert tile(client_of(cast.referrer)).status_code == 200
    assert tile(client_of(cast.referrer2)).status_code == 404


def test_a_technologist_of_another_modality_sees_none(
    study: Study, cast: Cast, client_of: Callable[..., Client]
) -> None:
    cast.technologist.modalities = ["MG"]
    cast.technologist.save()
    assert tile(client_of(cast.technologist)).status_code == 404


def test_a_tile_kept_for_one_is_not_given_to_another(
    reader: Client, cast: Cast, client_of: Callable[..., Client]
) -> None:
    assert tile(reader).status_code == 200
    assert tile(client_of(cast.outsider)).status_code == 404


def test_a_session_that_ended_or_an_account_that_was_closed_gets_none(reader: Client, cast: Cast) -> None:
    assert tile(reader).status_code == 200
    cast.reader.is_active = False
    cast.reader.save()
    sessions.forget()
    assert tile(reader).status_code in (401, 404)


def test_rights_are_checked_before_parameters(study: Study, cast: Cast, client_of: Callable[..., Client]) -> None:
    assert tile(client_of(cast.outsider), window="nonsense").status_code == 404


# --- Bad input --------------------------------------------------------------------------------------------------------

BAD = [
    ("window", "NaN,400"),
    ("window", "40,NaN"),
    ("window", "inf,400"),
    ("window", "40,-inf"),
    ("window", "40,0"),
    ("window", "40,-1"),
    ("window", "40,0.5"),
    ("window", "40,0,linear-exact"),
    ("window", "40,1e300"),
    ("window", "1e400,400"),
    ("window", "40,400,cubic"),
    ("window", "40"),
    ("window", "40,400,linear,1"),
    ("window", ""),
    ("window", "lut-0"),
    ("window", "lut-9"),
    ("window", "४०,४००"),
    ("invert", "yes"),
    ("invert", ""),
    ("map", "rainbow-of-nobody"),
    ("map", ""),
    ("values", "2"),
    ("overlays", "maybe"),
    ("rev", "x"),
    ("rev", "-1"),
    ("rev", "1.5"),
    ("rev", "99999999999999999999"),
    ("brightness", "1"),
    ("Window", "40,400"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_parameter_is_named(reader: Client, name: str, value: str) -> None:
    response = tile(reader, 1, **{name: value})
    assert response.status_code == 400, response.content[:300]
    assert response.json()["error"].startswith(f"{name}:")
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    [
        f"{SERIES}/0/0/0/0.png",
        f"{SERIES}/5/0/0/0.png",
        f"{SERIES}/9999999/0/0/0.png",
        f"{SERIES}/99999999/0/0/0.png",
        f"{SERIES}/1/1/0/0.png",
        f"{SERIES}/1/99/0/0.png",
        f"{SERIES}/1/0/1/0.png",
        f"{SERIES}/1/0/0/1.png",
        f"{SERIES}/-1/0/0/0.png",
        f"{SERIES}/1/0/0/0.jpg",
        f"{SERIES}/1/0/0",
        f"{SERIES}.2/1/0/0/0.png",
        "1.2.3/1/0/0/0.png",
        "../../etc/1/0/0/0.png",
        "",
    ],
)
def test_what_is_not_there_is_404(reader: Client, address: str) -> None:
    response = reader.get(f"/tiles/{address}")
    assert response.status_code == 404
    assert "error" in response.json() and response["Cache-Control"] == "no-store"


# --- What a browser may keep ------------------------------------------------------------------------------------------


def test_with_the_session_s_key_and_the_revision_a_tile_may_be_kept_privately(reader: Client, study: Study) -> None:
    key = reader.get(f"/stacks/{SERIES}/manifest.json").json()["key"]
    kept = tile(reader, 1, k=key, rev=study.revision)
    assert kept.status_code == 200
    assert set(kept["Cache-Control"].replace(" ", "").split(",")) == {"private", "max-age=21600", "immutable"}
    assert kept["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("case", ["nothing", "key alone", "revision alone", "wrong key", "another's key"])
def test_anything_less_is_not_stored(
    reader: Client, study: Study, cast: Cast, client_of: Callable[..., Client], case: str
) -> None:
    key = reader.get(f"/stacks/{SERIES}/manifest.json").json()["key"]
    other = client_of(cast.reader2).get(f"/stacks/{SERIES}/manifest.json").json()["key"]
    assert key != other
    query: dict[str, Any] = {
        "nothing": {},
        "key alone": {"k": key},
        "revision alone": {"rev": study.revision},
        "wrong key": {"k": "0" * len(key), "rev": study.revision},
        "another's key": {"k": other, "rev": study.revision},
    }[case]
    response = tile(reader, 1, **query)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")


def test_a_tile_that_the_browser_has_is_confirmed_without_being_drawn(
    reader: Client, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tile(reader, 1, window="10,20")
    forget_what_was_drawn()
    monkeypatch.setattr(drawing, "render_tile", None)
    again = reader.get(TILE.format(frame=1), {"window": "10,20"}, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_each_picture_has_a_tag_of_its_own(reader: Client) -> None:
    queries: list[dict[str, Any]] = [{}, {"window": "10,20"}, {"window": "10,21"}, {"invert": 1}, {"values": 1}]
    tags = {tile(reader, frame, **query)["ETag"] for frame in (1, 2) for query in queries}
    assert len(tags) == 10


def test_a_tag_opens_nothing_to_whom_the_study_is_closed(
    reader: Client, cast: Cast, client_of: Callable[..., Client]
) -> None:
    known = tile(reader, 1)["ETag"]
    answer = client_of(cast.referrer).get(TILE.format(frame=1), headers={"If-None-Match": known})
    assert (answer.status_code, "ETag" in answer) == (404, False)


def test_what_a_tile_took_is_told_and_whether_it_was_kept(reader: Client) -> None:
    forget_what_was_drawn()
    assert re.fullmatch(r"drawn;dur=\d+\.\d\d", tile(reader, 1, window="3,7")["Server-Timing"])
    assert re.fullmatch(r"kept;dur=\d+\.\d\d", tile(reader, 1, window="3,7")["Server-Timing"])


def test_staff_without_a_second_factor_gets_no_tile_in_production(
    study: Study, cast: Cast, client_of: Callable[..., Client], settings: Settings
) -> None:
    BreakGlass.objects.create(
        user=cast.admin, study=study, reason="A fall on the ward.", expires_at=timezone.now() + timedelta(hours=1)
    )
    client = client_of(cast.admin)
    assert tile(client, 1).status_code == 200
    settings.IS_DEMO = False
    sessions.forget()
    assert tile(client, 1).status_code == 401


# --- Revisions --------------------------------------------------------------------------------------------------------


def test_an_open_stack_stays_as_it_was_when_images_arrive(reader: Client, study: Study) -> None:
    before = [tile(reader, frame, rev=study.revision).content for frame in (1, 2, 3, 4)]
    store(ct_image(ramp(start=1500), z=-10.0, number=0), ct_image(ramp(start=1600), z=15.0, number=9))
    forget_what_was_drawn()
    assert [tile(reader, frame, rev=study.revision).content for frame in (1, 2, 3, 4)] == before
    now = Study.objects.get()
    assert now.revision == study.revision + 1
    assert len(reader.get(f"/stacks/{SERIES}/manifest.json").json()["frames"]) == 6
    assert tile(reader, 2, rev=now.revision).content == before[0]
    assert tile(reader, 5, rev=study.revision).status_code == 404


def test_a_stack_whose_images_were_hidden_since_is_gone(reader: Client, study: Study) -> None:
    opened = study.revision
    Instance.objects.filter(instance_number=2).update(rejection=Instance.Rejection.QUALITY)
    Study.objects.update(revision=opened + 1, rearranged_revision=opened + 1)
    gone = tile(reader, 1, rev=opened)
    assert gone.status_code == 410
    assert "open it again" in gone.json()["error"]
    assert tile(reader, 4, rev=opened + 1).status_code == 404
    expected = linear(ramp(start=1000), center=40, width=400)
    assert np.array_equal(pixels(tile(reader, 2, rev=opened + 1)), expected)


def test_a_revision_that_never_was_is_404(reader: Client, study: Study) -> None:
    assert tile(reader, 1, rev=study.revision + 1).status_code == 404
    assert tile(reader, 1, rev=0).status_code == 404


# --- Work and damage --------------------------------------------------------------------------------------------------


def test_fifty_at_once_draw_a_cold_tile_once(
    study: Study, cast: Cast, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(cast.reader)
    tile(client, 2)
    drawn = []
    draw = drawing.render_tile

    def slowly(*arguments: Any, **values: Any) -> Any:
        drawn.append(1)
        started.wait(10)
        return draw(*arguments, **values)

    monkeypatch.setattr(drawing, "render_tile", slowly)
    started = threading.Event()
    answers: list[bytes] = []
    cookies = client.cookies

    def ask() -> None:
        from django.db import connection

        own = Client()
        own.cookies = cookies
        answers.append(tile(own, 1, window="1,2").content)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    while not drawn:
        pass
    threading.Timer(0.5, started.set).start()
    for thread in threads:
        thread.join(30)
    assert (len(answers), len(set(answers)), len(drawn)) == (50, 1, 1)


def test_a_damaged_image_is_not_drawn_and_says_why(reader: Client) -> None:
    stored = StoredFile.objects.get(instance__instance_number=2)
    path = layout.path_of(stored.key)
    data = bytearray(path.read_bytes())
    data[-100] ^= 0x10
    path.write_bytes(data)
    assert verify(stored)
    forget_what_was_drawn()
    response = tile(reader, 2)
    assert response.status_code == 422
    assert response.json()["error"].startswith("The file's content is not what was stored.")
    assert tile(reader, 1).status_code == tile(reader, 3).status_code == 200
    frames = reader.get(f"/stacks/{SERIES}/manifest.json").json()["frames"]
    assert [bool(frame["reason"]) for frame in frames] == [False, True, False, False]


def test_a_missing_file_is_said_in_words(reader: Client) -> None:
    layout.path_of(StoredFile.objects.get(instance__instance_number=3).key).unlink()
    response = tile(reader, 3)
    assert response.status_code == 404
    assert "missing from the archive's disk" in response.json()["error"]
    assert "/" not in response.json()["error"]


def test_a_file_cut_short_is_never_drawn_as_if_whole(reader: Client) -> None:
    path = layout.path_of(StoredFile.objects.get(instance__instance_number=4).key)
    path.write_bytes(path.read_bytes()[:-100])
    response = tile(reader, 4)
    assert response.status_code in (404, 422)
    assert response.json()["error"]
