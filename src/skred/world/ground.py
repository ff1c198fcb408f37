"""The ground of a place through the two months: everything that does not depend on a satellite, in whole arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skred.core.events import Event
from skred.core.grid import Grid
from skred.world.change import Change, build_change
from skred.world.cover import Landcover, build_cover
from skred.world.footprints import Footprint
from skred.world.landslides import rain_field, trigger
from skred.world.noise import Float, seed_of
from skred.world.params import WorldParams
from skred.world.terrain import Terrain, build_terrain

CALM = np.float32(0.3)  # rain of a week without a storm, as a part of a storm's [I]


@dataclass(frozen=True)
class Slides:
    """The landslides on the pixels of the area, each of shape (H, W).

    `share` is the part of a pixel inside any landslide, `bare` the part that lost its plants, `deposit` the part under
    debris, `number` the id of the landslide (0: none), `wetness` that of its soil.
    """

    share: Float
    bare: Float
    deposit: Float
    number: NDArray[np.int32]
    wetness: Float
    footprints: tuple[Footprint, ...]


@dataclass(frozen=True)
class Ground:
    """All that satellites look at. `rain` is that of the storm, 0 to 1; it is weak where no landslide fell."""

    grid: Grid
    seed: int
    terrain: Terrain
    landcover: Landcover
    change: Change
    slides: Slides
    rain: Float


def build_ground(params: WorldParams, event: Event) -> Ground:
    """The ground of an event with a section `simulation`; a function of its arguments alone.

    Raises
    ------
    SkredError
        The area has no room for the event's landslides.
    """
    assert event.simulation is not None  # noqa: S101  # checked by `build_world`
    grid = event.area.grid
    shape, pixel_m = grid.shape, grid.resolution_m
    seed = seed_of(event.simulation.seed, *event.area.center_lonlat)
    terrain = build_terrain(params.terrain, seed, shape, pixel_m)
    landcover = build_cover(params.cover, seed, terrain)
    rain = rain_field(params.storm, seed, shape, pixel_m)
    count = event.simulation.landslides
    found = trigger(params.landslides, seed, count, terrain=terrain, cover=landcover.cover, rain=rain)
    if count == 0:
        # An ordinary wet week: less rain, and no more of the streams carry sediment than that share of a storm's.
        rain = CALM * rain
        share = CALM * params.change.flood_channel_share
        calm = params.change.model_copy(update={"flood_channel_share": share})
    else:
        calm = params.change
    change = build_change(calm, seed, event, terrain=terrain, landcover=landcover, rain=rain)
    return Ground(grid, seed, terrain, landcover, change, _slides(found, shape), rain)


def _slides(found: list[Footprint], shape: tuple[int, int]) -> Slides:
    share, bare, deposit, wetness = (np.zeros(shape, np.float32) for _ in range(4))
    number = np.zeros(shape, np.int32)
    for footprint in found:
        place = (footprint.rows, footprint.cols)
        touched = footprint.share > 0
        share[place] += footprint.share
        bare[place] += footprint.bare
        deposit[place] += footprint.deposit
        number[place][touched] = footprint.id
        wetness[place][touched] = footprint.wetness
    return Slides(share, bare, deposit, number, wetness, tuple(found))


def truth_mask(slides: Slides, pixel_m: float) -> NDArray[np.uint8]:
    """Raster of the landslides that keeps their areas: of each, the ``round(area / pixel area)`` pixels (at least one)
    that it covers most. Wide landslides are thereby the pixels that they cover by about half or more; narrow ones,
    which cover no pixel by half, are still there. Shape ``(H, W)``, 1 landslide, 0 none."""
    truth = np.zeros(slides.share.shape, np.uint8)
    for footprint in slides.footprints:
        wanted = max(1, round(footprint.area_m2 / pixel_m**2))
        order = np.argsort(-footprint.share.ravel(), kind="stable")[:wanted]
        rows, cols = np.unravel_index(order, footprint.share.shape)
        truth[rows + footprint.rows.start, cols + footprint.cols.start] = 1
    return truth
