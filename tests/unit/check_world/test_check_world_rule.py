"""The rule on dNDVI: what counts as an object, as false, as found; and that tuning never sees where it is measured."""

from __future__ import annotations

import numpy as np
import pytest

from skred.check_world.composites import Composited
from skred.check_world.rule import halves, judge, rule, run_rule


def _place(shape=(80, 80)):
    slide = np.zeros(shape, np.int32)
    slide[10:14, 10:15] = 1  # 20 pixels
    slide[50:52, 60:70] = 2  # 20 pixels
    return Composited({}, {}, (slide > 0).astype(np.uint8), slide)


def test_a_landslide_is_found_from_a_fifth_of_its_area_on():
    place, everywhere = _place(), np.ones((80, 80), bool)
    detected = np.zeros((80, 80), bool)
    detected[10, 10:14] = True  # 4 of 20 pixels
    detected[50, 60:63] = True  # 3 of 20
    found = judge(detected, place, everywhere)
    assert found.slides == {1: True, 2: False}
    assert found.found_share == 0.5
    assert (found.objects, found.false_objects) == (2, 0)
    assert (found.pixels.tp, found.pixels.fp, found.pixels.fn) == (7, 0, 33)


def test_objects_without_a_landslide_pixel_are_false_and_specks_do_not_count():
    place, everywhere = _place(), np.ones((80, 80), bool)
    detected = np.zeros((80, 80), bool)
    detected[30:33, 30] = True  # three pixels: an object
    detected[40, 40:42] = True  # two: a speck
    detected[13, 14] = detected[14, 15] = detected[15, 16] = True  # touches landslide 1 with a corner
    found = judge(detected, place, everywhere)
    assert (found.objects, found.false_objects) == (2, 1)
    assert found.pixels.fp == 3 + 2


def test_what_lies_outside_of_the_part_is_not_counted():
    place = _place()
    north = np.zeros((80, 80), bool)
    north[:40] = True
    found = judge(np.ones((80, 80), bool), place, north)
    assert found.slides == {1: True}
    assert found.pixels.tp + found.pixels.fp == north.sum()


def test_an_unknown_change_detects_nothing():
    change = np.float32([[-0.5, np.nan], [-0.5, 0.1]])
    slope = np.float32([[30, 30], [5, 30]])
    assert rule(change, slope, -0.2, 10.0).tolist() == [[True, False], [False, False]]


def test_each_half_is_measured_with_what_the_other_half_chose():
    place = _place()
    side = halves((80, 80))
    assert side.mean() == 0.5 and side[0, 0] == side[79, 79] != side[0, 79]
    north_west, south_east = place.slide == 1, place.slide == 2
    assert not side[north_west].any() and not side[south_east].any()
    slide = place.slide.copy()
    slide[10:14, 60:65] = 3  # the only landslide of the other half
    dndvi = np.zeros((80, 80), np.float32)
    dndvi[slide == 3] = -0.44  # deep, beside a shallow field: that half chooses a low threshold
    dndvi[20:30, 60:70] = -0.3
    dndvi[north_west | south_east] = -0.2  # shallow, nothing beside: this half chooses a high one
    slope = np.full((80, 80), 30, np.float32)
    whole = Composited({"dndvi": dndvi, "slope": slope}, {}, (slide > 0).astype(np.uint8), slide)
    result = run_rule(whole)
    (high, _), (low, _) = sorted(result.chosen, reverse=True)
    assert high >= -0.2 and -0.44 < low < -0.2 and low <= -0.3
    # The low threshold of the deep landslide misses both shallow ones; the high one finds the deep one and the field.
    assert result.found.slides == {1: False, 2: False, 3: True}
    assert (result.found.objects, result.found.false_objects) == (2, 1)
    assert (result.found.pixels.tp, result.found.pixels.fp, result.found.pixels.fn) == (20, 100, 40)


@pytest.mark.parametrize("count", [0, 2])
def test_the_balance_is_zero_when_nothing_is_detected_and_one_when_all_is_right(count):
    place, everywhere = _place(), np.ones((80, 80), bool)
    detected = (place.slide > 0) & (count > 0)
    assert judge(detected, place, everywhere).balance == pytest.approx(1.0 if count else 0.0)
