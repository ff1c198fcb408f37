"""Mean backscatter of the ground before and after the storm, in dB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.world.cover import FOREST, Cover
from skred.world.ground import Ground
from skred.world.noise import Float, correlated, generator
from skred.world.params import BackscatterParams, RadarParams, WorldParams


@dataclass(frozen=True)
class Backscatter:
    """VV and VH in dB without drift and speckle, before and after the storm, each of shape (H, W); `trend_db` is the
    steady change over 30 days that every small patch of ground has of its own."""

    before_db: tuple[Float, Float]
    after_db: tuple[Float, Float]
    trend_db: tuple[Float, Float]


def build_backscatter(world: WorldParams, ground: Ground) -> Backscatter:
    """Class levels with texture, seen at the radar's resolution (about two pixels); a function of its arguments."""
    params, table = world.radar, world.backscatter
    levels = np.array([getattr(table, kind.name.lower()) for kind in Cover], np.float32)
    sensitive = np.array(table.drift, np.float32)[ground.landcover.cover]
    rng = generator(ground.seed, "backscatter")
    cover, shape, pixel_m = ground.landcover.cover, ground.grid.shape, ground.grid.resolution_m
    common = correlated(rng, shape, pixel_m=pixel_m, scale_m=60)
    draws = np.zeros((len(ground.slides.footprints) + 1, 2), np.float32)
    for footprint in ground.slides.footprints:
        draws[footprint.id] = footprint.backscatter_draw
    margin = _margins(params, rng, ground)
    before, after, trend = [], [], []
    for p in range(2):
        texture = 0.75 * common + 0.65 * correlated(rng, shape, pixel_m=pixel_m, scale_m=35)
        level = levels[:, p][cover] + np.float32(params.texture_db) * texture
        change = _landslide_change(table, rng, ground, p, draws[:, p]) + margin
        flood = ground.change.flood * (np.float32(table.sediment[p]) - level) * np.float32(0.7)
        sigma = params.speckle_sigma_px
        before.append(_seen(level, sigma))
        after.append(_seen(level + change + flood, sigma))
        own = correlated(rng, shape, pixel_m=pixel_m, scale_m=params.local_scale_m)
        trend.append((params.trend_db_per_30_days * sensitive * own).astype(np.float32))
    return Backscatter((before[0], before[1]), (after[0], after[1]), (trend[0], trend[1]))


def _landslide_change(
    table: BackscatterParams, rng: np.random.Generator, ground: Ground, p: int, draws: Float
) -> Float:
    """Forest loses its volume scattering; on grass the rough soil can be brighter than what it replaced."""
    slides, cover = ground.slides, ground.landcover.cover
    by_cover = [table.grass_to_bare] * len(Cover)
    for kind in FOREST:
        by_cover[kind] = table.forest_to_bare
    by_cover[Cover.HEATH] = table.shrubs_to_bare
    mean, spread = (np.array([entry[k][p] for entry in by_cover], np.float32)[cover] for k in (0, 1))
    # Half of the variance is a landslide's own (its soil, its roughness), half varies along it: no source tells more.
    shape, pixel_m = ground.grid.shape, ground.grid.resolution_m
    along = correlated(rng, shape, pixel_m=pixel_m, scale_m=60)
    departure = np.float32(np.sqrt(0.5)) * (draws[slides.number] + along)
    change = slides.bare * (mean + spread * departure)
    fields = np.isin(cover, (Cover.MEADOW, Cover.BOG))
    return np.asarray(change + slides.deposit * fields * np.float32(table.deposit_change[p]), dtype=np.float32)


def _margins(params: RadarParams, rng: np.random.Generator, ground: Ground) -> Float:
    """Bright edges and dark shadows of the trees left standing around a landslide, one or two pixels wide."""
    share = ground.slides.share
    ring = np.clip(ndimage.gaussian_filter(share, 1.0) * 2 - share, 0, 1)
    sign = correlated(rng, share.shape, pixel_m=ground.grid.resolution_m, scale_m=90)
    return np.asarray(ring * np.clip(sign, -1.5, 1.5) * np.float32(params.landslide_margin_db), dtype=np.float32)


def _seen(level_db: NDArray[Any], sigma: float) -> Float:
    power = ndimage.gaussian_filter(np.exp(level_db * np.float32(np.log(10) / 10)), sigma)
    return np.asarray(10 * np.log10(power), dtype=np.float32)
