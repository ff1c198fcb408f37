import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skred.composite.optical import clear_mask, greenest, greenest_of_stack, grow, ndvi

DROPPED = {0, 1, 3, 8, 9, 10, 11}


def look(blue, green, red, nir):
    return np.array([blue, green, red, nir], np.uint16)[:, None, None]


CLEAR, HIDDEN = np.ones((1, 1), bool), np.zeros((1, 1), bool)


def test_the_colours_are_of_the_date_of_the_largest_ndvi():
    brown, green, hazy = look(900, 800, 700, 1400), look(300, 600, 350, 3500), look(4000, 4100, 4200, 4300)
    result = greenest([(brown, CLEAR), (green, CLEAR), (hazy, CLEAR)], (1, 1))
    np.testing.assert_allclose(result.colours.ravel(), [0.03, 0.06, 0.035, 0.35], rtol=1e-6)
    assert result.ndvi[0, 0] == pytest.approx((3500 - 350) / (3500 + 350))
    assert result.looks[0, 0] == 3


def test_of_equally_green_looks_the_earliest_gives_the_colours():
    result = greenest([(look(100, 0, 500, 1500), CLEAR), (look(200, 0, 500, 1500), CLEAR)], (1, 1))
    assert result.colours[0, 0, 0] == pytest.approx(0.01)


def test_a_hidden_look_counts_for_nothing_however_green():
    result = greenest([(look(1, 1, 1, 9000), HIDDEN), (look(300, 600, 1000, 2000), CLEAR)], (1, 1))
    assert result.ndvi[0, 0] == pytest.approx(1 / 3)
    assert result.looks[0, 0] == 1


def test_a_pixel_without_a_clear_look_is_unknown():
    for result in (greenest([(look(1, 1, 1, 9000), HIDDEN)], (1, 1)), greenest([], (1, 1))):
        assert np.isnan(result.ndvi).all()
        assert np.isnan(result.colours).all()
        assert result.looks[0, 0] == 0


def test_a_black_pixel_has_no_ndvi_and_is_not_clear():
    result = greenest([(look(0, 0, 0, 0), CLEAR)], (1, 1))
    assert np.isnan(result.ndvi[0, 0])
    assert result.looks[0, 0] == 0


def test_loss_of_vegetation_makes_dndvi_negative():
    before = greenest([(look(200, 400, 300, 3000), CLEAR)], (1, 1))
    after = greenest([(look(800, 1000, 1200, 1800), CLEAR)], (1, 1))
    assert (after.ndvi - before.ndvi)[0, 0] == pytest.approx(0.2 - 2700 / 3300)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), times=st.integers(1, 6), top=st.sampled_from([4, 12_000, 65_535]))
def test_streaming_equals_the_whole_stack(seed, times, top):
    rng = np.random.default_rng(seed)
    dn = rng.integers(0, top, (times, 4, 7, 9), dtype=np.uint16)  # a small `top` makes ties and black pixels
    clear = rng.random((times, 7, 9)) < 0.6
    one_by_one, at_once = greenest(zip(dn, clear, strict=True), (7, 9)), greenest_of_stack(dn, clear)
    np.testing.assert_array_equal(one_by_one.ndvi, at_once.ndvi)
    np.testing.assert_array_equal(one_by_one.colours, at_once.colours)
    np.testing.assert_array_equal(one_by_one.looks, at_once.looks)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), radius=st.floats(0, 12))
def test_a_mask_grows_by_the_euclidean_distance(seed, radius):
    mask = np.random.default_rng(seed).random((15, 20)) < 0.03
    distance = ndimage.distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf)
    np.testing.assert_array_equal(grow(mask, radius), distance <= radius)


def test_cloud_and_shadow_grow_but_no_data_and_snow_do_not():
    row = np.full((1, 9), 4, np.uint8)
    for code, hidden in ((9, 3), (3, 3), (8, 3), (10, 3), (0, 1), (1, 1), (11, 1), (2, 0), (7, 0), (5, 0)):
        scl = row.copy()
        scl[0, 4] = code
        assert (~clear_mask(scl, DROPPED, 1.0)).sum() == hidden, f"SCL {code}"


def test_ndvi_of_bright_uint16_codes_does_not_overflow():
    assert ndvi(np.array([60_000], np.uint16), np.array([20_000], np.uint16))[0] == pytest.approx(-0.5)
