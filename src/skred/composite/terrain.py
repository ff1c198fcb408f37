"""Slope of the ground from its elevation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def slope_deg(elevation_m: NDArray[Any], resolution_m: float) -> NDArray[np.float32]:
    """Slope in degrees, 0..90, of an elevation model ``(H, W)`` in metres.

    Weighted differences of the eight neighbours (Horn 1981, Proceedings of the IEEE 69(1), p. 18). Beyond the border
    the ground is continued as it comes (odd reflection), so that a plane has its slope at the border too. NaN where
    the pixel or any neighbour is NaN.
    """
    if min(elevation_m.shape) < 2:
        raise ValueError(f"elevation of shape {elevation_m.shape}; a slope needs at least 2 × 2 pixels")
    z = np.asarray(elevation_m, np.float64)
    z = np.pad(z, 1, mode="reflect", reflect_type="odd")
    north, middle, south = z[:-2], z[1:-1], z[2:]
    eastward = (north[:, 2:] - north[:, :-2]) + 2.0 * (middle[:, 2:] - middle[:, :-2]) + (south[:, 2:] - south[:, :-2])
    down = (south - north)[:, :-2] + 2.0 * (south - north)[:, 1:-1] + (south - north)[:, 2:]
    gradient = np.hypot(eastward, down) / (8.0 * resolution_m)
    gradient[np.isnan(elevation_m)] = np.nan  # Horn's formula does not look at the pixel itself
    return np.degrees(np.arctan(gradient)).astype(np.float32)
