"""The landslides of a storm: how large, where they start, how they run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from skred.core.errors import SkredError
from skred.world.cover import Cover
from skred.world.footprints import STEP_M, Footprint, Path, draw
from skred.world.noise import Float, generator
from skred.world.params import LandslideParams, StormParams
from skred.world.terrain import Terrain

TRIES = 400  # starting points per landslide before the place counts as too small for it


def rain_field(params: StormParams, seed: int, shape: tuple[int, int], pixel_m: float) -> Float:
    """Rain of the storm's hours relative to its largest cell, shape ``(H, W)``, 0.05 to 1: a few local cells."""
    rng = generator(seed, "storm")
    area_km2 = shape[0] * shape[1] * (pixel_m / 1000) ** 2
    cells = max(2, round(area_km2 / 100 * params.cells_per_100km2))
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * pixel_m
    cols = np.arange(shape[1], dtype=np.float32)[None, :] * pixel_m
    dry = np.ones(shape, np.float32)
    for _ in range(cells):
        row, col = rng.uniform(0.05, 0.95) * rows.max(), rng.uniform(0.05, 0.95) * cols.max()
        radius = params.cell_radius_m * rng.uniform(0.6, 1.4)
        stretch = rng.uniform(0.7, 1.5)
        depth = rng.uniform(0.5, 1.0)
        dry *= 1 - depth * np.exp(-(((rows - row) / stretch) ** 2 + ((cols - col) * stretch) ** 2) / (2 * radius**2))
    return (0.05 + 0.95 * (1 - dry)).astype(np.float32)


