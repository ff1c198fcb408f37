"""How far labels and bands stay alike: what the size of a spatial block is chosen by (Roberts et al. 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_LONGEST = 0.4  # of the shorter side: further apart too few pairs are left
_STEPS = 40


def correlogram(values: NDArray[Any], *, every_px: int = 1) -> pd.DataFrame:
    """Correlation of pixels against their distance, over all directions.

    Parameters
    ----------
    values
        Shape (H, W), NaN where unknown; only every `every_px`-th row and column is used.

    Returns
    -------
    DataFrame with the columns distance_px (mean of a ring), correlation (mean product of deviations over the variance)
    and pairs. Empty where the values are constant, unknown or fewer than 16 a side.
    """
    x = np.asarray(values, np.float64)[::every_px, ::every_px]
    known = np.isfinite(x)
    empty = pd.DataFrame(columns=["distance_px", "correlation", "pairs"], dtype=np.float64)
    if min(x.shape) < 16 or not known.any() or not np.var(x[known]) > 0:
        return empty
    deviations = np.where(known, x - x[known].mean(), 0.0)
    size = [2 * n for n in x.shape]  # twice the scene, so that nothing wraps around
    products, pairs = (
        np.fft.irfft2(np.abs(np.fft.rfft2(part, size)) ** 2, size) for part in (deviations, known.astype(np.float64))
    )
    rows, cols = (np.minimum(np.arange(n), n - np.arange(n)) for n in size)
    distance = np.hypot(rows[:, None], cols[None, :])
    longest = _LONGEST * min(x.shape)
    use = (distance > 0) & (distance < longest) & (pairs > 0.5)
    ring = (distance[use] / longest * _STEPS).astype(np.int64)
    number = np.bincount(ring, pairs[use], _STEPS)
    with np.errstate(invalid="ignore"):
        table = pd.DataFrame(
            {
                "distance_px": np.bincount(ring, (pairs * distance)[use], _STEPS) / number * every_px,
                "correlation": np.bincount(ring, products[use], _STEPS) / number / np.var(x[known]),
                "pairs": number,
            }
        )
    return table[number > 0.5].reset_index(drop=True)


def range_px(table: pd.DataFrame, level: float = 0.1) -> float | None:
    """The distance from which on pixels correlate by less than `level`, linear between rings; None where they correlate
    by more at every distance."""
    below = np.flatnonzero(table["correlation"].to_numpy() < level)
    if not len(below):
        return None
    i = int(below[0])
    if i == 0:
        return float(table["distance_px"][0])
    c, d = table["correlation"].to_numpy(), table["distance_px"].to_numpy()
    return float(d[i - 1] + (d[i] - d[i - 1]) * (c[i - 1] - level) / (c[i - 1] - c[i]))
