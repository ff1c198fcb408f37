"""From a simulated world straight to its 13 bands: the same functions as the pipeline, without service and files."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.coding import REFLECTANCE_STEP, encode_db
from skred.composite import labels, optical, radar, terrain
from skred.composite.params import CompositeParams
from skred.core.bands import EVENT_BANDS, band_names
from skred.world.acquisitions import Acquisition
from skred.world.world import World

Layers = dict[str, NDArray[Any]]
THREADS = 2  # passes rendered at once; what comes out does not depend on it


@dataclass(frozen=True)
class Composited:
    """`bands` by the names of `EVENT_BANDS`, each (H, W) float32, NaN where unknown; `quality` as the composite stage
    writes it; `labels` (H, W) from the inventory; `slide` (H, W) int32 the number of the mapped landslide, 0 none."""

    bands: Layers
    quality: Layers
    labels: NDArray[np.uint8]
    slide: NDArray[np.int32]

    def values(self) -> NDArray[np.float32]:
        """All bands in their order, shape (13, H, W)."""
        return np.stack([self.bands[name] for name in band_names(EVENT_BANDS)]).astype(np.float32)


def composite_world(world: World, params: CompositeParams) -> Composited:
    """Composite every pass of a world; the rules are those of the section `composite`."""
    bands, quality = optical_bands(world, params)
    radar_layers, radar_quality = radar_bands(world, params)
    elevation = world.dem(world.grid.whole)
    bands |= radar_layers
    bands |= {"elevation": elevation, "slope": terrain.slope_deg(elevation, world.grid.resolution_m)}
    table = world.inventory()
    slide = np.zeros(world.grid.shape, np.int32)
    for number, shape in zip(table["id"], table.geometry, strict=True):
        slide[labels.best_covered(shape, world.grid)] = number
    mapped = labels.rasterize(labels.Inventory(tuple(table.geometry), ()), world.grid)
    return Composited(bands, quality | radar_quality, mapped, slide)


def passes(world: World, sensor: str, after: bool) -> list[Acquisition]:
    """Passes of one sensor in the window before or after the event, in order of time."""
    days = world.event.post if after else world.event.pre
    return [one for one in world.acquisitions() if one.sensor == sensor and days.first <= one.day <= days.last]


def rendered(world: World, flown: list[Acquisition]) -> Iterator[Layers]:
    """The passes `flown`, whole, in order; a few are rendered ahead by threads."""
    render = world.optical if flown and flown[0].sensor == "S2" else world.radar
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = iter(flown)
        ahead = [pool.submit(render, one, world.grid.whole) for one in islice(waiting, THREADS)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(render, one, world.grid.whole) for one in islice(waiting, 1)]


def optical_bands(world: World, params: CompositeParams) -> tuple[Layers, Layers]:
    """Colours, NDVI and clear looks. As `skred.composite.build` does from files."""
    growth_px = params.optical.mask_growth_m / world.grid.resolution_m

    def looks(after: bool) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.bool_]]]:
        for look in rendered(world, passes(world, "S2", after)):
            dn = np.stack([np.round(look[name] / REFLECTANCE_STEP).astype(np.uint16) for name in optical.COLOURS])
            yield dn, optical.clear_mask(look["SCL"], params.optical.dropped, growth_px)

    pre, post = (optical.greenest(looks(after), world.grid.shape) for after in (False, True))
    seen_pre, seen_post = (window.looks >= params.optical.min_clear for window in (pre, post))
    pre.ndvi[~seen_pre], post.ndvi[~seen_post] = np.nan, np.nan
    post.colours[:, ~seen_post] = np.nan
    blue, green, red, nir = post.colours
    bands: Layers = {"post_red": red, "post_green": green, "post_blue": blue, "post_nir": nir}
    bands |= {"pre_ndvi": pre.ndvi, "post_ndvi": post.ndvi, "dndvi": post.ndvi - pre.ndvi}
    quality: Layers = {"clear_pre": pre.looks, "clear_post": post.looks, "observable_optical": seen_pre & seen_post}
    return bands, quality


def radar_bands(world: World, params: CompositeParams) -> tuple[Layers, Layers]:
    """VV and VH before and after, in dB. As `skred.composite.build` does from files."""
    tracks = sorted({(one.orbit_direction, one.relative_orbit) for one in world.acquisitions() if one.sensor == "S1"})
    blind = {key: world.viewing(*key, world.grid.whole)["shadowMask"] > 0 for key in tracks}
    nowhere = np.zeros(world.grid.shape, bool)

    def sums(track: tuple[str, int], after: bool) -> radar.WindowSums:
        flown = [one for one in passes(world, "S1", after) if (one.orbit_direction, one.relative_orbit) == track]
        codes = (np.stack([encode_db(look[name]) for name in radar.POLARISATIONS]) for look in rendered(world, flown))
        return radar.sum_passes(codes, world.grid.shape, params.radar.mean)

    result = radar.combine(
        (
            radar.TrackSums(
                sums(key, False), sums(key, True), blind[key] if params.radar.drop_layover_shadow else nowhere
            )
            for key in tracks
        ),
        world.grid.shape,
        mean=params.radar.mean,
        min_passes=params.radar.min_passes,
    )
    bands: Layers = {"pre_vv": result.pre_db[0], "pre_vh": result.pre_db[1]}
    bands |= {"post_vv": result.post_db[0], "post_vh": result.post_db[1]}
    quality: Layers = {
        "passes_pre": result.passes_pre,
        "passes_post": result.passes_post,
        "layover_shadow": np.logical_and.reduce(list(blind.values())),
        "observable_radar": result.tracks > 0,
    }
    return bands, quality