def landslide_areas(params: LandslideParams, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Areas in m², largest first: the three-parameter inverse gamma of Malamud et al. (2004, eq. 3), truncated.

    With x = a / (A - s), x follows a gamma distribution of shape ρ, so quantiles come from its inverse.
    """
    ends = [params.size_a_m2 / (area - params.size_s_m2) for area in (params.area_max_m2, params.area_min_m2)]
    low, high = special.gammainc(params.size_rho, ends)
    x = special.gammaincinv(params.size_rho, rng.uniform(low, high, count))
    return np.sort(params.size_a_m2 / x + params.size_s_m2)[::-1]


def start_weight(params: LandslideParams, terrain: Terrain, cover: NDArray[np.uint8], rain: Float) -> Float:
    """How readily a landslide starts at each pixel (H, W): slope, soil, rain, hollows; 0 where it cannot."""
    low, high = params.start_slope_deg
    slope = terrain.slope_deg
    best = low + 0.5 * (high - low)
    readiness = np.clip(1 - np.abs(slope - best) / (0.5 * (high - low)), 0, 1)
    soil = np.array([0, 0.8, 1.0, 0.4, 0.9, 0.3, 0.5, 0.0, 0.0], np.float32)  # by Cover: rock and water never slide
    hollow = np.clip(np.log10(np.maximum(terrain.upslope_km2, 1e-4)) + 4, 0.3, 2.5)
    weight = readiness * soil[cover] * hollow * rain**1.5
    edge = 3
    weight[:edge] = weight[-edge:] = 0
    weight[:, :edge] = weight[:, -edge:] = 0
    return np.asarray(weight, dtype=np.float32)


def trigger(
    params: LandslideParams, seed: int, count: int, *, terrain: Terrain, cover: NDArray[np.uint8], rain: Float
) -> list[Footprint]:
    """The footprints of `count` landslides that do not overlap, in a fixed order (largest first).

    Raises
    ------
    SkredError
        The place has no room for so many; the line says what to lower.
    """
    if count == 0:
        return []
    rng = generator(seed, "landslides")
    weight = start_weight(params, terrain, cover, rain).astype(np.float64).ravel()
    lower = "lower simulation.landslides of the event or world.landslides.area_max_m2, or enlarge the area"
    if not weight.sum() > 0:
        raise SkredError(f"no slope in this area can fail, wanted {count} landslides; {lower}")
    chance = np.cumsum(weight / weight.sum())
    fall = _descent(terrain)
    taken = terrain.water.copy()
    found: list[Footprint] = []
    for number, area in enumerate(landslide_areas(params, rng, count)):
        for _ in range(TRIES):
            start = int(np.searchsorted(chance, rng.random() * chance[-1]))
            shape = _shape(params, rng, float(area), cover.ravel()[start])
            row, col = divmod(start, cover.shape[1])
            path = _run(
                params,
                rng,
                terrain=terrain,
                fall=fall,
                start=(row + rng.random(), col + rng.random()),
                shape=shape,
            )
            if path is None:
                continue
            footprint = draw(
                params,
                rng,
                number=number + 1,
                path=path,
                pixel_m=terrain.pixel_m,
                shape=(cover.shape[0], cover.shape[1]),
            )
            if footprint is None or taken[footprint.rows, footprint.cols][footprint.share > 0].any():
                continue
            # One free pixel between neighbours: two landslides that touch would be one polygon.
            taken[footprint.rows, footprint.cols] |= ndimage.binary_dilation(footprint.share > 0)
            found.append(footprint)
            break
        else:
            raise SkredError(f"no place for landslide {number + 1} of {count} ({area:.0f} m2); {lower}")
    return found


@dataclass(frozen=True)
class _Shape:
    length_m: float
    width_m: float
    channelised: bool


def _shape(params: LandslideParams, rng: np.random.Generator, area_m2: float, cover: int) -> _Shape:
    # Long and narrow where water leads the debris; forest soils slide as open slopes more often.
    share = params.channelised_share * (1.2 if cover == Cover.HEATH else 1.0)
    channelised = bool(rng.random() < share * min(1.0, area_m2 / 1500))
    median = params.channel_length_to_width if channelised else params.open_length_to_width
    ratio = median * np.exp(rng.normal(0, 0.35))
    width = float(np.clip(np.sqrt(area_m2 / ratio), params.width_min_m, params.width_max_m))
    return _Shape(area_m2 / width, width, channelised)


def _descent(terrain: Terrain) -> tuple[Float, Float, Float]:
    """Steps down (rows, columns; unit length) and slope in degrees of the ground smoothed over a landslide's width."""
    smooth = ndimage.gaussian_filter(terrain.height_m, 15.0 / terrain.pixel_m)
    down, right = np.gradient(smooth, np.float32(terrain.pixel_m))
    size = np.hypot(down, right)
    safe = np.maximum(size, 1e-6)
    return -down / safe, -right / safe, np.degrees(np.arctan(size)).astype(np.float32)


def _run(
    params: LandslideParams,
    rng: np.random.Generator,
    *,
    terrain: Terrain,
    fall: tuple[Float, Float, Float],
    start: tuple[float, float],
    shape: _Shape,
) -> Path | None:
    """Follow the fall line, with some inertia, until the length is reached; None if it ends much too short."""
    down, right, slope = fall
    height, width = down.shape
    step = STEP_M / terrain.pixel_m
    row, col = start
    heading: tuple[float, float] | None = None
    points = [(row, col)]
    slopes = [float(slope[int(row), int(col)])]
    flat_m = 0.0
    while len(points) * STEP_M < shape.length_m:
        i, j = int(row), int(col)
        here = (float(down[i, j]), float(right[i, j]))
        if heading is None:
            heading = here
        mixed = (0.75 * heading[0] + 0.25 * here[0], 0.75 * heading[1] + 0.25 * here[1])
        size = max((mixed[0] ** 2 + mixed[1] ** 2) ** 0.5, 1e-9)
        heading = (mixed[0] / size, mixed[1] / size)
        row, col = row + heading[0] * step, col + heading[1] * step
        if not (1 <= row < height - 2 and 1 <= col < width - 2) or terrain.water[int(row), int(col)]:
            return None
        slopes.append(float(slope[int(row), int(col)]))
        points.append((row, col))
        # Debris stops soon after the ground gets flat; a longer drop carries it a little further.
        flat_m = flat_m + STEP_M if slopes[-1] < params.stop_slope_deg else 0.0
        if flat_m > 15 + 0.06 * shape.length_m:
            break
    if len(points) * STEP_M < 0.85 * shape.length_m:
        return None
    # No debris reaches further than its angle of reach allows, even where a short steep bank let it go.
    drop = float(terrain.height_m[int(start[0]), int(start[1])] - terrain.height_m[int(row), int(col)])
    if drop < np.tan(np.radians(params.stop_slope_deg)) * len(points) * STEP_M:
        return None
    return Path(np.array(points), np.array(slopes), shape.width_m, shape.channelised)
