"""The ground: glacial troughs in a plateau, gullied walls, lakes, fjord and fans; and the elevation product of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.world.drainage import Drainage, drain
from skred.world.noise import Float, correlated, fractal, generator
from skred.world.params import TerrainParams
from skred.world.valleys import Valley, river_line, valleys

FOOT_M = 150.0  # metres of the wall's foot that people farm and live on, with the valley's floor
MARGIN_PX = 48  # ground around the area, so that slopes and shadows at its edge are right


@dataclass(frozen=True)
class Terrain:
    """The true ground of an area of shape (H, W).

    `wide_m` is the height on the area and `MARGIN_PX` around it; everything else is on the area itself.
    `above_floor_m` and `from_axis_m` refer to the valley that shaped the pixel. `floor` is the flat of a main valley
    and the foot of its walls, `river_m` the distance to the middle of its river (0 on lakes and fjord),
    `parcel_axes_m` are coordinates along and across the main valleys.
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
    river_m: Float
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
    height, rules = _carve(params, rng, wide, pixel_m, lines)
    height = _gullies(params, height, pixel_m)
    height = np.maximum(height, _fans(rng, wide, pixel_m, lines))
    standing = rules.main & (rules.water_m > rules.floor_m + 0.5)
    water = ndimage.binary_opening(standing & (height <= rules.water_m), iterations=2)
    shore = np.where(standing, np.maximum(height, rules.water_m + 0.3), height)
    height = np.where(water, rules.water_m, np.maximum(shore, 0.3)).astype(np.float32)
    river_m = np.where(water, np.float32(0), _river_distance(params, rng, wide, pixel_m, lines))
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
        above_floor_m=(height - np.maximum(rules.floor_m, rules.water_m))[inner].astype(np.float32),
        from_axis_m=rules.axis_m[inner].copy(),
        floor=(rules.main & (rules.axis_m < rules.half_m + FOOT_M))[inner].copy(),
        river_m=river_m[inner].astype(np.float32),
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


@dataclass(frozen=True)
class _Rules:
    """Of the valley that shapes each pixel (H, W): height of its floor, its water, distance to its axis, half width."""

    floor_m: Float
    water_m: Float
    axis_m: Float
    half_m: Float
    main: NDArray[np.bool_]


def _carve(
    params: TerrainParams, rng: np.random.Generator, shape: tuple[int, int], pixel_m: float, lines: list[Valley]
) -> tuple[Float, _Rules]:
    plateau = params.plateau_m + params.plateau_relief_m * fractal(
        rng, shape, pixel_m=pixel_m, longest_m=7000, exponent=2.1
    )
    plateau = np.maximum(plateau, params.floor_m + 150)
    ribs = fractal(rng, shape, pixel_m=pixel_m, longest_m=700, exponent=1.85)
    bulge = correlated(rng, shape, pixel_m=pixel_m, scale_m=1500)
    height = plateau.astype(np.float32)
    lowest = np.full(shape, np.inf, np.float32)
    floor, water, axis, half = (np.full(shape, value, np.float32) for value in (np.inf, -np.inf, np.inf, 0))
    main = np.zeros(shape, bool)
    for line in lines:
        if (near := _nearest(shape, pixel_m, line)) is None:
            continue
        distance, floor_here, water_here, half_here = near
        steep = np.tan(np.radians(line.wall_slope_deg)) * (1 + 0.22 * bulge)
        foot = 90.0 if line.main else 60.0  # metres over which the floor bends up into the wall
        beyond = np.maximum(distance + 22 * bulge - half_here, 0)
        wall = np.where(beyond < foot, beyond**2 / (2 * foot), beyond - foot / 2) * np.maximum(steep, 0.3)
        # Walls lean back towards the trough's shoulder, which makes the edge of the plateau round.
        section = floor_here + wall + 0.012 * np.minimum(distance, half_here)
        here = section < lowest
        lowest = np.where(here, section, lowest)
        floor, water = np.where(here, floor_here, floor), np.where(here, water_here, water)
        axis, half = np.where(here, distance, axis), np.where(here, half_here, half)
        main = np.where(here, line.main, main)
        height = _smooth_minimum(height, section, 70.0)
    on_wall = np.clip((height - floor) / 60, 0, 1) * np.clip(1.3 - (height - floor) / 1400, 0.35, 1)
    height = height + params.roughness_m * ribs * np.where(main, on_wall, np.maximum(on_wall, 0.3))
    height = height + 0.8 * fractal(rng, shape, pixel_m=pixel_m, longest_m=150, exponent=1.6)
    return height.astype(np.float32), _Rules(floor, water, axis, half, main)


