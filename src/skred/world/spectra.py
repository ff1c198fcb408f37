"""Reflectance of the ground in B02, B03, B04, B08 as it changes through the two months."""

from __future__ import annotations

import datetime as dt

import numpy as np

from skred.core.grid import Window
from skred.world.cover import Cover
from skred.world.ground import Ground
from skred.world.noise import Float, crop
from skred.world.params import SpectraParams, Spectrum

BANDS = ("B02", "B03", "B04", "B08")

# Denser plants are darker in the red and brighter in the near infrared, per standard deviation of vigour.
DENSER = np.array([-0.6, -0.35, -0.9, 0.8], np.float32)


def ground_reflectance(
    spectra: SpectraParams,
    texture_share: float,
    senescence: float,
    ground: Ground,
    *,
    day: dt.date,
    event_day: dt.date,
    window: Window,
) -> Float:
    """Reflectance on one day, before light and air, shape ``(4, H, W)``; the window may reach outside the area."""
    since = float((day - event_day).days)
    cover = crop(ground.landcover.cover, window)
    vigour = np.clip(crop(ground.landcover.vigour, window) * np.float32(texture_share), -0.4, 0.4)
    late = np.clip(((day - dt.date(day.year, 8, 30)).days + 40) / 40, 0, 1)
    # For heath (red 0.06, near infrared 0.24) a share x less near infrared and more red lowers NDVI by 0.64 x.
    yellow = (np.array(spectra.yellowing, np.float32) * np.float32(senescence * late / 0.64))[cover]
    summer = np.array([getattr(spectra, kind.name.lower()) for kind in Cover], np.float32)
    bands = [summer[:, b][cover] * (1 + DENSER[b] * vigour) for b in range(4)]
    bands[2] *= 1 + yellow
    bands[3] *= 1 - yellow
    out = np.stack(bands)
    mown_for = since - crop(ground.change.mown_day, window)
    fresh = np.where(mown_for >= 0, np.exp(-np.maximum(mown_for, 0) / np.float32(20)), 0)
    ploughed = crop(ground.change.ploughed, window)
    _mix(out, spectra.mown, np.where(ploughed, 0, fresh))
    _mix(out, spectra.ploughed, (ploughed & (mown_for >= 0)).astype(np.float32))
    _mix(out, spectra.felled, (since >= crop(ground.change.cut_day, window)).astype(np.float32))
    if since > 0:
        _mix(out, spectra.sediment, crop(ground.change.flood, window))
        regrown = spectra.regrowth_per_30_days * since / 30
        bare = crop(ground.slides.bare, window) * np.float32(1 - regrown)
        wet = crop(ground.slides.wetness, window)
        inside = bare > 0
        dry, moist = (np.array(scar, np.float32)[:, None] for scar in (spectra.scar_dry, spectra.scar_wet))
        scar = dry + (moist - dry) * wet[inside]
        out[:, inside] += bare[inside] * (scar - out[:, inside])
    _mix(out, spectra.snow, (since < crop(ground.change.snow_day, window)).astype(np.float32))
    return out


def _mix(out: Float, reflectance: Spectrum, share: Float) -> None:
    where = share > 0
    spectrum = np.array(reflectance, np.float32)
    out[:, where] += share[where].astype(np.float32) * (spectrum[:, None] - out[:, where])
