"""Where the valleys of a simulated place run: centre lines with the height of their floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skred.world.params import TerrainParams


@dataclass(frozen=True)
class Valley:
    """A centre line, shape ``(N,)`` each: metres east and north of the area's centre, height of the floor."""

    east_m: NDArray[np.float64]
    north_m: NDArray[np.float64]
    floor_m: NDArray[np.float64]
    half_width_m: float
    wall_slope_deg: float
    main: bool


def valleys(params: TerrainParams, rng: np.random.Generator, extent_m: float, step_m: float) -> list[Valley]:
    """Main troughs across an area of `extent_m`, one every `valley_spacing_m`, and the hanging valleys beside them."""
    heading = rng.uniform(0, np.pi)
    reach = 0.75 * extent_m + 2000.0
    along = np.arange(-reach, reach, step_m)
    # The first trough leaves the centre on its lower wall, so that even a small area has a slope.
    first = (params.floor_width_m / 2 + 250.0) * rng.choice([-1.0, 1.0])
    count = int(reach // params.valley_spacing_m)
    found: list[Valley] = []
    for k in range(-count, count + 1):
        found.append(_trough(params, rng, along, first + k * params.valley_spacing_m, heading))
        found.extend(_side_valleys(params, rng, found[-1], reach=reach, heading=heading, step_m=step_m))
    return found


def _trough(
    params: TerrainParams, rng: np.random.Generator, along: NDArray[np.float64], offset: float, heading: float
) -> Valley:
    swing = np.zeros_like(along)
    for length, size in [(11_000.0, 550.0), (4_700.0, 160.0)]:
        swing += size * np.sin(2 * np.pi * along / length + rng.uniform(0, 2 * np.pi))
    across = offset + swing - np.interp(0.0, along, swing)
    floor = params.floor_m + 0.006 * np.abs(along - rng.uniform(-3000, 3000))
    east = along * np.cos(heading) - across * np.sin(heading)
    north = along * np.sin(heading) + across * np.cos(heading)
    width = params.floor_width_m * rng.uniform(0.8, 1.25) / 2
    return Valley(east, north, floor, width, float(rng.uniform(*params.wall_slope_deg)), main=True)


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
            turn = heading + side * rng.uniform(0.9, 2.2) + 0.5 * np.sin(run / length * 2 + rng.uniform(0, 6))
            # A hanging valley: its floor meets the trunk's well above the trunk's own floor.
            climb = trunk.floor_m[i] + rng.uniform(120, 300) + run * rng.uniform(0.06, 0.12)
            found.append(
                Valley(
                    trunk.east_m[i] + np.cumsum(np.cos(turn)) * step_m,
                    trunk.north_m[i] + np.cumsum(np.sin(turn)) * step_m,
                    climb,
                    float(rng.uniform(50, 130)),
                    float(rng.uniform(*params.wall_slope_deg)) - 4.0,
                    main=False,
                )
            )
            at += rng.uniform(2200, 5200)
    return found
