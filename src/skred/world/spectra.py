"""Reflectance of the ground in B02, B03, B04, B08 as it changes through the two months."""

from __future__ import annotations

import datetime as dt

import numpy as np

from skred.core.grid import Window
from skred.world.ground import Ground
from skred.world.noise import Float, crop
from skred.world.params import ChangeParams, OpticsParams

BANDS = ("B02", "B03", "B04", "B08")

# Summer reflectance by Cover: typical values of the classes in Sentinel-2 surface reflectance.
SUMMER = np.array(
    [
        [0.030, 0.030, 0.020, 0.010],  # water
        [0.020, 0.035, 0.025, 0.220],  # conifer
        [0.025, 0.055, 0.030, 0.350],  # birch
        [0.035, 0.075, 0.045, 0.380],  # meadow
        [0.040, 0.065, 0.060, 0.240],  # heath
        [0.050, 0.075, 0.080, 0.230],  # bog
        [0.085, 0.105, 0.115, 0.190],  # till with some plants
        [0.100, 0.120, 0.130, 0.170],  # rock
        [0.090, 0.100, 0.110, 0.190],  # road and roof
    ],
    dtype=np.float32,
)
SCAR_WET = np.array([0.060, 0.085, 0.105, 0.160], np.float32)
SCAR_DRY = np.array([0.100, 0.130, 0.160, 0.230], np.float32)
SEDIMENT = np.array([0.095, 0.120, 0.135, 0.185], np.float32)
MOWN = np.array([0.050, 0.085, 0.080, 0.250], np.float32)
PLOUGHED = np.array([0.060, 0.085, 0.095, 0.220], np.float32)
FELLED = np.array([0.045, 0.065, 0.070, 0.185], np.float32)
SNOW = np.array([0.85, 0.85, 0.83, 0.75], np.float32)
# How much of the heath's yellowing each class shows, by Cover.
YELLOWING = np.array([0, 0.1, 0.45, 0.25, 1.0, 1.0, 0.3, 0.1, 0], np.float32)
# Denser plants are darker in the red and brighter in the near infrared, per standard deviation of vigour.
DENSER = np.array([-0.6, -0.35, -0.9, 0.8], np.float32)


def ground_reflectance(
    optics: OpticsParams, change: ChangeParams, ground: Ground, *, day: dt.date, event_day: dt.date, window: Window
) -> Float:
    """Reflectance on one day, before light and air, shape ``(4, H, W)``; the window may reach outside the area."""
    since = float((day - event_day).days)
    cover = crop(ground.landcover.cover, window)
    vigour = np.clip(crop(ground.landcover.vigour, window) * np.float32(optics.texture_share), -0.4, 0.4)
    late = np.clip(((day - dt.date(day.year, 8, 30)).days + 40) / 40, 0, 1)
    # For heath (red 0.06, near infrared 0.24) a share x less near infrared and more red lowers NDVI by 0.64 x.
    yellow = (YELLOWING * np.float32(change.senescence * late / 0.64))[cover]
    bands = [SUMMER[:, b][cover] * (1 + DENSER[b] * vigour) for b in range(4)]
    bands[2] *= 1 + yellow
    bands[3] *= 1 - yellow
    out = np.stack(bands)
    mown_for = since - crop(ground.change.mown_day, window)
    fresh = np.where(mown_for >= 0, np.exp(-np.maximum(mown_for, 0) / np.float32(20)), 0)
    ploughed = crop(ground.change.ploughed, window)
    _mix(out, MOWN, np.where(ploughed, 0, fresh))
    _mix(out, PLOUGHED, (ploughed & (mown_for >= 0)).astype(np.float32))
    _mix(out, FELLED, (since >= crop(ground.change.cut_day, window)).astype(np.float32))
    if since > 0:
        _mix(out, SEDIMENT, crop(ground.change.flood, window))
        regrown = 0.05 * since / 30
        bare = crop(ground.slides.bare, window) * np.float32(1 - regrown)
        wet = crop(ground.slides.wetness, window)
        inside = bare > 0
        scar = SCAR_DRY[:, None] + (SCAR_WET - SCAR_DRY)[:, None] * wet[inside]
        out[:, inside] += bare[inside] * (scar - out[:, inside])
    _mix(out, SNOW, (since < crop(ground.change.snow_day, window)).astype(np.float32))
    return out


def _mix(out: Float, spectrum: Float, share: Float) -> None:
    where = share > 0
    out[:, where] += share[where].astype(np.float32) * (spectrum[:, None] - out[:, where])
