"""Which items answer a request, in which order, and how they become scenes with pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon, box

from skred.core.grid import Grid
from skred.hub.errors import refuse
from skred.hub.items import DN_PER_REFLECTANCE, Item, PixelSource
from skred.hub.place import Place
from skred.hub.request import Data, DemData, OpticalData, RadarData
from skred.hub.setup import Mosaicking


@dataclass(frozen=True)
class Scene:
    """What the script sees as one sample: items that fill each other's gaps, the first one on top.

    Empty `items` are pixels without data; the elevation model is one scene with the item None.
    """

    items: tuple[Item | None, ...]


DEM_SCENE = Scene((None,))


def select(items: Sequence[Item], data: Data, area: Grid | None) -> tuple[Item, ...]:
    """The items that a data source of a request means, the one that lies on top first.

    `area` is the part of the source's grid that the request covers (None: none of it). An item must touch it. Of
    items of the same time the one that was published last lies on top: a product may be processed again. An item of
    unknown cloud cover may be all cloud: only a `maxCloudCoverage` of 100 % finds it.

    Raises
    ------
    ServiceError
        The order is ``leastCC`` and the cloud cover of an item is unknown.
    """
    if isinstance(data, DemData) or area is None:
        return ()
    outline = box(*area.bounds_lonlat())
    span = data.data_filter.time_range
    found = [
        item
        for item in items
        if item.collection == data.type
        and span.start <= item.time <= span.end
        and _passes(item, data)
        and Polygon(item.footprint).intersects(outline)
    ]
    if isinstance(data, OpticalData) and data.data_filter.mosaicking_order == "leastCC":
        for item in found:
            if _cloud_cover(item) is None:
                refuse(
                    "input->data->dataFilter->mosaickingOrder",
                    f"leastCC needs the cloud cover of every item, and {item.id!r} has no eo:cloud_cover",
                )
    found.sort(key=lambda item: item.id)
    found.sort(key=lambda item: str(item.properties.get("updated", "")), reverse=True)
    return tuple(sorted(found, key=_on_top_first(data.data_filter.mosaicking_order)))


def _passes(item: Item, data: OpticalData | RadarData) -> bool:
    if isinstance(data, OpticalData):
        cloud = _cloud_cover(item)
        return (100.0 if cloud is None else cloud) <= data.data_filter.max_cloud_coverage
    wanted = {
        "sat:orbit_state": data.data_filter.orbit_direction,
        "sar:instrument_mode": data.data_filter.acquisition_mode,
        "s1:polarization": data.data_filter.polarization,
        "s1:resolution": data.data_filter.resolution,
        "s1:timeliness": data.data_filter.timeliness,
    }
    return all(value is None or _plain(item.properties.get(name)) == _plain(value) for name, value in wanted.items())


def _cloud_cover(item: Item) -> float | None:
    """Percent, or None where nobody knows it."""
    value = item.properties.get("eo:cloud_cover")
    return None if value is None else float(value)


def _plain(value: object) -> str:
    """The catalog writes Fast-24h and ascending where a filter says Fast24h and ASCENDING."""
    return str(value).lower().replace("-", "")


def _on_top_first(order: str) -> Callable[[Item], float]:
    if order == "leastCC":
        return lambda item: float(item.properties["eo:cloud_cover"])  # known of all: select has asked
    sign = 1.0 if order == "leastRecent" else -1.0
    return lambda item: sign * item.time.timestamp()


def group(items: Sequence[Item], mosaicking: Mosaicking) -> tuple[Scene, ...]:
    """Items as scenes: all in one (SIMPLE), one a calendar day in UTC (ORBIT, as at the service), one each (TILE)."""
    if mosaicking == "SIMPLE":
        return (Scene(tuple(items)),)
    if mosaicking == "TILE":
        return tuple(Scene((item,)) for item in items)
    days = groupby(sorted(items, key=lambda item: item.time.date()), key=lambda item: item.time.date())
    by_day = {day: Scene(tuple(of_day)) for day, of_day in days}
    return tuple(by_day[day] for day in dict.fromkeys(item.time.date() for item in items))


def fill(
    source: PixelSource,
    collection: str,
    scene: Scene,
    units: Mapping[str, str],
    *,
    place: Place,
    out: NDArray[np.float32],
) -> None:
    """Write the pixels of a scene into `out`, shape ``(bands, H, W)`` and all 0, which it stays where no item has data.

    `units` holds the bands in order, each with its unit.
    """
    if place.window is None:
        return
    view = out[:, *place.target]
    wanted = tuple(band for band in units if band != "dataMask")
    empty = place.shown.copy()
    for item in scene.items:
        pixels = source.read(collection, item, (*wanted, "dataMask"), place.window)
        new = empty & (place.picked(pixels["dataMask"]) != 0)
        for k, (band, unit) in enumerate(units.items()):
            np.copyto(view[k], _in_unit(place.picked(pixels[band]), unit, band), where=new, casting="same_kind")
        empty &= ~new
        if not empty.any():
            return


def _in_unit(values: NDArray[Any], unit: str, band: str) -> NDArray[np.float32]:
    if unit == "REFLECTANCE" or (unit == "DN" and band.startswith("B")):
        # the product stores whole numbers: reflectance as the service gives it is a multiple of 0.0001
        numbers = np.clip(np.floor(values.astype(np.float64) * DN_PER_REFLECTANCE + 0.5), 0, 65535)
        values = numbers if unit == "DN" else numbers / DN_PER_REFLECTANCE
    return values.astype(np.float32)
