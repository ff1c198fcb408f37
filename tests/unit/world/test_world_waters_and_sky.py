"""Lakes, fjord, river and its banks; what the scene classification doubts; how radar drifts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from skred.core.grid import Window
from skred.world.change import build_change
from skred.world.cover import Cover, build_cover
from skred.world.terrain import build_terrain
from skred.world.world import build_world

SHAPE = (400, 400)


@pytest.fixture(scope="module")
def coast(world_params):
    """The ground of a place whose valley floors lie near the level of the sea."""
    low = world_params.terrain.model_copy(update={"floor_m": 5.0})
    return build_terrain(low, 9, SHAPE, 10.0)


def test_a_fjord_lies_at_the_level_of_the_sea_and_nothing_below_it(coast):
    fjord = coast.water & (coast.height_m == 0)
    assert fjord.sum() > 500
    assert coast.height_m.min() == 0
    assert (coast.height_m[~coast.water] > 0).all()


def test_every_lake_has_one_level_and_no_slope(world_params):
    terrain = build_terrain(world_params.terrain, 3, SHAPE, 10.0)
    bodies, count = ndimage.label(terrain.water)
    assert count > 0
    for number in range(1, count + 1):
        levels = terrain.height_m[(bodies == number) & (terrain.river_m == 0)]
        assert np.ptp(levels) < 0.5
    inner = ndimage.binary_erosion(terrain.water, iterations=2)
    assert np.median(terrain.slope_deg[inner]) == 0


def test_a_river_runs_on_the_floor_and_loses_its_banks_only_beside_itself(world_params, make_event, coast):
    params = world_params.change.model_copy(update={"bank_erosion_share": 0.5, "flood_channel_share": 0.0})
    landcover = build_cover(world_params.cover, 9, coast)
    river = (landcover.cover == Cover.WATER) & ~coast.water
    assert river.sum() > 100
    assert coast.floor[river].all()
    rain = np.ones(SHAPE, np.float32)
    change = build_change(params, 9, make_event(), terrain=coast, landcover=landcover, rain=rain)
    near_stream = coast.upslope_km2 > 0.25
    banks = (change.flood > 0.3) & ~ndimage.binary_dilation(near_stream, iterations=6)
    assert banks.sum() > 20
    assert coast.river_m[banks].max() < 0.5 * world_params.cover.river_width_m + 8 * params.bank_erosion_m
    assert not (landcover.cover[change.flood > 0] == Cover.WATER).any()
    without = params.model_copy(update={"bank_erosion_share": 0.0})
    dry = build_change(without, 9, make_event(), terrain=coast, landcover=landcover, rain=rain)
    assert (dry.flood <= change.flood).all()


def test_the_classification_doubts_thin_cloud_and_bare_ground_and_sees_cirrus(world_params, make_event):
    optics = world_params.optics.model_copy(
        update={"cirrus_share": 1.0, "unclassified_share": 0.5, "saturated_share": 0.5, "bright_as_cloud_share": 0.3}
    )
    world = build_world(world_params.model_copy(update={"optics": optics}), make_event())
    found = np.zeros(12, int)
    for one in world.acquisitions():
        if one.sensor == "S2":
            look = world.optical(one, world.grid.whole)
            found += np.bincount(look["SCL"].ravel(), minlength=12)
            opacity, _ = world.cloud(one, world.grid.whole)
            saturated = look["SCL"] == 1
            assert look["B04"][saturated].mean() > 0.2 if saturated.any() else True
            dense = look["SCL"] == 9  # a block is what its upper left pixel is
            assert (opacity[dense] > 0.5).mean() > 0.95 if dense.any() else True
    assert (found[[1, 7, 8, 9, 10]] > 0).all()


def test_radar_drifts_in_small_patches_and_each_polarisation_on_its_own(small_world):
    """As a real series does; see docs/world.md."""
    track = [i for i in small_world.acquisitions() if i.relative_orbit == 44 and i.footprint_share == 1]
    before = [i for i in track if i.day < small_world.event.date][:4]
    passes = [small_world.radar(item, Window(0, 0, 159, 192)) for item in before]
    dry = np.where(small_world.ground.terrain.water[:159], np.nan, 1.0)
    change = {}
    for name in ("VV", "VH"):
        power = np.stack([(one[name] * dry).reshape(53, 3, 64, 3).mean(axis=(1, 3)) for one in passes])
        change[name] = 10 * np.log10(power[:2].mean(axis=0) / power[2:].mean(axis=0))
    known = np.isfinite(change["VV"]) & np.isfinite(change["VH"])
    assert abs(np.corrcoef(change["VV"][known], change["VH"][known])[0, 1]) < 0.3
    field = np.where(known, change["VV"] - change["VV"][known].mean(), 0)
    alike = (field[:, 5:] * field[:, :-5]).sum() / (field**2).sum()  # at 150 m
    assert abs(alike) < 0.15