def _nearest(shape: tuple[int, int], pixel_m: float, line: Valley) -> tuple[Float, Float, Float, Float] | None:
    """Distance in metres to a centre line, and floor, water level and half width at its nearest point; None if it is
    far away."""
    room = 150  # pixels around the area in which a centre line still matters
    rows = np.round((shape[0] - 1) / 2 - line.north_m / pixel_m).astype(int) + room
    cols = np.round((shape[1] - 1) / 2 + line.east_m / pixel_m).astype(int) + room
    inside = (rows >= 0) & (rows < shape[0] + 2 * room) & (cols >= 0) & (cols < shape[1] + 2 * room)
    if not inside.any():
        return None
    # Half resolution is enough: a valley is hundreds of metres wide.
    small = ((shape[0] + 2 * room) // 2 + 1, (shape[1] + 2 * room) // 2 + 1)
    point = np.full(small, -1, np.int32)
    point[rows[inside] // 2, cols[inside] // 2] = np.flatnonzero(inside)
    away, (near_row, near_col) = ndimage.distance_transform_edt(point < 0, return_indices=True)
    at = point[near_row, near_col]
    cut = (slice(room, room + shape[0]), slice(room, room + shape[1]))

    def grown(field: Float) -> Float:
        return np.asarray(ndimage.zoom(field, 2, order=1, grid_mode=True, mode="nearest")[cut], dtype=np.float32)

    floor, half = (
        ndimage.gaussian_filter(values[at].astype(np.float32), 3) for values in (line.floor_m, line.half_width_m)
    )
    # A lake has one level: its nearest point's, never a mean of two.
    level = np.repeat(np.repeat(line.water_m[at].astype(np.float32), 2, 0), 2, 1)[cut]
    return grown(away.astype(np.float32) * 2 * pixel_m), grown(floor), level, grown(half)


def _fans(rng: np.random.Generator, shape: tuple[int, int], pixel_m: float, lines: list[Valley]) -> Float:
    """Cones of gravel that side streams built on the floor of the main valley; -inf elsewhere."""
    east, north = _coordinates(shape, pixel_m)
    surface = np.full(shape, -np.inf, np.float32)
    uneven = 1 + 0.18 * fractal(rng, shape, pixel_m=pixel_m, longest_m=500, exponent=1.6)
    for fan in (line.fan_m for line in lines if line.fan_m is not None):
        away = np.hypot(east - np.float32(fan[0]), north - np.float32(fan[1]))
        near = away < 600
        surface[near] = np.maximum(surface[near], (fan[2] - fan[3] * away * uneven)[near])
    return surface


def _river_distance(
    params: TerrainParams, rng: np.random.Generator, shape: tuple[int, int], pixel_m: float, lines: list[Valley]
) -> Float:
    dry = np.ones(shape, bool)
    for line in (line for line in lines if line.main):
        east, north = river_line(params, rng, line)
        rows = np.round((shape[0] - 1) / 2 - north / pixel_m).astype(int)
        cols = np.round((shape[1] - 1) / 2 + east / pixel_m).astype(int)
        inside = (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])
        dry[rows[inside], cols[inside]] = False
    if dry.all():
        return np.full(shape, 1e4, np.float32)
    return np.asarray(ndimage.distance_transform_edt(dry) * pixel_m, dtype=np.float32)


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
