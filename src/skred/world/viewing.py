"""How a radar track sees the terrain: incidence, layover, shadow, and what terrain flattening leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skred.world.noise import Float, correlated, generator
from skred.world.params import RadarParams, RadarTrack
from skred.world.terrain import Terrain

LOOK_DEG = {"ascending": 73.0, "descending": 287.0}  # azimuth in which the beam travels at 61.5°N, right-looking
ACROSS_DEG_PER_KM = 0.068  # incidence over the ground range of an IW swath: 29° to 46° over 250 km


@dataclass(frozen=True)
class Viewing:
    """One track's geometry, each of shape (H, W): `local_incidence_deg`, masks, and `residual_db`, the error of
    terrain flattening that is the same at every pass."""

    local_incidence_deg: Float
    layover: NDArray[np.bool_]
    shadow: NDArray[np.bool_]
    residual_db: Float


def facing_angle(slope_deg: Float, aspect_deg: Float, look_deg: float) -> Float:
    """Slope towards the radar in degrees: ``-atan(tan(slope) cos(aspect - look))``, positive where it faces the radar.

    `look_deg` is the azimuth in which the beam travels (Vollrath et al. 2020, eq. 2, with this sign).
    """
    tangent = np.tan(np.radians(slope_deg)) * np.cos(np.radians(aspect_deg - np.float32(look_deg)))
    return np.asarray(-np.degrees(np.arctan(tangent)), dtype=np.float32)


def view(params: RadarParams, seed: int, terrain: Terrain, track: RadarTrack) -> Viewing:
    """Geometry of a track over an area: layover where the slope towards the radar is steeper than the incidence
    angle, shadow where the slope away from it is steeper than the beam."""
    shape, pixel_m = terrain.height_m.shape, terrain.pixel_m
    look = LOOK_DEG[track.direction]
    angle = np.radians(look)
    rows = (np.arange(shape[0], dtype=np.float32)[:, None] - shape[0] / 2) * pixel_m / 1000
    cols = (np.arange(shape[1], dtype=np.float32)[None, :] - shape[1] / 2) * pixel_m / 1000
    across_km = cols * np.float32(np.sin(angle)) - rows * np.float32(np.cos(angle))
    incidence = (track.incidence_deg + ACROSS_DEG_PER_KM * across_km).astype(np.float32)
    facing = facing_angle(terrain.slope_deg, terrain.aspect_deg, look)
    slope, theta = np.radians(terrain.slope_deg), np.radians(incidence)
    relative = np.radians(terrain.aspect_deg - np.float32(look))
    local = np.cos(slope) * np.cos(theta) - np.sin(slope) * np.sin(theta) * np.cos(relative)
    rng = generator(seed, "track", track.direction, track.relative_orbit)
    tilt = float(rng.uniform(0.5, 1.0)) * float(rng.choice([-1.0, 1.0]))
    patch = correlated(rng, shape, pixel_m=pixel_m, scale_m=250)
    steep = np.minimum(terrain.slope_deg / 30, 1.3)
    residual = params.aspect_residual_db * (tilt * np.tanh(facing / 25) + 0.5 * patch * steep)
    return Viewing(
        local_incidence_deg=np.degrees(np.arccos(np.clip(local, -1, 1))).astype(np.float32),
        layover=facing > incidence,
        shadow=facing < -(90 - incidence),
        residual_db=residual.astype(np.float32),
    )
