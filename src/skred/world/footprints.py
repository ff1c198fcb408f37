"""The footprint of one landslide: drawn at about 2.5 m around its path, averaged to pixels, outlined as a polygon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage, spatial
from shapely.geometry import shape as to_geometry

from skred.world.noise import Float
from skred.world.params import LandslideParams

STEP_M = 5.0  # between points of a path
FINE_M = 2.5  # side of the pixels in which a landslide is drawn


@dataclass(frozen=True)
class Path:
    """`points` (N, 2) are (row, column) in pixels, downhill; `slope_deg` (N,) the smoothed slope there."""

    points: NDArray[np.float64]
    slope_deg: NDArray[np.float64]
    width_m: float
    channelised: bool


@dataclass(frozen=True)
class Footprint:
    """One landslide on the pixels ``[rows, cols]`` of its area.

    `share` is the part of each pixel inside the landslide, `bare` the part whose plants are gone (rafts of
    vegetation stay), `deposit` the part covered with debris rather than scoured. `outline` is in (column, row)
    pixel coordinates. `slope_deg` is the slope where it started.
    """

    id: int
    rows: slice
    cols: slice
    share: Float
    bare: Float
    deposit: Float
    outline: shapely.Polygon
    area_m2: float
    length_m: float
    width_m: float
    channelised: bool
    slope_deg: float
    wetness: float
    backscatter_draw: tuple[float, float]


def draw(
    params: LandslideParams,
    rng: np.random.Generator,
    *,
    number: int,
    path: Path,
    pixel_m: float,
    shape: tuple[int, int],
) -> Footprint | None:
    """Draw a landslide along its path; None if it reaches the area's edge.

    Scar, track and deposit all belong to it. An open slide widens downhill, a channelised one keeps its width and
    spreads where it comes to rest.
    """
    fine = max(round(pixel_m / FINE_M), 1)
    half_px = 0.5 * path.width_m / pixel_m
    margin = int(np.ceil(2.2 * half_px)) + 2
    low = np.floor(path.points.min(axis=0)).astype(int) - margin
    high = np.ceil(path.points.max(axis=0)).astype(int) + margin
    if (low < 0).any() or high[0] > shape[0] or high[1] > shape[1]:
        return None
    height, width = (high - low) * fine
    rows = low[0] + (np.arange(height) + 0.5) / fine
    cols = low[1] + (np.arange(width) + 0.5) / fine
    places = np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1).reshape(-1, 2)
    away, nearest = spatial.cKDTree(path.points).query(places)
    along = (nearest / max(len(path.points) - 1, 1)).reshape(height, width)
    away = away.reshape(height, width)
    ragged = ndimage.gaussian_filter(rng.standard_normal((height, width)), 1.6 * 10 / FINE_M / 4)
    ragged /= max(float(ragged.std()), 1e-9)
    inside = away < half_px * _profile(along, path.channelised) * (1 + 0.16 * ragged)
    inside = ndimage.binary_opening(inside) if inside.sum() > 60 else inside
    inside |= away < 0.6 * STEP_M / pixel_m  # the narrowest must not break into pieces
    inside = ndimage.binary_fill_holes(_largest(inside))
    if not inside.any():
        return None
    keep = rng.uniform(*params.raft_share)
    rafts = ndimage.gaussian_filter(rng.standard_normal((height, width)), 1.2)
    core = along < 0.92  # the head of the deposit buries everything
    raft = inside & core & (rafts > np.quantile(rafts[inside], 1 - keep))
    resting = inside & ((path.slope_deg[nearest].reshape(height, width) < 14) | (along > 0.8))
    share = _average(inside, fine)
    return Footprint(
        id=number,
        rows=slice(int(low[0]), int(high[0])),
        cols=slice(int(low[1]), int(high[1])),
        share=share,
        bare=_average(inside & ~raft, fine),
        deposit=_average(resting & ~raft, fine),
        outline=_outline(inside, Affine(1 / fine, 0, float(low[1]), 0, 1 / fine, float(low[0]))),
        area_m2=float(share.sum()) * pixel_m**2,
        length_m=len(path.points) * STEP_M,
        width_m=path.width_m,
        channelised=path.channelised,
        slope_deg=float(path.slope_deg[:4].mean()),
        wetness=float(np.clip(rng.normal(params.wet_share, 0.3), 0, 1)),
        backscatter_draw=(float(rng.standard_normal()), float(rng.standard_normal())),
    )


def _profile(along: NDArray[np.float64], channelised: bool) -> NDArray[np.float64]:
    """Half width along the path relative to the mean one, from the crown (0) to the toe (1)."""
    if channelised:
        return np.interp(along, [0, 0.06, 0.2, 0.8, 0.92, 1], [0.75, 1.35, 0.9, 0.85, 1.5, 1.1])
    return np.interp(along, [0, 0.1, 0.5, 0.9, 1], [0.6, 0.85, 1.05, 1.2, 0.95])


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    return np.asarray(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))


def _average(mask: NDArray[np.bool_], fine: int) -> Float:
    height, width = mask.shape
    blocks = mask.reshape(height // fine, fine, width // fine, fine)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _outline(mask: NDArray[np.bool_], transform: Affine) -> shapely.Polygon:
    found = rasterio.features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=transform)
    polygon = max((to_geometry(geometry) for geometry, _ in found), key=lambda part: part.area)
    smooth = polygon.simplify(0.22)  # pixels: about the width of the pen of someone who maps on screen
    return smooth if isinstance(smooth, shapely.Polygon) and smooth.is_valid and smooth.area > 0 else polygon
