"""Which images belong together, and in which order."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from viewer.stacks.facts import InstanceFacts
from viewer.stacks.splitting import plane_name, split_series

AXIAL = [1, 0, 0, 0, 1, 0]
CORONAL = [1, 0, 0, 0, 0, -1]
SAGITTAL = [0, 1, 0, 0, 0, -1]
_pk = count(1)
SERIES = "1.2.3"


def image(
    number: int, position: list[float] | None, orientation: list[float] | None = AXIAL, **shared: Any
) -> InstanceFacts:
    frames = shared.pop("frames", 1)
    rows = shared.pop("rows", 64)
    values = {
        "image_position_patient": position,
        "image_orientation_patient": orientation,
        "pixel_spacing": [1.0, 1.0],
        "image_type": ["ORIGINAL", "PRIMARY", "AXIAL"],
    } | shared
    return InstanceFacts(
        pk=next(_pk),
        sop_instance_uid=f"1.2.3.99.{number}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        instance_number=number,
        acquisition_number=1,
        rows=rows,
        columns=64,
        frames=frames,
        description=json.dumps({"shared": values}),
        undrawable_reason="",
        key="",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        frame_index=b"",
        damage="",
    )


def numbers(stack: Any) -> list[int]:
    return [frame.instance.instance_number for frame in stack.frames]


def test_a_stack_goes_by_position_in_the_direction_of_its_numbers() -> None:
    images = [image(1, [0, 0, 30]), image(3, [0, 0, 10]), image(2, [0, 0, 20]), image(4, [0, 0, 0])]
    (stack,) = split_series(SERIES, "CT", images)
    assert (stack.id, numbers(stack), stack.notes) == (SERIES, [1, 2, 3, 4], ())


def test_numbers_that_jump_do_not_matter_where_positions_are_known() -> None:
    images = [image(1, [0, 0, 0]), image(2, [0, 0, 20]), image(3, [0, 0, 10]), image(9, [0, 0, 30])]
    (stack,) = split_series(SERIES, "CT", images)
    assert numbers(stack) == [1, 3, 2, 9]


def test_without_positions_the_instance_number_decides() -> None:
    (stack,) = split_series(SERIES, "OT", [image(2, None, None), image(10, None, None), image(1, None, None)])
    assert numbers(stack) == [1, 2, 10]


def test_three_orientations_are_three_stacks_named_by_their_plane() -> None:
    images = [
        image(1, [0, 0, 0]),
        image(2, [0, 0, 0], SAGITTAL),
        image(3, [0, 0, 0], CORONAL),
        image(4, [0, 0, 5]),
    ]
    stacks = split_series(SERIES, "MR", images)
    assert [stack.id for stack in stacks] == [SERIES, f"{SERIES}.2", f"{SERIES}.3"]
    assert [stack.label for stack in stacks] == ["axial", "sagittal", "coronal"]
    assert [numbers(stack) for stack in stacks] == [[1, 4], [2], [3]]
    assert stacks[0].notes[0].startswith("This series was split into 3 stacks")


def test_a_suffix_that_is_another_series_is_left_out() -> None:
    images = [image(1, [0, 0, 0]), image(2, [0, 0, 0], SAGITTAL)]
    stacks = split_series(SERIES, "MR", images, taken={f"{SERIES}.2"})
    assert [stack.id for stack in stacks] == [SERIES, f"{SERIES}.3"]


def test_echoes_are_stacks_of_their_own() -> None:
    images = [image(1, [0, 0, 0], echo="1"), image(2, [0, 0, 0], echo="2"), image(3, [0, 0, 5], echo="1")]
    stacks = split_series(SERIES, "MR", images)
    assert [(stack.label, numbers(stack)) for stack in stacks] == [("axial, echo 1", [1, 3]), ("axial, echo 2", [2])]


def test_another_matrix_is_another_stack() -> None:
    assert len(split_series(SERIES, "CT", [image(1, [0, 0, 0]), image(2, [0, 0, 5], rows=128)])) == 2


def test_each_projection_image_and_each_multi_frame_is_a_stack() -> None:
    stacks = split_series(SERIES, "MG", [image(2, None, None), image(1, None, None)])
    assert [stack.id for stack in stacks] == ["1.2.3.99.1", "1.2.3.99.2"]
    (loop,) = split_series(SERIES, "US", [image(1, None, None, frames=30)])
    assert (loop.id, len(loop.frames)) == ("1.2.3.99.1", 30)


def test_duplicates_and_gaps_and_tilt_are_said_in_words() -> None:
    (doubled,) = split_series(SERIES, "CT", [image(1, [0, 0, 0]), image(2, [0, 0, 0]), image(3, [0, 0, 5])])
    assert doubled.notes == ("1 images lie at the position of another: reformats would mix them.",)
    (gap,) = split_series(SERIES, "CT", [image(1, [0, 0, 0]), image(2, [0, 0, 5]), image(3, [0, 0, 15])])
    assert gap.notes == ("Distances between images vary from 5.0 to 10.0 mm: reformats are not to scale.",)
    tilted = [image(number, [0, 5 * number, 5 * number]) for number in range(4)]
    (stack,) = split_series(SERIES, "CT", tilted)
    assert stack.notes == ("The stack is tilted by 45.0 degrees (gantry tilt): reformats would be sheared.",)


def test_planes_are_named_by_their_normal() -> None:
    assert [plane_name(one) for one in (AXIAL, CORONAL, SAGITTAL)] == ["axial", "coronal", "sagittal"]
    assert plane_name([1, 0, 0, 0, 0.9397, 0.342]) == "oblique axial"
    assert plane_name(None) == ""
