"""What the truth says that false alarms lie on."""

from __future__ import annotations

import numpy as np
import pytest

from skred.world.change import NEVER
from skred.world.confounders import Confounder, Seen, confounder_codes
from skred.world.world import build_world


@pytest.fixture(scope="module")
def calm(world_params, make_event):
    return build_world(world_params, make_event(seed=11, landslides=0, height_m=2560, width_m=2560))


def test_every_landslide_of_the_truth_is_marked_as_one_and_a_control_has_none(small_world, calm):
    codes = small_world.confounders()
    assert codes.dtype == np.uint8 and codes.shape == small_world.grid.shape
    assert (codes[small_world.truth() == 1] == Confounder.UNMAPPED_LANDSLIDE).all()
    assert not (calm.confounders() == Confounder.UNMAPPED_LANDSLIDE).any()


def test_a_code_stands_where_the_world_made_the_change(calm):
    codes, change = calm.confounders(), calm.ground.change
    assert (change.mown_day[codes == Confounder.MOWN] < NEVER).all()
    assert change.ploughed[codes == Confounder.PLOUGHED].all()
    assert (change.cut_day[codes == Confounder.FELLED] < NEVER).all()
    changed = change.ploughed | (change.mown_day < NEVER) | (change.cut_day < NEVER)
    assert changed.any() and (codes[changed] > 0).all()
    sediment = (change.flood > 0.25) & ~changed
    assert np.isin(codes[sediment], [Confounder.ERODED_BANK, Confounder.FLOOD_DEPOSIT]).all()


def test_of_two_confounders_a_pixel_has_the_first(small_world):
    everywhere = np.ones(small_world.grid.shape, bool)
    codes = confounder_codes(small_world.event, small_world.ground, Seen(everywhere, everywhere))
    assert set(np.unique(codes)) <= set(Confounder) and not (codes == Confounder.RADAR_SHADOW).any()
    nowhere = np.zeros(small_world.grid.shape, bool)
    without = confounder_codes(small_world.event, small_world.ground, Seen(nowhere, nowhere))
    np.testing.assert_array_equal(without[codes != Confounder.CLOUD_REMNANT], codes[codes != Confounder.CLOUD_REMNANT])
    assert not without[codes == Confounder.CLOUD_REMNANT].any()


def test_a_cloud_remnant_is_a_pixel_that_no_shown_look_saw_clearly(world_params, make_event):
    misses = {"missed_cloud_share": 1.0, "missed_shadow_share": 1.0, "cirrus_share": 0.0, "clear_share_after": 0.05}
    world = build_world(
        world_params.model_copy(update={"optics": world_params.optics.model_copy(update=misses)}),
        make_event(seed=11, landslides=0, height_m=1280, width_m=1280),
    )
    clear, after = np.zeros(world.grid.shape, bool), world.event.post
    for item in world.acquisitions():
        if item.sensor == "S2" and after.first <= item.day <= after.last:
            cloud, shadow = world.cloud(item, world.grid.whole)
            shown = np.isin(world.optical(item, world.grid.whole)["SCL"], [2, 4, 5, 6, 7, 11])
            clear |= shown & (cloud < 0.1) & (shadow < 0.3)
    remnant = world.confounders() == Confounder.CLOUD_REMNANT
    assert remnant.any()
    assert not (remnant & clear).any()
