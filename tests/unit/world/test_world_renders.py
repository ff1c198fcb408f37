"""A window rendered alone is the same window of the whole; the same arguments give the same bytes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skred.core.errors import InputError, SkredError
from skred.core.grid import Window
from skred.world.world import build_world


def _of(world, sensor):
    return [item for item in world.acquisitions() if item.sensor == sensor]


def _render(world, acquisition, window):
    return world.optical(acquisition, window) if acquisition.sensor == "S2" else world.radar(acquisition, window)


@st.composite
def windows(draw, height=160, width=192):
    row, col = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return Window(row, col, draw(st.integers(1, height - row)), draw(st.integers(1, width - col)))


@pytest.mark.parametrize("sensor", ["S1", "S2"])
@pytest.mark.parametrize("which", [1, -1])
def test_a_window_rendered_alone_equals_the_crop_of_the_whole(small_world, sensor, which):
    acquisition = _of(small_world, sensor)[which]
    whole = _render(small_world, acquisition, small_world.grid.whole)

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(window=windows())
    def check(window):
        alone = _render(small_world, acquisition, window)
        assert alone.keys() == whole.keys()
        for name, array in alone.items():
            crop = whole[name][window.slices]
            assert array.dtype == crop.dtype
            assert array.tobytes() == crop.tobytes(), name

    check()


def test_two_worlds_of_the_same_arguments_are_the_same(small_world, world_params, make_event):
    again = build_world(world_params, make_event())
    assert again.acquisitions() == small_world.acquisitions()
    window = Window(40, 50, 30, 30)
    for acquisition in (_of(small_world, "S1")[3], _of(small_world, "S2")[3]):
        first, second = _render(small_world, acquisition, window), _render(again, acquisition, window)
        assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert again.dem(again.grid.whole).tobytes() == small_world.dem(small_world.grid.whole).tobytes()
    assert again.inventory().to_wkb().equals(small_world.inventory().to_wkb())


def test_another_seed_is_another_place(small_world, world_params, make_event):
    other = build_world(world_params, make_event(seed=6))
    assert not np.allclose(other.dem(other.grid.whole), small_world.dem(small_world.grid.whole))


def test_what_is_rendered_has_the_promised_names_types_and_ranges(small_world):
    window = Window(3, 5, 41, 67)
    for acquisition in _of(small_world, "S2"):
        look = small_world.optical(acquisition, window)
        assert list(look) == ["B02", "B03", "B04", "B08", "SCL", "dataMask"]
        assert all(look[band].dtype == np.float32 for band in ("B02", "B03", "B04", "B08"))
        assert look["SCL"].dtype == look["dataMask"].dtype == np.uint8
        assert all(look[name].shape == (41, 67) for name in look)
        assert set(np.unique(look["SCL"])) <= set(range(12))
        empty = look["dataMask"] == 0
        assert ((look["SCL"] == 0) == empty).all()
        assert (look["B04"][empty] == 0).all() and (look["B04"][~empty] > 0).all()
        assert look["B08"].max() < 1.5
    acquisition = _of(small_world, "S1")[0]
    radar = small_world.radar(acquisition, window)
    assert list(radar) == ["VV", "VH", "dataMask"]
    assert radar["VV"].dtype == radar["VH"].dtype == np.float32
    assert ((radar["VV"] > 0) == (radar["dataMask"] == 1)).all()


def test_the_scene_classification_comes_in_blocks_of_20_m(small_world):
    acquisition = _of(small_world, "S2")[0]
    classes = small_world.optical(acquisition, small_world.grid.whole)["SCL"].astype(int)
    inner = small_world.optical(acquisition, small_world.grid.whole)["dataMask"] == 1
    blocks = classes.reshape(80, 2, 96, 2).transpose(0, 2, 1, 3).reshape(80, 96, 4)
    whole = inner.reshape(80, 2, 96, 2).transpose(0, 2, 1, 3).reshape(80, 96, 4).all(axis=2)
    assert (blocks.max(axis=2) == blocks.min(axis=2))[whole].all()


def test_partial_passes_have_a_data_mask_of_their_share(small_world):
    partial = [item for item in small_world.acquisitions() if item.footprint_share < 1]
    assert partial
    for acquisition in partial[:6]:
        mask = _render(small_world, acquisition, small_world.grid.whole)["dataMask"]
        assert mask.mean() == pytest.approx(acquisition.footprint_share, abs=0.02)


def test_a_pass_of_another_world_or_sensor_and_a_window_outside_are_refused(small_world):
    radar, look = _of(small_world, "S1")[0], _of(small_world, "S2")[0]
    with pytest.raises(InputError, match="no S2 acquisition of this world"):
        small_world.optical(radar, Window(0, 0, 4, 4))
    with pytest.raises(InputError, match="no S1 acquisition of this world"):
        small_world.radar(dataclasses.replace(radar, id="other"), Window(0, 0, 4, 4))
    with pytest.raises(InputError, match="does not lie within 160 x 192"):
        small_world.optical(look, Window(150, 0, 20, 20))
    with pytest.raises(InputError, match="no radar track ascending 99"):
        small_world.viewing("ascending", 99, Window(0, 0, 4, 4))


def test_a_place_too_small_for_its_landslides_says_what_to_lower(world_params, make_event):
    with pytest.raises(SkredError, match=r"lower simulation\.landslides"):
        build_world(world_params, make_event(landslides=400, height_m=640, width_m=640))
