"""The ground: glacial troughs in a plateau, gullied walls, a lake, and the elevation product that users get of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.world.drainage import Drainage, drain
from skred.world.noise import Float, correlated, fractal, generator
from skred.world.params import TerrainParams
from skred.world.valleys import Valley, valleys

MARGIN_PX = 48  # ground around the area, so that slopes and shadows at its edge are right


@dataclass(frozen=True)
class Terrain:
    """The true ground of an area of shape (H, W).

    `wide_m` is the height on the area and `MARGIN_PX` around it; everything else is on the area itself.
    `above_floor_m` and `from_axis_m` refer to the valley that shaped the pixel, `parcel_axes_m` are coordinates
    along and across the main valleys.
    """

    pixel_m: float
    wide_m: Float
    height_m: Float
    slope_deg: Float
    aspect_deg: Float
    water: NDArray[np.bool_]
    above_floor_m: Float
    from_axis_m: Float
    floor: NDArray[np.bool_]
    parcel_axes_m: tuple[Float, Float]
    drainage: Drainage
    upslope_km2: Float


def slope_and_aspect(height_m: Float, pixel_m: float) -> tuple[Float, Float]:
    """Slope in degrees and the azimuth that it faces (downhill, degrees clockwise from north), shape as `height_m`."""
    south, east = np.gradient(height_m, np.float32(pixel_m))
    slope = np.degrees(np.arctan(np.hypot(south, east)))
    aspect = np.degrees(np.arctan2(-east, south)) % 360
    return slope.astype(np.float32), aspect.astype(np.float32)


def build_terrain(params: TerrainParams, seed: int, shape: tuple[int, int], pixel_m: float) -> Terrain:
    """The ground of an area; a function of its arguments alone."""
    rng = generator(seed, "terrain")
    wide = (shape[0] + 2 * MARGIN_PX, shape[1] + 2 * MARGIN_PX)
    lines = valleys(params, rng, max(wide) * pixel_m, pixel_m / 2)
    height, floor_m, axis_m, half_m = _carve(params, rng, wide, pixel_m, lines)
    height = _gullies(params, height, pixel_m)
    water_m = _lake_level(params, lines)
    water = (height <= water_m) & (floor_m < water_m + 30)
    water = ndimage.binary_opening(water, iterations=2)
    height = np.where(water, water_m, np.maximum(height, water_m + 0.3)).astype(np.float32)
    slope, aspect = slope_and_aspect(height, pixel_m)
    drainage = drain(_shrink(height, 2), 2 * pixel_m)
    inner = (slice(MARGIN_PX, -MARGIN_PX), slice(MARGIN_PX, -MARGIN_PX))
    upslope = np.repeat(np.repeat(drainage.area_m2, 2, 0), 2, 1)[: wide[0], : wide[1]] / 1e6
    main = next(line for line in lines if line.main)
    heading = np.arctan2(main.north_m[-1] - main.north_m[0], main.east_m[-1] - main.east_m[0])
    east, north = _coordinates(shape, pixel_m)
    return Terrain(
        pixel_m=pixel_m,
        wide_m=height,
        height_m=height[inner].copy(),
        slope_deg=slope[inner].copy(),
        aspect_deg=aspect[inner].copy(),
        water=water[inner].copy(),
        above_floor_m=(height - floor_m)[inner].astype(np.float32),
        from_axis_m=axis_m[inner].copy(),
        floor=(axis_m < half_m + 60)[inner].copy(),
        parcel_axes_m=(
            (east * np.cos(heading) + north * np.sin(heading)).astype(np.float32),
            (-east * np.sin(heading) + north * np.cos(heading)).astype(np.float32),
        ),
        drainage=drainage,
        upslope_km2=upslope[inner].astype(np.float32),
    )


def elevation_product(params: TerrainParams, seed: int, terrain: Terrain) -> Float:
    """The elevation model that users get: the ground seen at about 30 m, with correlated error, shape ``(H, W)``.

    Steep ground has more error, as in radar elevation models.
    """
    rng = generator(seed, "dem")
    inner = (slice(MARGIN_PX, -MARGIN_PX), slice(MARGIN_PX, -MARGIN_PX))
    smooth = ndimage.gaussian_filter(terrain.wide_m, 12.0 / terrain.pixel_m)[inner]
    shape = terrain.height_m.shape
    error = 0.8 * correlated(rng, shape, pixel_m=terrain.pixel_m, scale_m=params.dem_error_scale_m)
    error += 0.6 * correlated(rng, shape, pixel_m=terrain.pixel_m, scale_m=params.dem_error_scale_m / 5)
    weight = params.dem_error_m * (0.5 + terrain.slope_deg / 30)
    return np.asarray(np.where(terrain.water, smooth, smooth + weight * error), dtype=np.float32)


def _coordinates(shape: tuple[int, int], pixel_m: float) -> tuple[Float, Float]:
    north = ((shape[0] - 1) / 2 - np.arange(shape[0], dtype=np.float32)[:, None]) * pixel_m
    east = (np.arange(shape[1], dtype=np.float32)[None, :] - (shape[1] - 1) / 2) * pixel_m
    return np.broadcast_to(east, shape), np.broadcast_to(north, shape)


def _carve(
    params: TerrainParams, rng: np.random.Generator, shape: tuple[int, int], pixel_m: float, lines: list[Valley]
) -> tuple[Float, Float, Float, Float]:
    """Height, and the floor height, distance to the axis and half width of the valley that rules each pixel."""
    plateau = params.plateau_m + params.plateau_relief_m * fractal(
        rng, shape, pixel_m=pixel_m, longest_m=7000, exponent=2.1
    )
    plateau = np.maximum(plateau, params.floor_m + 150)
    ribs = fractal(rng, shape, pixel_m=pixel_m, longest_m=700, exponent=1.85)
    bulge = correlated(rng, shape, pixel_m=pixel_m, scale_m=1500)
    height = plateau.astype(np.float32)
    floor = np.full(shape, np.inf, np.float32)
    lowest = np.full(shape, np.inf, np.float32)
    axis = np.full(shape, np.inf, np.float32)
    half = np.zeros(shape, np.float32)
    for line in lines:
        if (near := _distance(shape, pixel_m, line)) is None:
            continue
        distance, floor_here = near
        steep = np.tan(np.radians(line.wall_slope_deg)) * (1 + 0.22 * bulge)
        foot = 90.0 if line.main else 60.0  # metres over which the floor bends up into the wall
        beyond = np.maximum(distance + 22 * bulge - line.half_width_m, 0)
        wall = np.where(beyond < foot, beyond**2 / (2 * foot), beyond - foot / 2) * np.maximum(steep, 0.3)
        # Walls lean back towards the trough's shoulder, which makes the edge of the plateau round.
        section = floor_here + wall + 0.012 * np.minimum(distance, line.half_width_m)
        rules = section < lowest
        lowest, floor = np.where(rules, section, lowest), np.where(rules, floor_here, floor)
        axis, half = np.where(rules, distance, axis), np.where(rules, np.float32(line.half_width_m), half)
        height = _smooth_minimum(height, section, 70.0)
    on_wall = np.clip((height - floor) / 60, 0, 1) * np.clip(1.3 - (height - floor) / 1400, 0.35, 1)
    height = height + params.roughness_m * ribs * on_wall
    height = height + 0.8 * fractal(rng, shape, pixel_m=pixel_m, longest_m=150, exponent=1.6)
    return height.astype(np.float32), floor, axis, half


def _distance(shape: tuple[int, int], pixel_m: float, line: Valley) -> tuple[Float, Float] | None:
    """Distance in metres to a centre line and the floor height at its nearest point, or None if it is far away."""
    room = 150  # pixels around the area in which a centre line still matters
    rows = np.round((shape[0] - 1) / 2 - line.north_m / pixel_m).astype(int) + room
    cols = np.round((shape[1] - 1) / 2 + line.east_m / pixel_m).astype(int) + room
    inside = (rows >= 0) & (rows < shape[0] + 2 * room) & (cols >= 0) & (cols < shape[1] + 2 * room)
    if not inside.any():
        return None
    # Half resolution is enough: a valley is hundreds of metres wide.
    small = ((shape[0] + 2 * room) // 2 + 1, (shape[1] + 2 * room) // 2 + 1)
    level = np.full(small, np.nan, np.float32)
    level[rows[inside] // 2, cols[inside] // 2] = line.floor_m[inside]
    away, (near_row, near_col) = ndimage.distance_transform_edt(np.isnan(level), return_indices=True)
    floor = ndimage.gaussian_filter(level[near_row, near_col], 3)
    fields = []
    for field in (away.astype(np.float32) * 2 * pixel_m, floor):
        grown = ndimage.zoom(field, 2, order=1, grid_mode=True, mode="nearest")
        fields.append(grown[room : room + shape[0], room : room + shape[1]].astype(np.float32))
    return fields[0], fields[1]


def _smooth_minimum(a: Float, b: Float, width_m: float) -> Float:
    # Polynomial smooth minimum: equal to the lower one where they differ by more than `width_m`.
    share = np.clip(0.5 + 0.5 * (b - a) / width_m, 0, 1)
    return np.asarray(b + (a - b) * share - width_m * share * (1 - share), dtype=np.float32)


def _gullies(params: TerrainParams, height: Float, pixel_m: float) -> Float:
    """Cut gullies where water gathers on steep ground, from coarse cells to fine ones."""
    for factor in (4, 2):
        coarse = _shrink(height, factor)
        cell_m = factor * pixel_m
        slope, _ = slope_and_aspect(ndimage.gaussian_filter(coarse, 1), cell_m)
        gathered = drain(coarse, cell_m).area_m2 / 1e6
        depth = 0.5 * params.gully_m * np.minimum(gathered, 2.0) ** 0.4 * np.clip((slope - 6) / 14, 0, 1)
        depth = ndimage.gaussian_filter(depth, 0.8)
        grown = ndimage.zoom(depth, factor, order=1, grid_mode=True, mode="nearest")
        height = height - grown[: height.shape[0], : height.shape[1]]
    return height.astype(np.float32)


def _shrink(array: Float, factor: int) -> Float:
    rows, cols = -array.shape[0] % factor, -array.shape[1] % factor
    padded = np.pad(array, ((0, rows), (0, cols)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _lake_level(params: TerrainParams, lines: list[Valley]) -> float:
    floors = np.concatenate([line.floor_m for line in lines if line.main])
    return float(np.quantile(floors, params.lake_share)) + 4.0 if params.lake_share > 0 else float(floors.min()) - 1e4
