"""Terrain, drainage, sun and cloud."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from skred.core.grid import Window
from skred.world.clouds import CloudField
from skred.world.drainage import drain
from skred.world.noise import correlated, generator
from skred.world.sun import Sun, horizon_deg, sun_position
from skred.world.terrain import slope_and_aspect


def test_slope_and_aspect_of_tilted_planes():
    rows, cols = np.mgrid[0:9, 0:9].astype(np.float32)
    slope, aspect = slope_and_aspect(-10 * cols, 10.0)  # falls to the east
    assert slope == pytest.approx(45) and aspect == pytest.approx(90)
    slope, aspect = slope_and_aspect(-10 * rows, 10.0)  # falls to the south
    assert slope == pytest.approx(45) and aspect == pytest.approx(180)


def test_all_water_leaves_the_area_even_out_of_pits():
    height = generator(4).random((30, 40)).astype(np.float32)
    found = drain(height, 20.0)
    here, ends = np.arange(height.size), found.receiver.ravel()
    for _ in range(height.size):
        here = ends[here]
    rows, cols = np.divmod(np.unique(here), 40)
    assert ((rows == 0) | (rows == 29) | (cols == 0) | (cols == 39)).all()
    outlets = np.flatnonzero(ends == np.arange(height.size))
    assert found.area_m2.ravel()[outlets].sum() == pytest.approx(height.size * 400)


def test_the_place_is_a_valley_with_steep_walls_and_the_elevation_product_is_near_it(small_world):
    terrain = small_world.ground.terrain
    assert 150 < np.ptp(terrain.height_m) < 1600
    assert (terrain.slope_deg > 25).mean() > 0.1
    error = small_world.dem(small_world.grid.whole) - terrain.height_m
    assert 0.5 < error.std() < 6
    neighbours = np.corrcoef(error[:, 5:].ravel(), error[:, :-5].ravel())[0, 1]
    assert neighbours > 0.3


@pytest.mark.parametrize(("day", "declination_deg"), [((6, 30), 23.2), ((7, 30), 18.5), ((8, 30), 9.1)])
def test_the_sun_culminates_as_high_as_the_almanac_says_in_the_south(day, declination_deg):
    times = [dt.datetime(2019, *day, 11, 0, tzinfo=dt.UTC) + dt.timedelta(minutes=i) for i in range(90)]
    highest = max((sun_position(time, 6.3, 61.5) for time in times), key=lambda sun: sun.elevation_deg)
    assert highest.elevation_deg == pytest.approx(90 - 61.5 + declination_deg, abs=0.25)
    assert highest.azimuth_deg == pytest.approx(180, abs=1)


def test_the_sun_stands_lower_at_the_looks_of_the_later_month():
    looks = [
        sun_position(dt.datetime(2019, *day, 10, 26, tzinfo=dt.UTC), 6.3, 61.5) for day in [(6, 30), (7, 30), (8, 30)]
    ]
    assert [look.elevation_deg for look in looks] == pytest.approx([49.8, 45.2, 35.8], abs=0.6)


def test_a_ridge_shades_the_ground_behind_it_only():
    height = np.zeros((200, 200), np.float32)
    height[100:102] = 300.0  # a wall from west to east; the sun stands in the south
    horizon = horizon_deg(height, 10, 10.0, 180.0)
    behind, before = horizon[70, 90], horizon[110, 90]  # margin 10: rows 80 and 120 of the wide array
    assert behind == pytest.approx(np.degrees(np.arctan(300 / 200)), abs=6)
    assert before < 5


def test_cloud_shadow_falls_away_from_the_sun():
    nodes = np.full((120, 120), -1.0, np.float32)
    nodes[60:64, 60:64] = 2.0
    field = CloudField(nodes, offset_px=320.0, height_m=1000.0, haze=0.0, edge=0.25)
    window = Window(0, 0, 320, 320)
    cloud, shadow = field.opacity(window), field.shadow(window, Sun(45.0, 180.0), 10.0)
    row = np.average(np.arange(320), weights=cloud.sum(axis=1))
    assert np.average(np.arange(320), weights=shadow.sum(axis=1)) == pytest.approx(row - 100, abs=1)  # north


def test_correlated_noise_has_its_scale():
    field = correlated(generator(1), (800, 800), pixel_m=10.0, scale_m=200.0)
    assert field.std() == pytest.approx(1, abs=0.1)
    at_half = np.mean(field[:, 10:] * field[:, :-10]) / field.var()
    assert at_half == pytest.approx(np.exp(-1), abs=0.08)
