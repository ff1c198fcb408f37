"""Where the valleys of a simulated place run: centre lines with the height of their floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skred.world.params import TerrainParams


@dataclass(frozen=True)
class Valley:
    """A centre line, shape ``(N,)`` each: metres east and north of the area's centre, height of the floor, level of
    the water that stands on it (that of the floor where none does), half the width of the floor.

    `fan_m` is (east, north, height, fall per metre) of the fan that its stream built where it meets a main valley.
    """

    east_m: NDArray[np.float64]
    north_m: NDArray[np.float64]
    floor_m: NDArray[np.float64]
    water_m: NDArray[np.float64]
    half_width_m: NDArray[np.float64]
    wall_slope_deg: float
    main: bool
    fan_m: tuple[float, float, float, float] | None = None


def valleys(params: TerrainParams, rng: np.random.Generator, extent_m: float, step_m: float) -> list[Valley]:
    """Main troughs across an area of `extent_m`, one every `valley_spacing_m`, and the hanging valleys beside them."""
    heading = rng.uniform(0, np.pi)
    reach = 0.75 * extent_m + 2000.0
    along = np.arange(-reach, reach, step_m)
    # The first trough leaves the centre on its lower wall, so that even a small area has a slope.
    first = (params.floor_width_m / 2 + 250.0) * rng.choice([-1.0, 1.0])
    count = int(reach // params.valley_spacing_m)
    seaward = float(rng.choice([-1.0, 1.0]))  # all main valleys lead to the same coast
    found: list[Valley] = []
    for k in range(-count, count + 1):
        found.append(_trough(params, rng, along, first + k * params.valley_spacing_m, heading, seaward))
        found.extend(_side_valleys(params, rng, found[-1], reach=reach, heading=heading, step_m=step_m))
    return found


def river_line(
    params: TerrainParams, rng: np.random.Generator, trunk: Valley
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The river of a main valley, metres east and north: it swings from side to side of the floor."""
    steps = np.hypot(np.gradient(trunk.east_m), np.gradient(trunk.north_m))
    run = np.cumsum(steps)
    swing = np.zeros_like(run)
    for length, size in ((1900.0, 0.42), (700.0, 0.14)):  # metres of a bend, share of half the floor
        swing += size * np.sin(2 * np.pi * run / length + rng.uniform(0, 2 * np.pi))
    aside = swing * np.minimum(trunk.half_width_m, params.floor_width_m)
    across_east, across_north = -np.gradient(trunk.north_m) / steps, np.gradient(trunk.east_m) / steps
    return trunk.east_m + aside * across_east, trunk.north_m + aside * across_north


def _trough(
    params: TerrainParams,
    rng: np.random.Generator,
    along: NDArray[np.float64],
    offset: float,
    heading: float,
    seaward: float,
) -> Valley:
    swing = np.zeros_like(along)
    for length, size in [(11_000.0, 550.0), (4_700.0, 160.0)]:
        swing += size * np.sin(2 * np.pi * along / length + rng.uniform(0, 2 * np.pi))
    across = offset + swing - np.interp(0.0, along, swing)
    # Ice dug basins between rock sills: where the floor rises towards the sea, a lake stands; below 0 m it is fjord.
    floor = params.floor_m * rng.uniform(0.2, 1.8) - seaward * params.floor_gradient * along
    for length, share in [(9_000.0, 0.75), (3_500.0, 0.25)]:
        floor += share * params.basin_m * np.sin(2 * np.pi * along / length + rng.uniform(0, 2 * np.pi))
    order = slice(None, None, -1) if seaward > 0 else slice(None)  # from the sea upstream
    water = np.maximum(np.maximum.accumulate(floor[order])[order], 0.0)
    east = along * np.cos(heading) - across * np.sin(heading)
    north = along * np.sin(heading) + across * np.cos(heading)
    width = np.full(along.size, params.floor_width_m * rng.uniform(0.8, 1.25) / 2)
    return Valley(east, north, floor, water, width, float(rng.uniform(*params.wall_slope_deg)), main=True)


def _side_valleys(
    params: TerrainParams, rng: np.random.Generator, trunk: Valley, *, reach: float, heading: float, step_m: float
) -> list[Valley]:
    found = []
    for side in (-1.0, 1.0):
        at = -reach + rng.uniform(0, 4000)
        while at < reach:
            i = int(np.clip((at + reach) / step_m, 0, trunk.east_m.size - 1))
            length = rng.uniform(0.35, 0.75) * params.valley_spacing_m
            run = np.arange(0, length, step_m)
            share = run / length
            turn = heading + side * rng.uniform(0.9, 2.2) + 0.5 * np.sin(share * 2 + rng.uniform(0, 6))
            # A hanging valley: its floor meets the trunk's well above the trunk's own floor, and climbs to a cirque.
            climb = trunk.water_m[i] + rng.uniform(120, 300) + run * rng.uniform(0.06, 0.12) + 220 * share**3
            climb += 7 * np.sin(run / rng.uniform(120, 260))  # steps that the ice left
            east, north = (
                trunk.east_m[i] + np.cumsum(np.cos(turn)) * step_m,
                trunk.north_m[i] + np.cumsum(np.sin(turn)) * step_m,
            )
            mouth = int(np.clip((trunk.half_width_m[i] + 90) / step_m, 0, run.size - 1))
            fall = np.tan(np.radians(rng.uniform(*params.fan_slope_deg)))
            radius = rng.uniform(150, 420) * length / (0.55 * params.valley_spacing_m)  # of the fan, metres
            found.append(
                Valley(
                    east,
                    north,
                    climb,
                    climb,
                    float(rng.uniform(50, 130)) * (1 - 0.75 * share),
                    float(rng.uniform(*params.wall_slope_deg)) - 4.0,
                    main=False,
                    fan_m=(float(east[mouth]), float(north[mouth]), float(trunk.water_m[i] + radius * fall), fall),
                )
            )
            at += rng.uniform(2200, 5200)
    return found
