"""What a visitor gets: pictures with their name in them, and nothing that leads to anything else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from archive.models import Instance, Series, Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_image, ramp
from tests.viewer.sharing.conftest import NAMES
from viewer.models import SeriesMask, ShareLink
from viewer.rendering.parameters import RenderParameters
from viewer.stacks.lookup import stack_at
from viewer.tiles.drawing import TileAddress, draw_tile, plan_tile

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True)]
Make = Callable[..., str]
Visit = Callable[..., "tuple[Client, str]"]
ClientOf = Callable[..., "Client"]


def everything(client: Client, root: str) -> str:
    """All the text that a visitor is sent."""
    study = client.get(f"{root}/manifest.json").json()
    pages = [client.get(f"{root}/"), client.get(f"{root}/manifest.json")]
    pages += [client.get(entry["manifest"]) for entry in study["stacks"]]
    return "\n".join(page.content.decode() for page in pages)


def pixels(answer: object) -> np.ndarray:
    assert answer.status_code == 200, answer.content  # type: ignore[attr-defined]
    return np.asarray(Image.open(io.BytesIO(answer.content)))  # type: ignore[attr-defined]


def test_no_uid_of_the_archive_reaches_a_visitor(make: Make, visit: Visit) -> None:
    text = everything(*visit(make()))
    uids = [*Study.objects.values_list("study_instance_uid", flat=True)]
    uids += [*Series.objects.values_list("series_instance_uid", flat=True)]
    uids += [*Instance.objects.values_list("sop_instance_uid", flat=True)]
    assert len(uids) == 5 and [uid for uid in uids if uid in text] == []
    assert "Secret" in text  # this link hides no names


def test_a_visitor_reaches_nothing_but_the_pictures(make: Make, visit: Visit, study: Study) -> None:
    client, root = visit(make())
    instance, series = Instance.objects.first(), Series.objects.get()
    assert instance is not None
    uid = study.study_instance_uid
    doors = [f"/studies/{uid}/", f"/studies/{uid}/viewer/", f"/studies/{uid}/manifest.json"]
    doors += [f"/stacks/{series.series_instance_uid}/manifest.json", f"/tiles/{series.series_instance_uid}/1/0/0/0.png"]
    doors += [f"/api/instances/{instance.sop_instance_uid}/{word}" for word in ("tags", "file")]
    doors += [f"/dicom-web/studies/{uid}", f"/dicom-web/studies?StudyInstanceUID={uid}", "/wado", "/"]
    assert {client.get(door).status_code for door in doors} <= {302, 401}
    stack = client.get(f"{root}/manifest.json").json()["stacks"][0]["stack"]
    refused = [client.get(f"{root}/tiles/{stack}/1/0/0/0.png?{query}").status_code for query in ("values=1", "pr=1.2")]
    assert refused == [404, 404]
    assert client.get(f"{root}/tiles/{series.series_instance_uid}/1/0/0/0.png").status_code == 404
    assert client.get(f"{root}/stacks/{stack}/manifest.json").json()["values"] is None
    assert client.get(f"{root}/report/").status_code == 404


def test_the_name_stands_in_each_tile_and_nothing_else_differs(make: Make, visit: Visit) -> None:
    client, root = visit(make())
    stack = client.get(f"{root}/manifest.json").json()["stacks"][0]["stack"]
    answer = client.get(f"{root}/tiles/{stack}/1/0/0/0.png")
    assert answer["Cache-Control"] == "no-store"
    shown = pixels(answer).astype(int)
    own, split = stack_at(Series.objects.get().series_instance_uid)
    drawn = draw_tile(plan_tile(own, split, TileAddress(1, 0, 0, 0), RenderParameters()))
    plain = np.asarray(Image.open(io.BytesIO(drawn))).astype(int)
    # 80 grey levels lighter on dark, darker on light: redaction.MARK_CONTRAST.
    assert set(np.unique(np.abs(shown - plain))) == {0, 80}
    thumbnail = pixels(client.get(f"{root}/stacks/{stack}/thumbnail.png"))
    assert thumbnail.shape == shown.shape


def test_only_the_chosen_series_is_shown(make: Make, visit: Visit, study: Study) -> None:
    store(ct_image(ramp(start=1), SeriesInstanceUID="2.25.77", SOPInstanceUID="2.25.771", **NAMES))
    client, root = visit(make(what="series", series=["2.25.77"]))
    stacks = client.get(f"{root}/manifest.json").json()["stacks"]
    assert [entry["frames"] for entry in stacks] == [1]


def test_only_the_key_images_are_shown(make: Make, visit: Visit, study: Study, cast: Cast) -> None:
    from django.utils import timezone

    from viewer.models import Annotation

    second = Instance.objects.get(instance_number=2)
    now = timezone.now()
    Annotation.objects.create(
        study=study,
        stack="x",
        sop_instance_uid=second.sop_instance_uid,
        frame_number=1,
        kind="key_image",
        geometry={"points": []},
        author=cast.reader,
        created_at=now,
        changed_at=now,
    )
    client, root = visit(make(what="images"))
    entry = client.get(f"{root}/manifest.json").json()["stacks"][0]
    frames = client.get(entry["manifest"]).json()["frames"]
    assert [frame["InstanceNumber"] for frame in frames] == [2]
    assert client.get(f"{root}/tiles/{entry['stack']}/2/0/0/0.png").status_code == 404


def test_a_deidentified_view_names_nobody(make: Make, visit: Visit) -> None:
    # Identifiers are long and random, and hold any year sooner or later.
    text = re.sub(r"[0-9a-f]{16,}", "", everything(*visit(make(deidentified="1"))))
    told = [word for word in ("Secret", "Sally", "SEC-4711", "1972", "ACC-9", "2026-11-24", "20261124") if word in text]
    assert told == []
    assert "De-identified" in text


def test_images_that_may_carry_names_stay_away_until_they_are_masked(
    make: Make, visit: Visit, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    store(
        ct_image(
            np.full((64, 64), 2000),
            SeriesInstanceUID="2.25.78",
            SOPInstanceUID="2.25.781",
            BurnedInAnnotation="YES",
            **NAMES,
        )
    )
    path = make(deidentified="1", what="series", series=["2.25.78"])
    client, root = visit(path)
    assert client.get(f"{root}/manifest.json").json()["stacks"] == []
    form = {"series": "2.25.78", "rows": "64", "columns": "64", "rectangles": "[[8, 4, 10, 20]]"}
    kept = client_of(cast.reader).post(f"/studies/{study.study_instance_uid}/masks", form)
    assert kept.status_code == 302
    assert SeriesMask.objects.get().rectangles == [[8, 4, 10, 20]]
    (entry,) = client.get(f"{root}/manifest.json").json()["stacks"]
    # White window: everything that is not covered is light.
    shown = pixels(client.get(f"{root}/tiles/{entry['stack']}/1/0/0/0.png?window=-4000,10"))
    assert (shown[8:18, 4:24] <= 80).all()
    assert (np.delete(shown, range(8, 18), axis=0) >= 175).all()


@pytest.mark.parametrize("rectangles", ["", "{}", "[[1,2,3]]", '[["a",1,1,1]]', "[[1,1,1,1.5]]"])
def test_a_mask_that_is_none_is_refused(rectangles: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    store(
        ct_image(
            ramp(start=1), SeriesInstanceUID="2.25.78", SOPInstanceUID="2.25.781", BurnedInAnnotation="YES", **NAMES
        )
    )
    instance = Instance.objects.get(sop_instance_uid="2.25.781")
    form = {"series": "2.25.78", "rows": instance.rows, "columns": instance.columns, "rectangles": rectangles}
    assert client_of(cast.reader).post(f"/studies/{study.study_instance_uid}/masks", form).status_code == 400
    assert not SeriesMask.objects.exists() and not ShareLink.objects.exists()
