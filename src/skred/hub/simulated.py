"""The simulated world as a source of pixels for the offline service."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry import MultiPoint

from skred.core.events import read_event
from skred.core.grid import Grid, Window
from skred.core.params import read_section
from skred.hub.items import DEM, S1, S2, Item
from skred.world.acquisitions import Acquisition, covered
from skred.world.params import WorldParams
from skred.world.world import World, build_world

_COLLECTIONS = {"S1": S1, "S2": S2}
_PUBLISHED_AFTER = dt.timedelta(hours=3)  # a typical delay between sensing and the catalog; the item's version


class SimulatedSource:
    """Serves a `World`; its acquisitions are the catalog."""

    simulated = True

    def __init__(self, world: World) -> None:
        self._world = world
        self._acquisitions = {one.id: one for one in world.acquisitions()}
        self._items = tuple(_item(one, world.grid) for one in self._acquisitions.values())

    @property
    def grid(self) -> Grid:
        return self._world.grid

    def items(self) -> tuple[Item, ...]:
        return self._items

    def read(
        self, collection: str, item: Item | None, bands: tuple[str, ...], window: Window
    ) -> dict[str, NDArray[Any]]:
        """See `skred.hub.items.PixelSource`."""
        if item is None or collection == DEM:
            height = self._world.dem(window)
            return {"DEM": height, "dataMask": np.ones(height.shape, np.uint8)}
        acquisition = self._acquisitions[item.id]
        if collection == S2:
            return dict(self._world.optical(acquisition, window))
        pixels: dict[str, NDArray[Any]] = {}
        if {"VV", "VH"} & set(bands):
            pixels |= self._world.radar(acquisition, window)
        else:
            pixels["dataMask"] = covered(acquisition, self.grid, window)
        if {"localIncidenceAngle", "shadowMask"} & set(bands):
            pixels |= self._world.viewing(acquisition.orbit_direction, acquisition.relative_orbit, window)
        return pixels


def simulated_source(event_file: Path, params_file: Path) -> SimulatedSource:
    """The world of an event file under the section ``world`` of a params file.

    Raises
    ------
    InputError
        A file is missing or wrong, or the event is not a simulated one.
    """
    event = read_event(event_file)
    return SimulatedSource(build_world(read_section(params_file, "world", WorldParams), event))


def _item(acquisition: Acquisition, grid: Grid) -> Item:
    published = (acquisition.time + _PUBLISHED_AFTER).isoformat().replace("+00:00", "Z")
    properties: dict[str, Any] = {
        "platform": f"sentinel-{acquisition.platform[1:].lower()}",
        "constellation": f"sentinel-{acquisition.platform[1]}",
        "created": published,
        "updated": published,
    }
    if acquisition.sensor == "S2":
        properties["eo:cloud_cover"] = acquisition.cloud_cover_percent
    else:
        properties |= {
            "sar:instrument_mode": "IW",
            "s1:polarization": "DV",
            "s1:resolution": "HIGH",
            "s1:timeliness": "Fast-24h",
            "sat:orbit_state": acquisition.orbit_direction,
            "sat:absolute_orbit": acquisition.absolute_orbit,
            "sat:relative_orbit": acquisition.relative_orbit,
        }
    footprint = _footprint(acquisition, grid)
    return Item(acquisition.id, _COLLECTIONS[acquisition.sensor], acquisition.time, footprint, properties)


def _footprint(acquisition: Acquisition, grid: Grid) -> tuple[tuple[float, float], ...]:
    """Outline of what the pass shows of the world; beyond the grid there is nothing."""
    mask = covered(acquisition, grid, grid.whole) > 0
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = grid.width - mask[rows, ::-1].argmax(axis=1)
    cols = np.concatenate([first, last, first, last])
    edges = np.concatenate([rows, rows, rows + 1, rows + 1])
    hull = MultiPoint(np.column_stack([cols, edges])).convex_hull
    col, row = np.asarray(hull.exterior.coords).T
    x, y = grid.west + col * grid.resolution_m, grid.north - row * grid.resolution_m
    lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    return tuple((round(float(a), 7), round(float(b), 7)) for a, b in zip(lon, lat, strict=True))
