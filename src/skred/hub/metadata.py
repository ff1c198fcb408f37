"""What a script is told about its scenes, in the form that the service documents."""

from __future__ import annotations

import datetime as dt
import zlib
from typing import Any

from skred.hub.items import S1, Item
from skred.hub.scenes import Scene
from skred.hub.setup import Mosaicking

_CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC::CRS84"}}


def scene_metadata(scene: Scene, mosaicking: Mosaicking, *, bounds: bool) -> dict[str, Any]:
    """One element of ``scenes.orbits`` or ``scenes.tiles``; of SIMPLE mosaicking a script is told nothing."""
    tiles = [_tile(item, bounds=bounds) for item in scene.items if item is not None]
    if mosaicking == "SIMPLE":
        return {}
    if mosaicking == "TILE":
        return tiles[0]
    day = tiles[0]["date"][: len("2019-07-30")]
    return {"dateFrom": f"{day}T00:00:00Z", "dateTo": f"{day}T23:59:59Z", "tiles": tiles}


def sensed(scene: Scene) -> str | None:
    """When the item on top was acquired, as ISO text; None for the elevation model and for pixels without data."""
    times = [_iso(item.time) for item in scene.items if item is not None]
    return times[0] if times else None


def _tile(item: Item, *, bounds: bool) -> dict[str, Any]:
    tile: dict[str, Any] = {
        "date": _iso(item.time),
        "shId": zlib.crc32(item.id.encode()),
        "dataPath": f"offline/{item.collection}/{item.id}",
    }
    if item.collection == S1:
        tile["sentinel1ProductId"] = item.id
    if "eo:cloud_cover" in item.properties:
        tile["cloudCoverage"] = item.properties["eo:cloud_cover"]
    if bounds:
        ring = [list(point) for point in item.footprint]
        lon, lat = zip(*ring, strict=True)
        west, south, east, north = min(lon), min(lat), max(lon), max(lat)
        envelope = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        tile["dataGeometry"] = {"type": "MultiPolygon", "crs": _CRS, "coordinates": [[ring]]}
        tile["dataEnvelope"] = {"type": "Polygon", "crs": _CRS, "coordinates": [envelope]}
    return tile


def _iso(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
