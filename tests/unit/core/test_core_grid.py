"""Grids and windows: every pixel once, corners on whole steps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from skred.core.errors import InputError
from skred.core.grid import Grid, Window, starts, tiles, utm_crs, utm_grid

sides = st.integers(1, 70)


@given(height=sides, width=sides, tile_px=st.integers(1, 90))
def test_tiles_cover_every_pixel_exactly_once(height, width, tile_px):
    seen = np.zeros((height, width), int)
    for tile in tiles(height, width, tile_px):
        assert tile.height <= tile_px
        assert tile.width <= tile_px
        seen[tile.slices] += 1
    assert (seen == 1).all()


@given(length=sides, window=sides, stride=sides)
def test_starts_lie_inside_and_end_flush(length, window, stride):
    first = starts(length, window, stride)
    if length < window:
        assert first == []
        return
    assert first[0] == 0
    assert first[-1] == length - window
    steps = np.diff(first)
    assert (steps > 0).all()
    assert (steps <= stride).all()
    assert (steps[:-1] == stride).all()


@given(length=sides, window=sides)
def test_windows_no_further_apart_than_their_size_leave_no_gap(length, window):
    covered = {pixel for first in starts(length, window, window) for pixel in range(first, first + window)}
    assert covered == (set(range(length)) if length >= window else set())


places = st.tuples(st.floats(-180, 179.99), st.floats(-79, 83))


@given(place=places, width_m=st.floats(10, 50_000), height_m=st.floats(10, 50_000), step=st.sampled_from([10.0, 20.0]))
def test_a_utm_grid_is_snapped_and_holds_its_place(place, width_m, height_m, step):
    grid = utm_grid(place, width_m, height_m, step)
    assert grid.west % step == 0
    assert grid.north % step == 0
    assert (grid.width, grid.height) == (math.ceil(width_m / step), math.ceil(height_m / step))
    x, y = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True).transform(*place)
    west, south, east, north = grid.bounds
    assert abs((west + east) / 2 - x) <= step / 2 + 1e-6
    assert abs((south + north) / 2 - y) <= step / 2 + 1e-6


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (6.3, 61.5, 32632),
        (3.0, 60.0, 32632),  # south-western Norway belongs to zone 32
        (2.9, 60.0, 32631),
        (8.9, 78.0, 32631),  # Svalbard has odd zones only
        (9.0, 78.0, 32633),
        (21.0, 78.0, 32635),
        (33.0, 78.0, 32637),
        (3.0, 55.9, 32631),
        (-0.1, 51.5, 32630),
        (151.2, -33.9, 32756),
        (-180.0, 0.0, 32601),
        (180.0, 0.0, 32601),
    ],
)
def test_utm_zones_know_their_exceptions(lon, lat, code):
    assert utm_crs(lon, lat) == f"EPSG:{code}"


@given(row=st.integers(0, 40), col=st.integers(0, 40), height=st.integers(1, 20), width=st.integers(1, 20))
def test_a_cropped_grid_keeps_its_pixels_in_place(row, col, height, width):
    grid = Grid("EPSG:32632", 300_000.0, 6_800_000.0, 10.0, 60, 60)
    part = grid.crop(Window(row, col, height, width))
    assert part.shape == (height, width)
    assert part.transform @ (0, 0) == grid.transform @ (col, row)
    assert part.transform @ (width, height) == grid.transform @ (col + width, row + height)


def test_area_and_place_of_a_grid():
    grid = utm_grid((6.3, 61.5), 10_240, 5_120, 10)
    assert grid.area_km2 == pytest.approx(10.24 * 5.12)
    west, south, east, north = grid.bounds_lonlat()
    assert west < 6.3 < east
    assert south < 61.5 < north


def test_a_grid_without_crs_has_no_place_on_earth():
    with pytest.raises(InputError, match="no CRS"):
        Grid(None, 0, 0, 1, 4, 4).bounds_lonlat()
