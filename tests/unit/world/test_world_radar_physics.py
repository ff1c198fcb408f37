"""Radar: layover and shadow on the right walls, speckle of the right kind, orbits of the right numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from skred.core.grid import Window
from skred.world.backscatter import build_backscatter
from skred.world.cover import FOREST, Cover
from skred.world.noise import normals, uniforms
from skred.world.radar import speckle
from skred.world.viewing import facing_angle
from skred.world.world import build_world


def test_a_slope_that_faces_the_radar_has_a_positive_angle_of_its_own_slope():
    # An ascending pass looks towards azimuth 73°, so ground that faces 253° faces the radar.
    angles = facing_angle(np.float32([40, 40, 40]), np.float32([253, 73, 163]), 73.0)
    assert angles == pytest.approx([40, -40, 0], abs=1e-3)


@pytest.mark.parametrize(("direction", "layover_faces"), [("ascending", "west"), ("descending", "east")])
def test_layover_only_on_walls_that_face_the_radar_and_shadow_only_behind(small_world, direction, layover_faces):
    aspect = small_world.ground.terrain.aspect_deg
    west = (aspect > 180) & (aspect < 360)
    facing = west if layover_faces == "west" else ~west
    tracks = [key for key in small_world._viewings if key[0] == direction]
    found = 0
    for key in tracks:
        seen = small_world._viewings[key]
        # The beam travels 17° off due east or west: near north and south a slope can face it slightly.
        clear = np.abs(np.sin(np.radians(aspect))) > np.sin(np.radians(20))
        assert facing[seen.layover & clear].all()
        assert not facing[seen.shadow & clear].any()
        found += int(seen.layover.sum())
        served = small_world.viewing(*key, small_world.grid.whole)
        assert served["localIncidenceAngle"].dtype == np.float32 and served["shadowMask"].dtype == np.uint8
        assert (served["shadowMask"] == (seen.layover | seen.shadow)).all()
    assert found > 0


def test_speckle_is_gamma_of_its_looks_and_correlated_over_two_pixels(world_params):
    window = Window(0, 0, 700, 700)
    first, second = speckle(world_params.radar, window, key=11)
    for field in (first, second):
        assert field.mean() == pytest.approx(1, abs=0.01)
        assert 1 / field.var() == pytest.approx(4.4, rel=0.03)
        db = 10 * np.log10(field)
        assert db.std() == pytest.approx(2.19, abs=0.06)
        assert db.mean() == pytest.approx(-0.51, abs=0.03)
        near = np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1]
        far = np.corrcoef(field[:, 3:].ravel(), field[:, :-3].ravel())[0, 1]
        assert 0.4 < near < 0.75
        assert abs(far) < 0.05
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


def test_noise_of_a_pixel_is_uniform_normal_and_its_own():
    window = Window(-5, -5, 600, 600)
    even = uniforms(window, 3)
    assert even.min() > 0 and even.max() < 1
    assert np.histogram(even, 10, (0, 1))[0] == pytest.approx(36_000, rel=0.03)
    first, second = normals(window, 3)
    assert first.std() == pytest.approx(1, abs=0.01) and first.mean() == pytest.approx(0, abs=0.01)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(first[1:].ravel(), first[:-1].ravel())[0, 1]) < 0.01
    other, _ = normals(window, 4)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.01


def test_orbits_follow_the_published_rule_and_repeat(small_world, make_event):
    found = small_world.acquisitions()
    assert list(found) == sorted(found, key=lambda item: (item.time, item.id))
    assert len({item.id for item in found}) == len(found)
    event = make_event()
    assert all(event.pre.first <= item.day <= event.post.last for item in found)
    assert all(item.time.tzinfo is dt.UTC for item in found)
    shift = {"S1A": 73, "S1B": 27}
    for item in found:
        if item.sensor == "S1":
            assert (item.absolute_orbit - shift[item.platform]) % 175 + 1 == item.relative_orbit
            assert f"_{item.absolute_orbit:06d}_" in item.id and item.cloud_cover_percent is None
        else:
            assert item.orbit_direction == "descending" and 0 <= item.cloud_cover_percent <= 100
            assert f"_R{item.relative_orbit:03d}_T32VLP_" in item.id
    radar = [item for item in found if item.sensor == "S1"]
    for item in radar:
        gaps = {(other.day - item.day).days for other in radar if other.relative_orbit == item.relative_orbit}
        assert all(gap % 6 == 0 for gap in gaps)
    assert 30 <= len(radar) <= 42 and 18 <= len(found) - len(radar) <= 26


def test_two_passes_of_one_track_share_the_ground_but_not_the_speckle(small_world):
    track = [i for i in small_world.acquisitions() if i.relative_orbit == 44 and i.footprint_share == 1][:2]
    first, second = (10 * np.log10(small_world.radar(item, small_world.grid.whole)["VV"]) for item in track)
    land = ~small_world.ground.terrain.water
    difference = (second - first)[land]
    assert 2.6 < difference.std() < 4.5  # speckle alone: 3.1 dB


VV, VH = 0, 1
GRASS = (Cover.MEADOW, Cover.BOG)


@pytest.fixture(scope="module")
def change_db(world_params, small_world):
    """Change of backscatter with the storm, VV and VH, where the whole small place is made bare, or lies under debris:
    what priors say of the mean, without their spread between landslides and without margins."""
    table, none = world_params.backscatter, np.zeros(small_world.grid.shape, np.float32)
    steady = {name: (getattr(table, name)[0], (0.0, 0.0)) for name in ("forest_to_bare", "grass_to_bare")}
    radar = world_params.radar.model_copy(update={"landslide_margin_db": 0.0})
    params = world_params.model_copy(update={"backscatter": table.model_copy(update=steady), "radar": radar})

    def change(**everywhere: float):
        slides = replace(small_world.ground.slides, **{"bare": none, "deposit": none})
        slides = replace(slides, **{name: none + np.float32(share) for name, share in everywhere.items()})
        calm = replace(small_world.ground.change, flood=none)
        found = build_backscatter(params, replace(small_world.ground, slides=slides, change=calm))
        return [after - before for before, after in zip(found.before_db, found.after_db, strict=True)]

    return change


def _inside(small_world, kinds):
    """Pixels of some classes, two away from any other, so that the radar's resolution mixes nothing in."""
    where = np.isin(small_world.ground.landcover.cover, list(kinds))
    inner = where.copy()
    for axis in (0, 1):
        for step in (-2, -1, 1, 2):
            inner &= np.roll(where, step, axis)
    assert inner.sum() > 30
    return inner


