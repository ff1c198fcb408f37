"""What Sentinel-1 sees: terrain-flattened gamma0 in VV and VH, with all that makes two dates differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.grid import Window
from skred.world.backscatter import DRIFT, FELLED_DB, MOWN_DB, SNOW_DB, Backscatter
from skred.world.cover import Cover
from skred.world.ground import Ground
from skred.world.noise import Float, correlated, crop, from_nodes, generator, grow, normals, seed_of
from skred.world.params import RadarParams
from skred.world.viewing import Viewing

POLARISATIONS = ("VV", "VH")
NODE_PX = 6
HALO_PX = 3  # of the speckle's correlation
FLOOR_DB = (-22.0, -28.0)  # what is left in radar shadow: the instrument's own noise
LAYOVER_DB = 3.0  # two slopes in one pixel, and flattening at its limit


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
    params: RadarParams,
    ground: Ground,
    backscatter: Backscatter,
    *,
    flown: RadarPass,
    valid: NDArray[np.uint8],
    window: Window,
) -> dict[str, NDArray[Any]]:
    """VV and VH as linear power (float32) and dataMask (uint8), each of shape ``(H, W)``; power is 0 without data."""
    since = float((flown.day - flown.event_day).days)
    cover = crop(ground.landcover.cover, window)
    sensitive = DRIFT[cover]
    drift = _drift(params, ground, flown, window, since)
    wet = _wetness(params, ground, flown, window, since)
    snow = since < crop(ground.change.snow_day, window)
    felled = since >= crop(ground.change.cut_day, window)
    mown_for = since - crop(ground.change.mown_day, window)
    mown = (mown_for >= 0) & (crop(ground.change.ploughed, window) | (mown_for < 20))
    residual = crop(flown.viewing.residual_db, window)
    layover, shadow = crop(flown.viewing.layover, window), crop(flown.viewing.shadow, window)
    water = cover == Cover.WATER
    rng = generator(flown.key, "pass")
    wind_db = float(rng.normal(0, 2.5))
    grains = speckle(params, window, seed_of(flown.key, "speckle"))
    out: dict[str, NDArray[Any]] = {}
    for p, name in enumerate(POLARISATIONS):
        level = backscatter.after_db[p] if since > 0 else backscatter.before_db[p]
        db = crop(level, window) + sensitive * (drift[p] + wet) + residual
        db += np.float32(rng.normal(0, params.pass_offset_db))
        db[felled] += FELLED_DB[p]
        db[mown] += MOWN_DB[p]
        db[snow] = SNOW_DB[p]
        db[water] += np.float32(wind_db)
        db[layover] += np.float32(LAYOVER_DB)
        db[shadow] = FLOOR_DB[p]
        power = np.exp(db * np.float32(np.log(10) / 10)) * grains[p]
        out[name] = np.where(valid == 1, power, np.float32(0)).astype(np.float32)
    out["dataMask"] = valid
    return out


def _field(ground: Ground, rng: np.random.Generator, scales_m: tuple[float, float], window: Window) -> Float:
    shape, node_m = ground.grid.shape, NODE_PX * ground.grid.resolution_m
    nodes = (shape[0] // NODE_PX + 2, shape[1] // NODE_PX + 2)
    short, long = (correlated(rng, nodes, pixel_m=node_m, scale_m=scale) for scale in scales_m)
    return from_nodes(np.float32(np.sqrt(0.5)) * (short + long), NODE_PX, (0, 0), window)


def _drift(params: RadarParams, ground: Ground, flown: RadarPass, window: Window, since: float) -> tuple[Float, Float]:
    """Moisture of the day and the slow change of plants, in dB; two thirds of it common to both polarisations."""
    daily = (ground.seed, "moisture", flown.day.isoformat())
    slow = np.float32(params.trend_db_per_30_days * since / 30)
    shared = np.float32(params.moisture_db) * _field(ground, generator(*daily), params.moisture_scale_m, window)
    shared += slow * _field(ground, generator(ground.seed, "trend"), params.moisture_scale_m, window)
    fields = []
    for name in POLARISATIONS:
        own = np.float32(params.moisture_db) * _field(ground, generator(*daily, name), params.moisture_scale_m, window)
        own += slow * _field(ground, generator(ground.seed, "trend", name), params.moisture_scale_m, window)
        fields.append(np.float32(np.sqrt(2 / 3)) * shared + np.float32(np.sqrt(1 / 3)) * own)
    return fields[0], fields[1]


def _wetness(params: RadarParams, ground: Ground, flown: RadarPass, window: Window, since: float) -> Float:
    """Wet ground is brighter: after the storm where its rain fell, for a week; and on other rainy days everywhere."""
    rainy = float(generator(ground.seed, "rainy", flown.day.isoformat()).random() < 0.35)
    storm = float(np.exp(-since / 6)) if since > 0 else 0.0
    rain = crop(ground.rain, window)
    return np.float32(params.wet_ground_db) * (np.float32(storm) * rain + np.float32(0.4 * rainy))
