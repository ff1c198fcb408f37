"""What covers the ground before the storm: one class per pixel, stands of forest, parcels of meadow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.world.noise import Float, correlated, fractal, generator
from skred.world.params import CoverParams
from skred.world.terrain import Terrain


class Cover(IntEnum):
    """Classes of ground cover; the rows of the tables in `spectra` and `backscatter`."""

    WATER = 0
    CONIFER = 1
    BIRCH = 2
    MEADOW = 3
    HEATH = 4
    BOG = 5
    TILL = 6
    ROCK = 7
    BUILT = 8


FOREST = (Cover.CONIFER, Cover.BIRCH)
PLANTS = (Cover.CONIFER, Cover.BIRCH, Cover.MEADOW, Cover.HEATH, Cover.BOG)


@dataclass(frozen=True)
class Patches:
    """A division of an area into patches: `number` (H, W) is the patch of each pixel, 0 to `count` - 1."""

    number: NDArray[np.int32]
    count: int


@dataclass(frozen=True)
class Landcover:
    """`cover` (H, W) holds `Cover` codes; `vigour` (H, W) is how much denser (+) or sparser (−) than its class's
    mean the plant cover is, in standard deviations."""

    cover: NDArray[np.uint8]
    stands: Patches
    parcels: Patches
    vigour: Float


def build_cover(params: CoverParams, seed: int, terrain: Terrain) -> Landcover:
    """Cover by elevation, slope, aspect and moisture; a function of its arguments alone."""
    rng = generator(seed, "cover")
    shape, pixel_m = terrain.height_m.shape, terrain.pixel_m
    patchy = fractal(rng, shape, pixel_m=pixel_m, longest_m=1200, exponent=1.3)
    fine = fractal(rng, shape, pixel_m=pixel_m, longest_m=200, exponent=1.1)
    stands = _stands(rng, shape, pixel_m, params.stand_m)
    parcels = _parcels(params, terrain)
    stand_draw = rng.standard_normal(stands.count).astype(np.float32)[stands.number]
    parcel_draw = rng.random(parcels.count).astype(np.float32)[parcels.number]

    # Trees climb higher on slopes that face the afternoon sun (azimuth 200°).
    warm = np.cos(np.radians(terrain.aspect_deg - 200)) * np.minimum(terrain.slope_deg / 30, 1)
    level = terrain.height_m - 45 * warm - 70 * patchy - 25 * fine
    slope = terrain.slope_deg
    wet = np.log10(np.maximum(terrain.upslope_km2, 1e-4)) + 0.5 * patchy

    cover = np.full(shape, int(Cover.TILL), np.uint8)
    cover[level < params.heath_limit_m] = Cover.HEATH
    cover[level < params.birch_limit_m] = Cover.BIRCH
    planted = (level + 60 * stand_draw < params.conifer_limit_m) & (slope + 2 * fine < 36) & (stand_draw > -0.9)
    cover[planted] = Cover.CONIFER
    # Avalanche tracks and screes keep the steepest gullies free of trees.
    open_slope = (slope + 3 * fine + 2 * patchy > 37) & (fine + 0.6 * patchy > 0.9)
    cover[open_slope & (level < params.birch_limit_m)] = Cover.HEATH
    cover[(slope < 9) & (wet + 0.4 * fine > -2.1) & (terrain.height_m > 150) & (level < params.heath_limit_m)] = (
        Cover.BOG
    )
    bare = (slope + 3.5 * fine + 2 * patchy > params.rock_slope_deg) | ((level > params.heath_limit_m) & (fine > 0.2))
    cover[bare] = Cover.ROCK
    farmed = terrain.floor & (terrain.above_floor_m < 70) & (slope < params.meadow_slope_deg) & (parcel_draw > 0.22)
    farmed &= terrain.height_m < 320
    cover[farmed] = Cover.MEADOW
    cover[_hedges(parcels) & farmed & (fine > 0.3)] = Cover.BIRCH
    cover[_built(rng, terrain, farmed)] = Cover.BUILT
    # Streams that drain much ground have a bed of stones as wide as a pixel or two.
    bed = (terrain.upslope_km2 > 2.5 + fine) & (slope < 14)
    cover[bed] = Cover.TILL
    cover[terrain.water | (terrain.floor & (terrain.river_m < params.river_width_m / 2))] = Cover.WATER
    vigour = (0.55 * fine + 0.55 * patchy + 0.5 * stand_draw).astype(np.float32)
    is_meadow = cover == Cover.MEADOW
    vigour[is_meadow] = (parcel_draw[is_meadow] - 0.6) * 3.0 + 0.15 * fine[is_meadow]
    return Landcover(cover, stands, parcels, vigour)


def _stands(rng: np.random.Generator, shape: tuple[int, int], pixel_m: float, size_m: float) -> Patches:
    """Irregular polygons about `size_m` across: the nearest of scattered points."""
    height, width = shape
    count = max(int(height * width * (pixel_m / size_m) ** 2), 4)
    rows, cols = rng.integers(0, height, count), rng.integers(0, width, count)
    number = np.full(shape, -1, np.int32)
    number[rows, cols] = np.arange(count)
    near_row, near_col = ndimage.distance_transform_edt(number < 0, return_distances=False, return_indices=True)
    return Patches(number[near_row, near_col], count)


def _parcels(params: CoverParams, terrain: Terrain) -> Patches:
    """Rectangles along the valley, every second row shifted."""
    along, across = terrain.parcel_axes_m
    length, width = params.parcel_m
    row = np.floor(across / width).astype(np.int64)
    shift = (row * 7919 % 101) / 101.0 * length
    col = np.floor((along + shift) / length).astype(np.int64)
    row -= row.min()
    col -= col.min()
    columns = int(col.max()) + 1
    return Patches((row * columns + col).astype(np.int32), (int(row.max()) + 1) * columns)


def _hedges(parcels: Patches) -> NDArray[np.bool_]:
    number = parcels.number
    edge = np.zeros(number.shape, bool)
    edge[1:] |= number[1:] != number[:-1]
    edge[:, 1:] |= number[:, 1:] != number[:, :-1]
    return edge


def _built(rng: np.random.Generator, terrain: Terrain, farmed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A road along the valley, and farms near it."""
    from_road = np.abs(
        terrain.from_axis_m - 260 - 30 * correlated(rng, farmed.shape, pixel_m=terrain.pixel_m, scale_m=1500)
    )
    dry = terrain.floor & ~terrain.water & (terrain.above_floor_m < 70) & (terrain.height_m < 320)
    road = dry & (from_road < 0.6 * terrain.pixel_m)
    farms = (rng.random(farmed.shape) < 0.012) & farmed & (from_road < 120)
    return np.asarray(road | (ndimage.binary_dilation(farms) & dry))
