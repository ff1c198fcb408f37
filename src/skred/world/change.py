"""Change between the two months that is no landslide: mowing, clear-cuts, floods, eroded banks, melting snow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.events import Event
from skred.world.cover import Cover, Landcover
from skred.world.noise import Float, correlated, fractal, generator
from skred.world.params import ChangeParams
from skred.world.terrain import Terrain

NEVER = np.float32(1e4)


@dataclass(frozen=True)
class Change:
    """All of shape (H, W). Days count from the day of the event (negative before).

    `mown_day` and `cut_day` are when a parcel was mown or a stand was felled (`NEVER`: not at all); a ploughed
    parcel is mown and does not grow back (`ploughed`). `flood` is the share of a pixel under fresh sediment after the
    event, `bank` the part of it where the river took its bank away. `snow_day` is when the last snow of a pixel melts.
    """

    mown_day: Float
    ploughed: NDArray[np.bool_]
    cut_day: Float
    flood: Float
    bank: Float
    snow_day: Float


def build_change(
    params: ChangeParams, seed: int, event: Event, *, terrain: Terrain, landcover: Landcover, rain: Float
) -> Change:
    """Where and when the ground changes without a landslide; a function of its arguments alone."""
    rng = generator(seed, "change")
    before, after = (event.pre.first - event.date).days, (event.post.last - event.date).days
    parcels, meadow = landcover.parcels, landcover.cover == Cover.MEADOW
    day = rng.uniform(before - 20, after, parcels.count).astype(np.float32)
    draw = rng.random(parcels.count)
    ploughed = draw < params.ploughed_share
    # Grain and grass crops that are taken after the storm stay bare until the window ends.
    day[ploughed] = rng.uniform(-4, 8, int(ploughed.sum()))
    day[(draw >= params.ploughed_share + params.mown_share)] = NEVER
    mown = np.where(meadow, day[parcels.number], NEVER).astype(np.float32)
    cut_day = _clear_cuts(params, rng, terrain, landcover, before=before, after=after)
    flood = _floods(params, rng, terrain, landcover, rain)
    bank = _banks(params, rng, terrain, landcover, rain)
    return Change(
        mown_day=mown,
        ploughed=meadow & ploughed[parcels.number],
        cut_day=cut_day,
        flood=np.maximum(flood, bank),
        bank=bank,
        snow_day=_snow(params, rng, event, terrain),
    )


def _clear_cuts(
    params: ChangeParams, rng: np.random.Generator, terrain: Terrain, landcover: Landcover, *, before: int, after: int
) -> Float:
    """Whole stands of conifers, on any slope that machines or cables reach, a third of them felled before the event."""
    number = landcover.stands.number
    size = np.bincount(number.ravel(), minlength=landcover.stands.count)
    conifer = np.bincount(number[landcover.cover == Cover.CONIFER], minlength=landcover.stands.count)
    steep = np.bincount(number.ravel(), terrain.slope_deg.ravel(), landcover.stands.count) / np.maximum(size, 1)
    fit = np.flatnonzero((size > 25) & (conifer > 0.75 * size) & (steep > 4) & (steep < 36))
    area_km2 = number.size * (terrain.pixel_m / 1000) ** 2
    wanted = min(fit.size, round(params.clear_cuts_per_100km2 * area_km2 / 100))
    day = np.full(landcover.stands.count, NEVER, np.float32)
    if wanted:
        felled = rng.choice(fit, wanted, replace=False)
        day[felled] = rng.uniform(before * 0.5, after * 0.6, wanted)
    return np.where(landcover.cover == Cover.CONIFER, day[number], NEVER).astype(np.float32)


def _floods(
    params: ChangeParams, rng: np.random.Generator, terrain: Terrain, landcover: Landcover, rain: Float
) -> Float:
    """Fresh stones and mud along streams under the storm: on fans and flats, and as scoured beds of steep torrents."""
    shape = terrain.height_m.shape
    reach = correlated(rng, shape, pixel_m=terrain.pixel_m, scale_m=700)
    wide = fractal(rng, shape, pixel_m=terrain.pixel_m, longest_m=120, exponent=1.2)
    stream = (terrain.upslope_km2 > 0.25) & ~terrain.water
    lively = rain + 0.22 * reach
    threshold = np.quantile(lively[stream], 1 - params.flood_channel_share) if stream.any() else np.inf
    active = stream & (lively > threshold)
    away_m = ndimage.distance_transform_edt(~active) * terrain.pixel_m if active.any() else np.full(shape, 1e4)
    flat = np.clip((16 - terrain.slope_deg) / 12, 0, 1)
    half_m = 6 + 16 * flat + 7 * wide * (0.4 + flat)
    share = np.clip((half_m - away_m) / terrain.pixel_m + 0.5, 0, 1)
    dry = np.isin(landcover.cover, [Cover.WATER, Cover.BUILT])
    return np.where(dry, 0, share).astype(np.float32)


def _banks(
    params: ChangeParams, rng: np.random.Generator, terrain: Terrain, landcover: Landcover, rain: Float
) -> Float:
    """Strips along the main river that the flood took away: gravel and mud where plants stood."""
    shape = terrain.height_m.shape
    reach = correlated(rng, shape, pixel_m=terrain.pixel_m, scale_m=500)
    wide = correlated(rng, shape, pixel_m=terrain.pixel_m, scale_m=160)
    river = terrain.floor & ~terrain.water & (landcover.cover == Cover.WATER)
    lively = rain + 0.3 * reach
    if params.bank_erosion_share == 0 or not river.any():
        return np.zeros(shape, np.float32)
    active = river & (lively > np.quantile(lively[river], 1 - params.bank_erosion_share))
    away_m = ndimage.distance_transform_edt(~active) * terrain.pixel_m
    width_m = params.bank_erosion_m * np.exp(0.5 * wide)
    share = np.clip((width_m - away_m) / terrain.pixel_m + 0.5, 0, 1) * (terrain.slope_deg < 15)
    return np.where(np.isin(landcover.cover, [Cover.WATER, Cover.BUILT]), 0, share).astype(np.float32)


def _snow(params: ChangeParams, rng: np.random.Generator, event: Event, terrain: Terrain) -> Float:
    """Snow lies longest high up, in hollows and on northern slopes; the line climbs about 9 m a day in July."""
    shape = terrain.height_m.shape
    patch = fractal(rng, shape, pixel_m=terrain.pixel_m, longest_m=500, exponent=1.5)
    hollow = ndimage.gaussian_filter(terrain.height_m, 8) - terrain.height_m
    north = np.cos(np.radians(terrain.aspect_deg - 20)) * np.minimum(terrain.slope_deg / 30, 1)
    first = (dt.date(event.date.year, 7, 1) - event.date).days
    lasting = (terrain.height_m + 110 * patch + 5 * hollow + 90 * north - params.snow_line_m) / 9
    # Nothing lies on walls, which shed their snow.
    return np.where((terrain.slope_deg < 42) & ~terrain.water, first + lasting, -NEVER).astype(np.float32)
