"""The null spread of radar: of noise whose spread is known, of a folder of files, of a simulated place."""

from __future__ import annotations

import numpy as np
import pytest

from skred.check_world.null_radar import DATES, REAL_DB, coarser, half_offset_db, real_spread, spread_db
from skred.core.errors import InputError
from skred.core.grid import Grid
from skred.core.raster import Raster, write_cog

DAYS = ("1004", "1016", "1028", "1109", "1121", "1203", "1215", "1227")


def test_the_spread_of_speckle_alone_is_that_of_its_looks():
    rng = np.random.default_rng(1)
    power = rng.gamma(4.4, 1 / 4.4, (8, 300, 300)).astype(np.float32)
    found = spread_db(power, "VV")
    # Means of four have 17.6 looks: 10 / ln 10 * sqrt(2 * trigamma(17.6)) = 1.49 dB.
    assert found["VV half"] == pytest.approx(1.49, abs=0.03)
    assert found["VV alternating"] == pytest.approx(1.49, abs=0.03)


def test_a_steady_trend_widens_halves_more_than_alternating_dates():
    rng = np.random.default_rng(2)
    trend = rng.normal(0, 1, (60, 60))
    power = np.stack([10 ** (0.1 * i * trend / 10) for i in range(8)])
    found = spread_db(power, "VH")
    assert found["VH half"] == pytest.approx(4 * found["VH alternating"], rel=0.05)


def test_the_offset_is_how_much_brighter_the_first_half_was():
    power = np.ones((8, 5, 5))
    power[:4] *= 10**0.05
    power[2, 1, 1] = np.nan
    assert half_offset_db(power) == pytest.approx(0.5)


def test_unknown_pixels_are_left_out_and_spoil_only_their_own_block():
    power = np.ones((6, 9), np.float32)
    power[0, 0] = np.nan
    blocks = coarser(power, 3)
    assert blocks.shape == (2, 3)
    assert np.isnan(blocks[0, 0]) and np.isfinite(blocks).sum() == 5
    power[0] = np.nan
    assert np.isfinite(list(spread_db(np.stack([power] * 8), "VV").values())).all()


def _series(folder, days):
    burst = folder / "T137-000001-IW2"
    burst.mkdir()
    rng = np.random.default_rng(3)
    grid = Grid("EPSG:32611", 0.0, 0.0, 30.0, 20, 20)
    for day in days:
        for name in ("VV", "VH"):
            file = burst / f"OPERA_L2_RTC-S1_T137-000001-IW2_2023{day}T015909Z_20240123T005348Z_S1A_30_v1.0_{name}.tif"
            power = rng.gamma(4.4, 1 / 4.4, (1, 20, 20)).astype(np.float32)
            write_cog(file, Raster(power, grid, (name,), (), float("nan"), {}))


def test_a_real_series_is_read_by_its_file_names(tmp_path):
    _series(tmp_path, DAYS)
    found = real_spread(tmp_path)
    assert list(found) == ["T137-000001-IW2"]
    assert set(found["T137-000001-IW2"]) == set(REAL_DB)
    assert all(1.2 < value < 1.8 for value in found["T137-000001-IW2"].values())


def test_a_series_with_too_few_dates_is_refused(tmp_path):
    _series(tmp_path, DAYS[: DATES - 1])
    with pytest.raises(InputError, match="no burst with 8 dates"):
        real_spread(tmp_path)