def test_bared_forest_loses_vh_and_more_of_it_than_of_vv(small_world, change_db):
    change, forest = change_db(bare=1.0), _inside(small_world, FOREST)
    assert change[VH][forest].max() < 0
    assert change[VH][forest].mean() < change[VV][forest].mean() < 0


def test_bared_grass_is_brighter_in_vv(small_world, change_db):
    assert change_db(bare=1.0)[VV][_inside(small_world, GRASS)].min() > 0


def test_debris_on_fields_is_brighter_and_elsewhere_changes_nothing(small_world, change_db):
    change = change_db(deposit=1.0)
    fields, forest = _inside(small_world, GRASS), _inside(small_world, FOREST)
    for p in (VV, VH):
        assert change[p][fields].min() > 0
        assert np.abs(change[p][forest]).max() < 0.1  # what fields beyond two pixels leave


def _rendered_db(world, params, day_after, name="VV"):
    one = next(
        item
        for item in world.acquisitions()
        if item.sensor == "S1" and item.footprint_share == 1 and (item.day > world.event.date) == day_after
    )
    power = replace(world, params=params).radar(one, world.grid.whole)[name]
    key = (one.orbit_direction, one.relative_orbit)
    return 10 * np.log10(power), world._viewings[key]


def test_ground_that_the_storm_soaked_is_brighter(small_world, world_params):
    radar, table = world_params.radar, world_params.backscatter
    dry = world_params.model_copy(update={"radar": radar.model_copy(update={"wet_ground_db": 0.0})})
    (soaked, seen), (before, _) = (_rendered_db(small_world, params, True) for params in (world_params, dry))
    cover, rain = small_world.ground.landcover.cover, small_world.ground.rain
    # Speckle and drift of a pass are the same in both, so what is left is water.
    touched = (np.array(table.drift)[cover] > 0) & (rain > 0.1) & ~seen.shadow
    touched &= small_world.ground.change.snow_day < 0
    assert touched.sum() > 1000
    assert (soaked - before)[touched].min() > 0


def test_layover_is_brighter_than_the_slopes_beside_it(world_params, make_event):
    radar = world_params.radar
    still = dict.fromkeys(("moisture_db", "local_db", "trend_db_per_30_days", "pass_offset_db"), 0.0)
    quiet = world_params.model_copy(update={"radar": radar.model_copy(update=still | {"looks": 1e6})})
    world = build_world(quiet, make_event(seed=11, landslides=0, height_m=2560, width_m=2560))
    db, seen = _rendered_db(world, quiet, False)
    steep = (world.ground.terrain.slope_deg > 25) & ~seen.shadow & (world.ground.change.snow_day < -60)
    compared = 0
    for kind in (Cover.CONIFER, Cover.BIRCH, Cover.HEATH, Cover.ROCK):
        inside = steep & (world.ground.landcover.cover == kind)
        if min((inside & seen.layover).sum(), (inside & ~seen.layover).sum()) > 30:
            assert db[inside & seen.layover].mean() > db[inside & ~seen.layover].mean() + 1
            compared += 1
    assert compared > 0
