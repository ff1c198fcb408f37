"""How alike pixels are at a distance: against a loop over pairs, and on fields whose range is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skred.patches.correlogram import correlogram, range_px


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.3))
def test_it_is_the_mean_over_all_pairs_of_known_pixels(seed, unknown):
    rng = np.random.default_rng(seed)
    x = ndimage.gaussian_filter(rng.normal(size=(17, 20)), 1)
    x[rng.random(x.shape) < unknown] = np.nan
    table = correlogram(x)
    rows, cols = np.nonzero(np.isfinite(x))
    away = np.hypot(rows[:, None] - rows, cols[:, None] - cols)
    z = x[rows, cols] - x[rows, cols].mean()
    ring = (away / (0.4 * 17) * 40).astype(int)
    wanted = [
        (away[m].mean(), (z[:, None] * z)[m].mean() / z.var(), m.sum())
        for i in range(40)
        if (m := (ring == i) & (away > 0) & (away < 0.4 * 17)).any()
    ]
    np.testing.assert_allclose(table.to_numpy(), np.array(wanted), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("sigma", [4, 8])
def test_the_range_of_a_blurred_field_is_that_of_its_blur(sigma):
    x = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(600, 600)), sigma, mode="wrap")
    wanted = 2 * sigma * np.sqrt(np.log(10))  # a Gaussian blur correlates by exp(-d² / 4σ²)
    assert range_px(correlogram(x)) == pytest.approx(wanted, rel=0.15)
    assert range_px(correlogram(x, every_px=3)) == pytest.approx(wanted, rel=0.2)


def test_noise_has_no_range_and_a_slope_no_end():
    noise = correlogram(np.random.default_rng(2).normal(size=(80, 80)))
    assert range_px(noise) <= 2
    assert range_px(correlogram(np.arange(6400.0).reshape(80, 80)), level=-1) is None


@pytest.mark.parametrize("values", [np.ones((40, 40)), np.full((40, 40), np.nan), np.eye(8)])
def test_where_there_is_nothing_to_compare_it_is_empty(values):
    assert correlogram(values).empty
