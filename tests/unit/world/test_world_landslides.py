"""Landslides: their sizes, where they are, what the inventory and the truth say about them."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.features import rasterize

from skred.world.landslides import landslide_areas
from skred.world.noise import generator
from skred.world.world import build_world


def test_areas_follow_the_truncated_inverse_gamma_of_malamud(world_params):
    areas = landslide_areas(world_params.landslides, generator(1), 40_000)
    assert areas.min() >= 300 and areas.max() <= 60_000
    assert (np.diff(areas) <= 0).all()
    assert np.median(areas) == pytest.approx(1190, rel=0.05)  # values computed from the published parameters
    assert areas.mean() == pytest.approx(2540, rel=0.07)


def test_as_many_landslides_as_the_event_asks_for_and_none_overlap(small_world):
    found = small_world.ground.slides.footprints
    assert len(found) == 12
    assert [footprint.id for footprint in found] == list(range(1, 13))
    cover = np.zeros(small_world.grid.shape, int)
    for footprint in found:
        cover[footprint.rows, footprint.cols] += footprint.share > 0
    assert cover.max() == 1
    assert not (small_world.ground.terrain.water & (cover > 0)).any()


def test_landslides_run_downhill(small_world):
    height = small_world.ground.terrain.height_m
    for footprint in small_world.ground.slides.footprints:
        here = height[footprint.rows, footprint.cols][footprint.share > 0]
        assert footprint.slope_deg > 15
        assert here.max() - here.min() > 0.15 * footprint.length_m


def test_truth_keeps_each_landslides_area_even_of_narrow_ones(small_world):
    truth = small_world.truth()
    assert truth.dtype == np.uint8 and truth.shape == small_world.grid.shape
    for footprint in small_world.ground.slides.footprints:
        pixels = truth[footprint.rows, footprint.cols][footprint.share > 0].sum()
        assert pixels == max(1, round(footprint.area_m2 / 100))
    wide = small_world.ground.slides.share > 0.8
    assert truth[wide].mean() > 0.98
    assert truth[small_world.ground.slides.share == 0].sum() == 0


def test_the_inventory_lies_near_the_truth_and_misses_only_small_ones(small_world):
    table = small_world.inventory()
    assert list(table.columns) == ["id", "area_m2", "geometry"]
    assert table.crs == small_world.grid.crs
    assert table["id"].dtype.kind == "i" and table["id"].is_unique
    assert table.geometry.is_valid.all()
    by_id = {footprint.id: footprint for footprint in small_world.ground.slides.footprints}
    missing = set(by_id) - set(table["id"])
    assert all(by_id[number].area_m2 < 1000 for number in missing)
    for row in table.itertuples():
        assert row.area_m2 == pytest.approx(by_id[row.id].area_m2, rel=0.35)
    burnt = rasterize(table.geometry, out_shape=small_world.grid.shape, transform=small_world.grid.transform)
    truth = small_world.truth()
    assert (burnt & truth).sum() / (burnt | truth).sum() > 0.35


def test_a_control_has_an_empty_inventory_with_its_columns_and_crs(world_params, make_event):
    world = build_world(world_params, make_event(landslides=0, height_m=800, width_m=800))
    table = world.inventory()
    assert len(table) == 0
    assert list(table.columns) == ["id", "area_m2", "geometry"]
    assert table.crs == world.grid.crs
    assert world.truth().sum() == 0


def test_a_landslide_lowers_the_greenest_ndvi(small_world):
    best = {}
    whole = small_world.grid.whole
    for item in small_world.acquisitions():
        if item.sensor != "S2":
            continue
        look = small_world.optical(item, whole)
        clear = np.isin(look["SCL"], [2, 4, 5, 6, 7, 11]) & (look["dataMask"] == 1)
        ndvi = np.where(clear, (look["B08"] - look["B04"]) / (look["B08"] + look["B04"] + 1e-9), -np.inf)
        window = "pre" if item.day < small_world.event.date else "post"
        best[window] = np.maximum(best.get(window, -np.inf), ndvi)
    with np.errstate(invalid="ignore"):
        change = best["post"] - best["pre"]
    seen = np.isfinite(change)
    truth = small_world.truth() == 1
    plants = np.isin(small_world.ground.landcover.cover, [1, 2])
    assert -0.7 < np.median(change[truth & seen & plants]) < -0.2
    untouched = seen & plants & (small_world.ground.slides.share == 0)
    assert abs(np.median(change[untouched])) < 0.06
