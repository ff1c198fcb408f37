"""Catalog items, as far as they matter here."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shapely import MultiPolygon, set_precision, wkt
from shapely.errors import ShapelyError
from shapely.geometry import shape

from skred.core.errors import SkredError
from skred.manifest import OrbitDirection

Sensor = Literal["S1", "S2"]
COLLECTIONS: dict[Sensor, str] = {"S1": "sentinel-1-grd", "S2": "sentinel-2-l2a"}

# What to ask the catalog for: of radar, the one kind of image that is comparable over time.
FILTERS: dict[Sensor, str | None] = {
    "S1": "sar:instrument_mode='IW' AND s1:polarization='DV' AND s1:resolution='HIGH'",
    "S2": None,
}

# Relative orbit = (absolute orbit - first) mod 175 + 1; the constants are those of the two satellites' cycles.
_FIRST_ORBIT = {"S1A": 73, "S1B": 27}
_S1_ID = re.compile(r"^(S1[A-D])_IW_.*_(\d{6})_[0-9A-F]{6}")
_DIRECTIONS: dict[str, OrbitDirection] = {"ascending": "ascending", "descending": "descending"}
_S2_ID = re.compile(r"_R(\d{3})_T([0-9A-Z]{5})_")
_FOOTPRINT_DEG = 1e-6  # steps of a footprint's coordinates, 0.1 m


@dataclass(frozen=True)
class Item:
    """One catalog item. `version` orders reprocessings of the same image.

    `footprint` is its outline in WGS84 degrees as WKT; None where the catalog gives none that can be read.
    """

    id: str
    version: str
    sensor: Sensor
    time: dt.datetime
    platform: str
    orbit_direction: OrbitDirection | None
    relative_orbit: int | None
    tile: str
    cloud_cover_percent: float | None
    footprint: str | None


def parse_item(feature: Mapping[str, Any], sensor: Sensor) -> Item:
    """A catalog feature as an `Item`.

    Raises
    ------
    SkredError
        The feature lacks its id or time, or is a radar item without a direction or relative orbit.
    """
    name = str(feature.get("id", ""))
    properties = feature.get("properties") or {}
    try:
        time = dt.datetime.fromisoformat(str(properties["datetime"]))
    except (KeyError, ValueError) as error:
        raise SkredError(f"catalog: item {name!r} of {COLLECTIONS[sensor]} has no readable datetime") from error
    time = time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    optical = _S2_ID.search(name)
    direction = _DIRECTIONS.get(str(properties.get("sat:orbit_state")).lower())
    orbit = properties.get("sat:relative_orbit")
    if orbit is None and sensor == "S1":
        orbit = _relative_orbit(name)
    elif orbit is None and optical:
        orbit = int(optical[1])
    if direction is None and sensor == "S1":
        raise SkredError(
            f"catalog: item {name!r} has orbit direction {properties.get('sat:orbit_state')!r}, "
            "wanted ascending or descending"
        )
    if sensor == "S1" and orbit is None:
        raise SkredError(f"catalog: the relative orbit of item {name!r} is neither given nor known from its name")
    cover = properties.get("eo:cloud_cover")
    return Item(
        id=name,
        version=str(properties.get("updated") or properties.get("created") or ""),
        sensor=sensor,
        time=time,
        platform=_platform(name, properties),
        orbit_direction=direction,
        relative_orbit=None if orbit is None else int(orbit),
        tile=optical[2] if optical else "",
        cloud_cover_percent=None if cover is None else float(cover),
        footprint=_footprint(feature.get("geometry")),
    )


def join_footprints(items: tuple[Item, ...]) -> str | None:
    """The outlines of several items as one WKT, None if one of them has none."""
    outlines = [wkt.loads(item.footprint) for item in items if item.footprint is not None]
    return _text([part for outline in outlines for part in outline.geoms]) if len(outlines) == len(items) else None


def _footprint(geometry: Any) -> str | None:
    try:
        outline = set_precision(shape(geometry), _FOOTPRINT_DEG, mode="pointwise")
    except (ShapelyError, AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None
    parts = list(getattr(outline, "geoms", [outline]))
    if outline.is_empty or any(part.geom_type != "Polygon" for part in parts):
        return None
    return _text(parts)


def _text(polygons: list[Any]) -> str:
    return str(wkt.dumps(MultiPolygon(polygons), rounding_precision=6, trim=True))


def _platform(name: str, properties: Mapping[str, Any]) -> str:
    if re.match(r"^S[12][A-D]_", name):
        return name[:3]
    given = str(properties.get("platform", "")).lower()
    match = re.fullmatch(r"sentinel-([12][a-d])", given)
    return f"S{match[1].upper()}" if match else given.upper() or "unknown"


def _relative_orbit(name: str) -> int | None:
    match = _S1_ID.match(name)
    if match is None or match[1] not in _FIRST_ORBIT:
        return None
    return (int(match[2]) - _FIRST_ORBIT[match[1]]) % 175 + 1
