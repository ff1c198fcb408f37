"""What the truth says that false alarms lie on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skred.composite.optical import CLOUD_AND_SHADOW, clear_mask
from skred.composite.params import CompositeParams
from skred.core.params import read_section
from skred.world.change import NEVER
from skred.world.confounders import COMMITTED, ClearRule, Confounder, Seen, confounder_codes
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


@pytest.fixture(scope="module")
def overcast(world_params, make_event):
    """A place under a classification that misses half of all cloud and shadow; some snow still lies."""
    misses = {"missed_cloud_share": 0.5, "missed_shadow_share": 0.5, "cirrus_share": 0.0, "clear_share_after": 0.1}
    update = {
        "optics": world_params.optics.model_copy(update=misses),
        "change": world_params.change.model_copy(update={"snow_line_m": 300.0}),
    }
    return build_world(
        world_params.model_copy(update=update), make_event(seed=11, landslides=0, height_m=1280, width_m=1280)
    )


def _after(world):
    days = world.event.post
    return [one for one in world.acquisitions() if one.sensor == "S2" and days.first <= one.day <= days.last]


def _kept_and_clear(world, dropped, growth_px):
    """Looks that the composite keeps, by its own mask, and where one of them truly saw the ground."""
    looks, clear = np.zeros(world.grid.shape, int), np.zeros(world.grid.shape, bool)
    for one in _after(world):
        kept = clear_mask(world.optical(one, world.grid.whole)["SCL"], dropped, growth_px)
        cloud, shadow = world.cloud(one, world.grid.whole)
        looks += kept
        clear |= kept & (cloud <= world.params.optics.scl_cloud_opacity[1]) & (shadow <= world.params.optics.scl_shadow)
    return looks, clear


@pytest.mark.parametrize("drop_snow", [True, False])
@pytest.mark.parametrize("growth_m", [0.0, 20.0, 45.0])
def test_a_cloud_remnant_is_where_the_composite_keeps_looks_and_none_saw_the_ground(overcast, drop_snow, growth_m):
    dropped = ClearRule().dropped if drop_snow else ClearRule().dropped - {11}
    looks, clear = _kept_and_clear(overcast, dropped, growth_m / overcast.grid.resolution_m)
    wanted = (looks >= 2) & ~clear
    codes = overcast.confounders(ClearRule(dropped, growth_m=growth_m, min_clear=2))
    free = (codes == 0) | (codes >= Confounder.CLOUD_REMNANT)  # where no earlier code stands before it
    assert 20 < (wanted & free).sum() < free.sum() - 20
    np.testing.assert_array_equal(codes[free] == Confounder.CLOUD_REMNANT, wanted[free])


def test_a_pixel_that_the_composite_never_sees_is_no_remnant(overcast):
    rule = ClearRule(growth_m=400.0)
    codes = overcast.confounders(rule)
    unseen = _kept_and_clear(overcast, rule.dropped, 40.0)[0] == 0
    assert unseen.any() and not (codes[unseen] == Confounder.CLOUD_REMNANT).any()


@settings(deadline=None, max_examples=40)
@given(
    scl=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 11)),
    dropped=st.frozensets(st.integers(0, 11)),
    growth_m=st.floats(0, 50),
)
def test_a_look_is_kept_as_composites_keep_it(scl, dropped, growth_m):
    rule = ClearRule(dropped, growth_m=growth_m)
    np.testing.assert_array_equal(rule.kept(scl, 10.0), clear_mask(scl, dropped, growth_m / 10.0))


def test_the_truth_follows_the_committed_section_composite():
    file = Path(__file__).parents[3] / "params.yaml"
    section = read_section(file, "composite", CompositeParams).optical
    assert ClearRule(section.dropped, CLOUD_AND_SHADOW, section.mask_growth_m, section.min_clear) == COMMITTED
