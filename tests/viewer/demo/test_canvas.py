"""Shapes of the phantoms: distances, soft edges, and noise that repeats."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.demo.canvas import Canvas, Node, Tissue, noise_plane, smoothstep, turned, union


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> Canvas:
    """A plane of 1 mm pixels about the origin, without the warp that would move what is drawn."""
    monkeypatch.setattr(Canvas, "WARP_MM", 0.0)
    axis = np.arange(-32.0, 32.0)
    return Canvas(axis, axis, 0.0, edge_mm=1.0)


def test_a_sphere_covers_its_area(canvas: Canvas) -> None:
    canvas.ellipsoid((0, 0, 0), (10, 10, 10), Tissue(0, 2.0))

    # What is painted is 1000 HU above air; the soft edge gives shares of pixels.
    assert float((canvas.hu + 1000).sum()) / 1000 == pytest.approx(np.pi * 100, rel=0.01)
    assert float(canvas.suv.sum()) / 2 == pytest.approx(np.pi * 100, rel=0.01)


def test_a_plane_beside_a_sphere_stays_empty(canvas: Canvas) -> None:
    canvas.ellipsoid((0, 0, 20), (10, 10, 10), Tissue(0, 1.0))

    assert (canvas.hu == -1000).all()


def test_a_turned_ellipsoid_lies_along_its_axis(canvas: Canvas) -> None:
    canvas.ellipsoid((0, 0, 0), (20, 5, 5), Tissue(0, 1.0), turn=turned((1, 1, 0)))

    assert canvas.hu[32 + 10, 32 + 10] == 0
    assert canvas.hu[32 - 10, 32 + 10] == -1000


def test_a_tube_through_the_plane_is_as_wide_as_its_radius(canvas: Canvas) -> None:
    canvas.tube((Node(0, 0, -20, 6), Node(0, 0, 20, 6)), Tissue(0, 1.0))

    assert float((canvas.hu[32] + 1000).sum()) / 1000 == pytest.approx(12, abs=0.5)


def test_union_of_far_shapes_is_the_nearer_one() -> None:
    joined = union([np.array([-5.0, 40.0]), np.array([40.0, -3.0])], 1.0)

    assert joined == pytest.approx([-5.0, -3.0], abs=1e-3)


def test_smoothstep_is_flat_outside_and_half_in_the_middle() -> None:
    assert smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0, 1).tolist() == [0, 0, 0.5, 1, 1]


def test_noise_repeats_itself_after_the_cube_and_joins_at_samples() -> None:
    places = np.array([0.25, 3.5])

    assert np.allclose(noise_plane(5, places, places, 0.5), noise_plane(5, places + 48, places - 48, 48.5))
