"""What Sentinel-2 sees: ground, point-spread, sunlight and shadow, haze, cloud, noise, and a scene classification."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import norm

from skred.core.grid import Window
from skred.world.clouds import NODE_PX, CloudField
from skred.world.cover import PLANTS, Cover
from skred.world.ground import Ground
from skred.world.noise import Float, correlated, crop, from_nodes, generator, grow, normals, seed_of, uniforms
from skred.world.params import OpticsParams, WorldParams
from skred.world.spectra import BANDS, ground_reflectance
from skred.world.sun import Sun

HALO_PX = 3  # of the point-spread
FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True)
class Look:
    """One pass of Sentinel-2: its day, the sun, the cloud, and the horizon (H, W) in the sun's direction."""

    key: str
    day: dt.date
    event_day: dt.date
    sun: Sun
    cloud: CloudField
    horizon_deg: Float


def render_optical(
    params: WorldParams, ground: Ground, *, look: Look, valid: NDArray[np.uint8], window: Window
) -> dict[str, NDArray[Any]]:
    """Reflectance (float32), SCL and dataMask (uint8), each of shape ``(H, W)``."""
    optics = params.optics
    side = max(1, round(20 / ground.grid.resolution_m))
    blocks, cut = _blocks(window, side)
    light = _light(ground, look, blocks)
    opacity, shadow, lit, veil = light
    classes = _classify(optics, ground, look, blocks=blocks, side=side, light=light)
    out: dict[str, NDArray[Any]] = {}
    seen = ground_reflectance(
        params.spectra,
        optics.texture_share,
        params.change.senescence,
        ground,
        day=look.day,
        event_day=look.event_day,
        window=grow(window, HALO_PX),
    )
    direct = _direct(optics, ground, look.sun, window) * lit[cut] * (1 - np.float32(0.95) * shadow[cut])
    cloud, white = opacity[cut], np.float32(0.36) + np.float32(0.34) * look.cloud.thickness(window)
    diffuse, hazy = np.array(optics.skylight_share, np.float32), np.array(optics.haze_by_band, np.float32)
    noise = [*normals(window, seed_of(look.key, "noise", 0)), *normals(window, seed_of(look.key, "noise", 1))]
    sigma = optics.point_spread_px / FWHM_PER_SIGMA
    for b, name in enumerate(BANDS):
        band = ndimage.gaussian_filter(seen[b], sigma, radius=HALO_PX)[HALO_PX:-HALO_PX, HALO_PX:-HALO_PX]
        band = band * (diffuse[b] + (1 - diffuse[b]) * direct) + hazy[b] * np.float32(look.cloud.haze)
        band += veil[cut]
        band += cloud * (white - band)
        band += noise[b] * np.hypot(np.float32(optics.noise_reflectance), np.float32(optics.noise_share) * band)
        out[name] = np.where(valid == 1, np.maximum(band, np.float32(1e-4)), np.float32(0)).astype(np.float32)
    out["SCL"] = np.where(valid == 1, classes[cut], 0).astype(np.uint8)
    out["dataMask"] = valid
    return out


