"""A band that a detector does not use has no importance; the one that it uses has all."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skred.detectors.base import Sliding
from skred.detectors.inputs import Inputs
from skred.detectors.model import Model
from skred.scores.blocks import block_raster, count_blocks, nearby
from skred.scores.bootstrap import Difference, Mean, Resamples, estimate
from skred.scores.importance import band_importance, shuffle_blocks
from skred.scores.params import ImportanceParams
from skred.scores.statistics import PIXEL_SCORES

PARAMS = ImportanceParams(block_px=8, nearby_blocks=2, repeats=3, replicates=199, seed=1)


class SecondBand:
    """Judges by the second channel alone."""

    def predict(self, x):
        return np.clip(x[..., 1], 0, 1).astype(np.float32)

    def save(self, folder):
        raise NotImplementedError  # the protocol wants it; what is tested here never saves


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(0, 99))
def test_shuffled_blocks_are_the_same_blocks_elsewhere(height, width, block_px, seed):
    values = np.arange(height * width, dtype=np.float32).reshape(height, width)
    out = shuffle_blocks(values, block_px, np.random.default_rng(seed))
    assert sorted(out.ravel()) == sorted(values.ravel())
    rows, cols = height // block_px * block_px, width // block_px * block_px
    np.testing.assert_array_equal(out[rows:], values[rows:])
    np.testing.assert_array_equal(out[:, cols:], values[:, cols:])

    def tiles(array):
        places = [(r, c) for r in range(0, rows, block_px) for c in range(0, cols, block_px)]
        return sorted(array[r : r + block_px, c : c + block_px].tobytes() for r, c in places)

    assert tiles(out) == tiles(values)


def test_only_the_band_that_is_used_matters(make_scenes, tmp_path):
    rng = np.random.default_rng(0)
    labels = (rng.random((64, 64)) < 0.2).astype(np.uint8)
    values = np.stack([rng.random(labels.shape), 0.1 + 0.8 * labels])
    scenes = make_scenes(tmp_path / "scenes", {"s": labels}, values={"s": values})
    inputs = Inputs(bands=scenes.index.bands, mean=(0.0, 0.0), std=(1.0, 1.0))
    model = Model(inputs, SecondBand(), Sliding(window_px=32, margin_px=0, batch=1))
    table = band_importance(model, scenes, 0.5, PARAMS).set_index("band")
    assert table.loc["none", "mcc"] == 1
    assert table.loc["dndvi", "mcc_drop"] == 0
    assert np.isnan(table.loc["dndvi", "mcc_drop_low"])  # not an interval of rounding errors
    assert table.loc["post_vv", "mcc_drop"] > 0.8
    assert 0.5 < table.loc["post_vv", "mcc_drop_low"] < table.loc["post_vv", "mcc_drop"]
    assert table.loc["post_vv", "mcc_drop"] < table.loc["post_vv", "mcc_drop_high"]
    again = band_importance(model, scenes, 0.5, PARAMS)
    assert again.equals(table.reset_index())


def test_the_interval_counts_places_and_orders(make_scenes, tmp_path):
    """With few large blocks it is luck where they land; shuffled by hand in the same orders."""
    rng = np.random.default_rng(4)
    labels = (ndimage.gaussian_filter(rng.normal(size=(64, 64)), 3) > 0.08).astype(np.uint8)
    sure = np.clip(0.2 + 0.5 * labels + rng.normal(0, 0.2, labels.shape), 0, 1).astype(np.float32)
    scenes = make_scenes(tmp_path / "scenes", {"s": labels}, values={"s": np.stack([rng.random(labels.shape), sure])})
    inputs = Inputs(bands=scenes.index.bands, mean=(0.0, 0.0), std=(1.0, 1.0))
    model = Model(inputs, SecondBand(), Sliding(window_px=32, margin_px=0, batch=1))
    table = band_importance(model, scenes, 0.5, PARAMS).set_index("band")
    band = table.loc["post_vv"]

    def counted(values):
        names = {"role": "all", "event": "toy", "scene": "s"}
        blocks = block_raster(labels, PARAMS.block_px)
        return count_blocks(values, labels, np.ones(labels.shape, bool), blocks, 8, **names).pixels(0.5)

    base = counted(sure)
    orders = [np.random.default_rng([PARAMS.seed, 1, repeat]) for repeat in range(PARAMS.repeats)]
    mixed = [counted(shuffle_blocks(sure, PARAMS.block_px, order)) for order in orders]
    mcc = PIXEL_SCORES["mcc"]
    each = [float(mcc.value(counts.sum(axis=0).astype(float))) for counts in mixed]
    drop = float(mcc.value(base.sum(axis=0).astype(float))) - np.mean(each)
    assert band["mcc_drop"] == pytest.approx(drop)
    assert band["mcc_drop_low"] < drop < band["mcc_drop_high"]
    statistic, resamples = Difference(mcc, Mean(mcc, 3), 4), Resamples.draw(len(base), PARAMS.replicates, PARAMS.seed)
    rows, cols = np.divmod(np.arange(64), 8)
    near = nearby(pd.DataFrame({"event": "toy", "scene": "s", "block_row": rows, "block_col": cols}), 2)
    places = estimate(np.hstack([base, *mixed]), statistic, resamples, "studentised", nearby=near)
    over_orders = np.std(each, ddof=1) / np.sqrt(3)
    assert over_orders > 0.2 * places.error
    reach = (band["mcc_drop_high"] - band["mcc_drop_low"]) / (places.high - places.low)
    assert reach >= 0.99 * np.hypot(places.error, over_orders) / places.error > 1.02
    unused = table.loc["dndvi"]
    assert unused["mcc_drop"] == 0
    assert np.isnan([unused["mcc_drop_low"], unused["mcc_drop_high"]]).all()


def test_unknown_pixels_stay_where_they_are_so_that_clouds_add_no_importance():
    rng = np.random.default_rng(3)
    values = rng.random((48, 48)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    out = shuffle_blocks(values, 8, np.random.default_rng(1))
    np.testing.assert_array_equal(np.isnan(out), np.isnan(values))
    assert np.mean(out[np.isfinite(out)] != values[np.isfinite(values)]) > 0.4  # and yet most of the known ones moved
