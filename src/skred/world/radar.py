"""What Sentinel-1 sees: terrain-flattened gamma0 in VV and VH, with all that makes two dates differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.grid import Window
from skred.world.backscatter import Backscatter
from skred.world.cover import Cover
from skred.world.ground import Ground
from skred.world.noise import Float, correlated, crop, from_nodes, generator, grow, normals, seed_of
from skred.world.params import RadarParams, WorldParams
from skred.world.viewing import Viewing

POLARISATIONS = ("VV", "VH")
NODE_PX = 6
HALO_PX = 3  # of the speckle's correlation


@dataclass(frozen=True)
class RadarPass:
    """One pass of Sentinel-1: its day and how its track sees the terrain."""

    key: str
    day: dt.date
    event_day: dt.date
    viewing: Viewing


def speckle(params: RadarParams, window: Window, key: int) -> tuple[Float, Float]:
    """Two independent fields of multiplicative speckle of mean 1: a Gamma distribution of `looks`, correlated in space.

    White normal noise is smoothed, brought back to unit spread, and turned into a Gamma by the cube of Wilson and
    Hilferty (1931), whose mean and spread are right to 0.1 % at 4 looks.
    """
    looks = params.looks
    kernel = np.exp(-0.5 * (np.arange(-HALO_PX, HALO_PX + 1) / params.speckle_sigma_px) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    inner = (slice(HALO_PX, -HALO_PX), slice(HALO_PX, -HALO_PX))
    fields = []
    for white in normals(grow(window, HALO_PX), key):
        smooth = ndimage.correlate1d(ndimage.correlate1d(white, kernel, axis=0), kernel, axis=1)
        root = np.float32(1 - 1 / (9 * looks)) + np.float32(1 / (3 * np.sqrt(looks))) * smooth[inner]
        fields.append(np.maximum(root, np.float32(0.05)) ** 3)
    return fields[0], fields[1]


def render_radar(
    world: WorldParams,
    ground: Ground,
    backscatter: Backscatter,
    *,
    flown: RadarPass,
    valid: NDArray[np.uint8],
    window: Window,
) -> dict[str, NDArray[Any]]:
    """VV and VH as linear power (float32) and dataMask (uint8), each of shape ``(H, W)``; power is 0 without data."""
    params, table = world.radar, world.backscatter
    since = float((flown.day - flown.event_day).days)
    cover = crop(ground.landcover.cover, window)
    sensitive = np.array(table.drift, np.float32)[cover]
    drift = _drift(params, ground, flown, window)
    wet = _wetness(params, ground, flown, window, since)
    snow = since < crop(ground.change.snow_day, window)
    felled = since >= crop(ground.change.cut_day, window)
    mown_for = since - crop(ground.change.mown_day, window)
    mown = (mown_for >= 0) & (crop(ground.change.ploughed, window) | (mown_for < 20))
    residual = crop(flown.viewing.residual_db, window)
    layover, shadow = crop(flown.viewing.layover, window), crop(flown.viewing.shadow, window)
    water = cover == Cover.WATER
    rng = generator(flown.key, "pass")
    wind_db = np.float32(rng.normal(0, params.wind_db))
    if water.any():
        gusts = generator(flown.key, "gusts")
        wind_db = wind_db + np.float32(params.wind_gust_db) * _field(ground, gusts, (600.0, 2400.0), window)[water]
    local = _local(params, ground.grid.resolution_m, window, seed_of(ground.seed, "local", flown.day.isoformat()))
    grains = speckle(params, window, seed_of(flown.key, "speckle"))
    out: dict[str, NDArray[Any]] = {}
    for p, name in enumerate(POLARISATIONS):
        level = backscatter.after_db[p] if since > 0 else backscatter.before_db[p]
        db = crop(level, window) + sensitive * (drift[p] + local[p] + wet) + residual
        db += crop(backscatter.trend_db[p], window) * np.float32(since / 30)
        db += np.float32(rng.normal(0, params.pass_offset_db))
        db[felled] += np.float32(table.felled_change[p])
        db[mown] += np.float32(table.mown_change[p])
        db[snow] = table.snow[p]
        db[water] += wind_db
        db[layover] += np.float32(table.layover)
        db[shadow] = table.noise_floor[p]
        power = np.exp(db * np.float32(np.log(10) / 10)) * grains[p]
        out[name] = np.where(valid == 1, power, np.float32(0)).astype(np.float32)
    out["dataMask"] = valid
    return out


def _field(ground: Ground, rng: np.random.Generator, scales_m: tuple[float, float], window: Window) -> Float:
    shape, node_m = ground.grid.shape, NODE_PX * ground.grid.resolution_m
    nodes = (shape[0] // NODE_PX + 2, shape[1] // NODE_PX + 2)
    short, long = (correlated(rng, nodes, pixel_m=node_m, scale_m=scale) for scale in scales_m)
    return from_nodes(np.float32(np.sqrt(0.5)) * (short + long), NODE_PX, (0, 0), window)


def _drift(params: RadarParams, ground: Ground, flown: RadarPass, window: Window) -> tuple[Float, Float]:
    """Moisture of the day over hundreds of metres, in dB; two thirds of its variance common to both polarisations."""
    daily = (ground.seed, "moisture", flown.day.isoformat())
    size = np.float32(params.moisture_db)
    shared = size * _field(ground, generator(*daily), params.moisture_scale_m, window)
    fields = []
    for name in POLARISATIONS:
        own = size * _field(ground, generator(*daily, name), params.moisture_scale_m, window)
        fields.append(np.float32(np.sqrt(2 / 3)) * shared + np.float32(np.sqrt(1 / 3)) * own)
    return fields[0], fields[1]


def _local(params: RadarParams, pixel_m: float, window: Window, key: int) -> tuple[Float, Float]:
    """What each small patch of ground does of its own from date to date (dew, leaves, wind in the trees), in
    dB; VV and VH go their own ways."""
    sigma_px = params.local_scale_m / 4 / pixel_m
    reach = 2 + round(2 * sigma_px)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    inner = (slice(reach, -reach), slice(reach, -reach))
    fields = []
    for white in normals(grow(window, reach), key):
        smooth = ndimage.correlate1d(ndimage.correlate1d(white, kernel, axis=0), kernel, axis=1)
        fields.append(np.float32(params.local_db) * smooth[inner])
    return fields[0], fields[1]


def _wetness(params: RadarParams, ground: Ground, flown: RadarPass, window: Window, since: float) -> Float:
    """Wet ground is brighter: after the storm where its rain fell, for a week; and on other rainy days everywhere."""
    rainy = float(generator(ground.seed, "rainy", flown.day.isoformat()).random() < 0.35)
    storm = float(np.exp(-since / 6)) if since > 0 else 0.0
    rain = crop(ground.rain, window)
    return np.float32(params.wet_ground_db) * (np.float32(storm) * rain + np.float32(0.4 * rainy))