def classes_and_hidden(
    params: WorldParams, ground: Ground, *, look: Look, valid: NDArray[np.uint8], window: Window
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The scene classification (SCL) of a look, as `render_optical` has it, and where cloud, cirrus or cloud shadow as
    thick as it sees elsewhere truly hide the ground. Each of shape ``(H, W)``."""
    optics = params.optics
    side = max(1, round(20 / ground.grid.resolution_m))
    blocks, cut = _blocks(window, side)
    light = _light(ground, look, blocks)
    classes = _classify(optics, ground, look, blocks=blocks, side=side, light=light)
    opacity, shadow, _, veil = light
    hidden = (opacity > optics.scl_cloud_opacity[1]) | (shadow > optics.scl_shadow)
    hidden |= veil > optics.scl_cirrus_reflectance
    return np.where(valid == 1, classes[cut], 0).astype(np.uint8), hidden[cut]


def _light(ground: Ground, look: Look, blocks: Window) -> tuple[Float, Float, Float, Float]:
    """Opacity of cloud, its shadow, the share of direct sun that terrain leaves, and cirrus, on whole 20 m blocks."""
    return (
        look.cloud.opacity(blocks),
        look.cloud.shadow(blocks, look.sun, ground.grid.resolution_m),
        _lit(look, crop(look.horizon_deg, blocks)),
        look.cloud.cirrus(blocks),
    )


def _blocks(window: Window, side: int) -> tuple[Window, tuple[slice, slice]]:
    """The whole 20 m blocks around a window, and where the window lies in them."""
    row, col = window.row // side * side, window.col // side * side
    height = -(-(window.row + window.height) // side) * side - row
    width = -(-(window.col + window.width) // side) * side - col
    cut = (
        slice(window.row - row, window.row - row + window.height),
        slice(window.col - col, window.col - col + window.width),
    )
    return Window(row, col, height, width), cut


def _lit(look: Look, horizon: Float) -> Float:
    # The sun's disc and the sky around it make the edge of a cast shadow about 1.5 degrees soft.
    share = (np.float32(look.sun.elevation_deg) - horizon) / np.float32(1.5) + np.float32(0.5)
    return np.asarray(np.clip(share, 0, 1), dtype=np.float32)


def _direct(optics: OpticsParams, ground: Ground, sun: Sun, window: Window) -> Float:
    """Direct sunlight on a slope relative to level ground, as far as terrain correction leaves it."""
    slope = np.radians(crop(ground.terrain.slope_deg, window))
    aspect = np.radians(crop(ground.terrain.aspect_deg, window))
    high, azimuth = np.radians(np.float32(sun.elevation_deg)), np.radians(np.float32(sun.azimuth_deg))
    facing = np.cos(slope) * np.sin(high) + np.sin(slope) * np.cos(high) * np.cos(aspect - azimuth)
    ratio = np.clip(facing / np.sin(high), 0, np.float32(1.6))
    return np.asarray(1 + np.float32(optics.shading_share) * (ratio - 1), dtype=np.float32)


def _classify(
    optics: OpticsParams,
    ground: Ground,
    look: Look,
    *,
    blocks: Window,
    side: int,
    light: tuple[Float, Float, Float, Float],
) -> NDArray[np.uint8]:
    """Sen2Cor's scene classes at 20 m: what its upper left pixel is, a block is. Misses some cloud and shadow."""
    opacity, shadow, lit, veil = (field[::side, ::side] for field in light)
    edge, thin, thick = optics.scl_cloud_opacity
    since = (look.day - look.event_day).days
    cover = crop(ground.landcover.cover, blocks)[::side, ::side]
    base = np.full(len(Cover), 5, np.uint8)
    base[list(PLANTS)] = 4
    base[Cover.WATER] = 6
    classes = base[cover]
    if since > 0:
        fresh = crop(ground.slides.bare, blocks)[::side, ::side] + crop(ground.change.flood, blocks)[::side, ::side]
        classes[fresh > 0.5] = 5
    # One number per block of the grid, whatever the window: what the classification makes of a doubtful block.
    place = Window(blocks.row // side, blocks.col // side, *classes.shape)
    doubt = uniforms(place, seed_of(look.key, "doubt"))
    bare = classes == 5
    classes[bare & (doubt < optics.bright_as_cloud_share)] = 8
    classes[(bare | (opacity > edge)) & (doubt > 1 - optics.unclassified_share)] = 7
    classes[(lit < 0.5) & (cover != Cover.WATER)] = 2
    snow = since < crop(ground.change.snow_day, blocks)[::side, ::side]
    classes[snow] = 11
    shape = ground.grid.shape
    nodes = (shape[0] // NODE_PX + 2, shape[1] // NODE_PX + 2)
    missed = []
    for kind, share in (("cloud", optics.missed_cloud_share), ("shadow", optics.missed_shadow_share)):
        rng = generator(look.key, "missed", kind)
        field = correlated(rng, nodes, pixel_m=NODE_PX * ground.grid.resolution_m, scale_m=500)
        rare = norm.ppf(np.clip(1 - share, 1e-6, 1 - 1e-6))
        missed.append(from_nodes(field, NODE_PX, (0, 0), blocks)[::side, ::side] > rare)
    classes[(shadow > optics.scl_shadow) & (opacity <= thin) & ~missed[1]] = 3
    cloudy = (opacity > thin) & ~missed[0]
    classes[(veil > optics.scl_cirrus_reflectance) & ~missed[0]] = 10
    classes[cloudy] = np.where(opacity > thick, 9, 8)[cloudy]
    classes[(snow | (cloudy & (opacity > thick))) & (doubt < optics.saturated_share)] = 1
    return np.repeat(np.repeat(classes, side, axis=0), side, axis=1)
