import numpy as np
import pytest

from skred.composite.terrain import slope_deg


@pytest.mark.parametrize(("east", "south"), [(0.0, 0.0), (1.0, 0.0), (0.0, -0.5), (0.6, 0.8)])
def test_a_plane_has_its_slope_everywhere_the_border_included(east, south):
    rows, cols = np.indices((6, 8))
    plane = (1000 + 10 * (east * cols + south * rows)).astype(np.float32)
    np.testing.assert_allclose(slope_deg(plane, 10.0), np.degrees(np.arctan(np.hypot(east, south))), atol=0.01)


def test_horns_weights_count_the_near_neighbours_twice():
    z = np.zeros((3, 3))
    z[1, 2] = 8.0  # due east: weight 2 of 8
    assert slope_deg(z, 1.0)[1, 1] == pytest.approx(np.degrees(np.arctan(2.0)))
    z = np.zeros((3, 3))
    z[0, 2] = 8.0  # north-east: weight 1 of 8 in each direction
    assert slope_deg(z, 1.0)[1, 1] == pytest.approx(np.degrees(np.arctan(np.sqrt(2))))


def test_unknown_height_makes_the_pixel_and_its_neighbours_unknown():
    z = np.zeros((7, 7))
    z[3, 3] = np.nan
    unknown = np.isnan(slope_deg(z, 10.0))
    assert unknown[2:5, 2:5].all()
    assert unknown.sum() == 9
