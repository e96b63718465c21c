"""Presentation states in manifests: what they are called, what they are about, and how a viewport shall lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from pydicom import Dataset

from archive.models import Instance
from tests.journeys.sending import store
from tests.phantoms import ct_image, multi_frame, ramp
from tests.presentation_states import (
    BLENDING,
    displayed_area,
    item,
    presentation_state,
    reference,
    softcopy_lut,
    softcopy_window,
)

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
STUDY, SERIES = "2.25.1001", "2.25.1002"


@pytest.fixture
def reader(cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.reader)


@pytest.fixture
def images() -> list[Dataset]:
    slices = [ct_image(ramp(start=900 + 100 * n), z=10.0 * n, number=n + 1) for n in range(3)]
    store(*slices)
    return slices


def states_of_stack(client: Client, stack: str = SERIES) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/stacks/{stack}/manifest.json").json()["presentation_states"]
    return found


def states_of_study(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/studies/{STUDY}/manifest.json").json()["presentation_states"]
    return found


def test_a_stack_without_states_has_none(reader: Client, images: list[Dataset]) -> None:
    assert states_of_stack(reader) == []
    assert states_of_study(reader) == []


def test_a_state_is_listed_with_its_name_its_frames_and_how_the_viewport_lies(
    reader: Client, images: list[Dataset]
) -> None:
    state = presentation_state(
        images[1],
        SoftcopyVOILUTSequence=[softcopy_window(50, 120)],
        ImageRotation=90,
        ImageHorizontalFlip="Y",
        DisplayedAreaSelectionSequence=[
            displayed_area(3, 5, 12, 16, PresentationSizeMode="MAGNIFY", PresentationPixelMagnificationRatio=2.0)
        ],
    )
    store(state)

    [listed] = states_of_stack(reader)

    assert listed["SOPInstanceUID"] == str(state.SOPInstanceUID)
    assert (listed["ContentLabel"], listed["ContentDescription"]) == ("LESION", "Window of the reader")
    assert (listed["ContentCreatorName"], listed["created"]) == ("READER^ONE", "20261124101500")
    assert (listed["kind"], listed["notes"], listed["frames"]) == ("grayscale", [], [None, 0, None])
    # Turned by 90 and then mirrored is mirrored and then turned by 270; the area from outer edge to outer edge.
    assert listed["views"] == [
        {
            "rotation": 270,
            "flipped": True,
            "area": {"left": 2, "top": 4, "right": 12, "bottom": 16},
            "mode": "MAGNIFY",
            "magnification": 2.0,
            "window": {"center": 50.0, "width": 120.0, "function": "linear"},
        }
    ]


def test_images_may_have_views_of_their_own(reader: Client, images: list[Dataset]) -> None:
    own = [
        displayed_area(1, 1, 8, 8, ReferencedImageSequence=[reference(images[0])]),
        displayed_area(1, 1, 16, 16, ReferencedImageSequence=[reference(images[1]), reference(images[2])]),
    ]
    store(presentation_state(*images, DisplayedAreaSelectionSequence=own))

    [listed] = states_of_stack(reader)

    assert listed["frames"] == [0, 1, 1]
    assert [view["area"]["right"] for view in listed["views"]] == [8, 16]


@pytest.mark.parametrize(
    ("attributes", "window"),
    [
        # Identity over the 12 bits that are stored; entries of a table that begins at 100.
        ({}, {"center": 2048.0, "width": 4096.0, "function": "linear"}),
        (
            {"SoftcopyVOILUTSequence": [softcopy_lut(list(range(200)), first=100, bits=8)]},
            {"center": 200.0, "width": 200.0, "function": "linear"},
        ),
    ],
)
def test_a_drag_begins_from_a_window_that_looks_like_the_state(
    reader: Client, images: list[Dataset], attributes: dict[str, Any], window: dict[str, Any]
) -> None:
    store(presentation_state(images[0], **attributes))

    [listed] = states_of_stack(reader)

    assert listed["views"][0]["window"] == window


def test_frames_of_a_multi_frame_image_are_told_apart(reader: Client) -> None:
    loop = multi_frame(4)
    store(loop, presentation_state(loop, frames=(2, 4)))

    [listed] = states_of_stack(reader, str(loop.SOPInstanceUID))

    assert listed["frames"] == [None, 0, None, 0]


def test_texts_and_what_is_left_out_are_told(reader: Client, images: list[Dataset]) -> None:
    text = item(
        UnformattedTextValue="Lesion A",
        AnchorPointAnnotationUnits="PIXEL",
        AnchorPoint=[3, 3],
        AnchorPointVisibility="Y",
    )
    odd = item(GraphicAnnotationUnits="PIXEL", GraphicDimensions=2, GraphicData=[1, 1, 2, 2], GraphicType="SPIRAL")
    annotation = item(GraphicLayer="ONE", TextObjectSequence=[text], GraphicObjectSequence=[odd])
    store(presentation_state(images[0], GraphicAnnotationSequence=[annotation]))

    [listed] = states_of_stack(reader)

    assert listed["texts"] == ["Lesion A"]
    assert listed["notes"] == ["1 annotation of this presentation state cannot be shown."]


def test_a_study_lists_its_states_latest_first_with_the_stacks_that_they_name(
    reader: Client, images: list[Dataset]
) -> None:
    loop = multi_frame(3, SeriesInstanceUID="2.25.1009")
    early = presentation_state(images[0], PresentationCreationDate="20260101", ContentLabel="EARLY")
    late = presentation_state(loop, ContentLabel="LATE")
    store(loop, early, late)

    listed = states_of_study(reader)

    assert [(one["ContentLabel"], one["stacks"], one["images"]) for one in listed] == [
        ("LATE", [str(loop.SOPInstanceUID)], 1),
        ("EARLY", [SERIES], 1),
    ]


def test_a_state_that_cannot_be_read_or_was_rejected_is_not_listed(reader: Client, images: list[Dataset]) -> None:
    incomplete = presentation_state(images[0], SOPClassUID=BLENDING)
    rejected = presentation_state(images[0])
    store(incomplete, rejected)
    Instance.objects.filter(sop_instance_uid=rejected.SOPInstanceUID).update(rejection=Instance.Rejection.QUALITY)

    assert states_of_stack(reader) == []
    assert states_of_study(reader) == []
