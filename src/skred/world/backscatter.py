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
from skred.world.params import RadarParams

# Terrain-flattened gamma0 by Cover, VV and VH in dB: priors between published class means of C-band summer scenes.
LEVEL_DB = np.array(
    [
        [-20.0, -27.0],  # water
        [-7.5, -13.0],  # conifer
        [-8.5, -14.5],  # birch
        [-11.0, -17.5],  # meadow
        [-10.5, -16.5],  # heath
        [-12.0, -19.0],  # bog
        [-11.0, -19.0],  # till
        [-9.5, -17.0],  # rock
        [-5.0, -13.0],  # road and roof
    ],
    dtype=np.float32,
)
# How strongly moisture and plant growth move a class, relative to open ground, by Cover.
DRIFT = np.array([0.0, 0.75, 0.9, 1.2, 1.1, 1.2, 1.0, 0.6, 0.3], np.float32)
FELLED_DB = (np.float32(-1.2), np.float32(-2.5))
MOWN_DB = (np.float32(-0.8), np.float32(-1.5))
SNOW_DB = (np.float32(-16.0), np.float32(-23.0))
# Change on a landslide: mean and spread between landslides in dB, VV and VH. Forest loses its volume scattering; on
# grass the rough soil can be brighter than what it replaced.
FOREST_TO_BARE = ((-1.5, 1.5), (-3.0, 1.5))
GRASS_TO_BARE = ((0.5, 1.5), (-0.5, 1.2))
SHRUBS_TO_BARE = ((-0.5, 1.5), (-1.5, 1.3))  # heath lies between the two
DEPOSIT_DB = (1.5, 0.8)  # stones and logs on fields


@dataclass(frozen=True)
class Backscatter:
    """VV and VH in dB without drift and speckle, before and after the storm, each of shape (H, W)."""

    before_db: tuple[Float, Float]
    after_db: tuple[Float, Float]


def build_backscatter(params: RadarParams, ground: Ground) -> Backscatter:
    """Class levels with texture, seen at the radar's resolution (about two pixels); a function of its arguments."""
    rng = generator(ground.seed, "backscatter")
    cover, shape, pixel_m = ground.landcover.cover, ground.grid.shape, ground.grid.resolution_m
    common = correlated(rng, shape, pixel_m=pixel_m, scale_m=60)
    draws = np.zeros((len(ground.slides.footprints) + 1, 2), np.float32)
    for footprint in ground.slides.footprints:
        draws[footprint.id] = footprint.backscatter_draw
    margin = _margins(params, rng, ground)
    before, after = [], []
    for p in range(2):
        texture = 0.75 * common + 0.65 * correlated(rng, shape, pixel_m=pixel_m, scale_m=35)
        level = LEVEL_DB[:, p][cover] + np.float32(params.texture_db) * texture
        change = _landslide_change(rng, ground, p, draws[:, p]) + margin
        flood = ground.change.flood * (np.float32(-10.5 - 7.5 * p) - level) * np.float32(0.7)
        sigma = params.speckle_sigma_px
        before.append(_seen(level, sigma))
        after.append(_seen(level + change + flood, sigma))
    return Backscatter((before[0], before[1]), (after[0], after[1]))


def _landslide_change(rng: np.random.Generator, ground: Ground, p: int, draws: Float) -> Float:
    slides, cover = ground.slides, ground.landcover.cover
    table = np.array([GRASS_TO_BARE[p]] * len(Cover), np.float32)
    table[list(FOREST)] = FOREST_TO_BARE[p]
    table[Cover.HEATH] = SHRUBS_TO_BARE[p]
    mean, spread = table[:, 0][cover], table[:, 1][cover]
    # Half of the variance is a landslide's own (its soil, its roughness), half varies along it: no source tells more.
    shape, pixel_m = ground.grid.shape, ground.grid.resolution_m
    along = correlated(rng, shape, pixel_m=pixel_m, scale_m=60)
    departure = np.float32(np.sqrt(0.5)) * (draws[slides.number] + along)
    change = slides.bare * (mean + spread * departure)
    fields = np.isin(cover, (Cover.MEADOW, Cover.BOG))
    return np.asarray(change + slides.deposit * fields * np.float32(DEPOSIT_DB[p]), dtype=np.float32)


def _margins(params: RadarParams, rng: np.random.Generator, ground: Ground) -> Float:
    """Bright edges and dark shadows of the trees left standing around a landslide, one or two pixels wide."""
    share = ground.slides.share
    ring = np.clip(ndimage.gaussian_filter(share, 1.0) * 2 - share, 0, 1)
    sign = correlated(rng, share.shape, pixel_m=ground.grid.resolution_m, scale_m=90)
    return np.asarray(ring * np.clip(sign, -1.5, 1.5) * np.float32(params.landslide_margin_db), dtype=np.float32)


def _seen(level_db: NDArray[Any], sigma: float) -> Float:
    power = ndimage.gaussian_filter(np.exp(level_db * np.float32(np.log(10) / 10)), sigma)
    return np.asarray(10 * np.log10(power), dtype=np.float32)
