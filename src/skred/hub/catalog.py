"""Catalog search: which items match, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator
from shapely.errors import GEOSException, ShapelyError
from shapely.geometry import Polygon, box, shape
from shapely.geometry.base import BaseGeometry

from skred.hub.cql2 import parse_filter
from skred.hub.errors import refuse
from skred.hub.items import S1, S2, Item
from skred.hub.payload import Payload, parse_payload, rfc_3339

# What the service can filter by. Not the relative orbit: code that asked for it would fail at the real service.
FILTERABLE = {
    S2: frozenset({"eo:cloud_cover"}),
    S1: frozenset({"sar:instrument_mode", "s1:polarization", "s1:resolution", "s1:timeliness", "sat:orbit_state"}),
}
T = TypeVar("T")
_ALWAYS = ("type", "stac_version", "id", "collection", "geometry", "bbox", "links", "assets")


class Fields(Payload):
    """Which members of a feature to send; ``properties.datetime`` is a path."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Search(Payload):
    """The body of a search; what is not here is not supported offline."""

    collections: tuple[Literal["sentinel-2-l2a", "sentinel-1-grd"], ...] = Field(min_length=1, max_length=1)
    datetime: str | None = None
    bbox: tuple[float, float, float, float] | None = None  # west, south, east, north in WGS84 degrees
    intersects: dict[str, Any] | None = None  # a GeoJSON geometry in WGS84 degrees
    ids: tuple[str, ...] | None = None
    filter: str | None = None
    filter_lang: Literal["cql2-text"] = Field(default="cql2-text", alias="filter-lang")
    fields: Fields | None = None
    distinct: Literal["date"] | None = None
    limit: int = Field(default=10, ge=1, le=100)
    next: int | None = Field(default=None, ge=1)  # 0 is refused by the service too

    @field_validator("bbox")
    @classmethod
    def _in_order(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and not (value[0] <= value[2] and value[1] <= value[3]):
            raise ValueError("[west, south, east, north] with west <= east and south <= north")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Search:
        if self.bbox is not None and self.intersects is not None:
            raise ValueError("bbox or intersects, not both")
        return self

    @property
    def area(self) -> BaseGeometry | None:
        """Where items must lie, or None for everywhere."""
        if self.bbox is not None:
            return box(*self.bbox)
        return None if self.intersects is None else _geometry(self.intersects)


def _geometry(geojson: dict[str, Any]) -> BaseGeometry:
    wanted = "wanted a GeoJSON geometry such as {'type': 'Polygon', 'coordinates': [...]} in WGS84 degrees"
    try:
        geometry = shape(geojson)
    except (GEOSException, KeyError, TypeError, ValueError, AttributeError, IndexError, ShapelyError) as error:
        refuse("intersects", f"cannot be read ({error}); {wanted}")
    if geometry.is_empty or not geometry.is_valid:
        refuse("intersects", f"empty or crosses itself; {wanted}")
    return geometry


def search(items: Sequence[Item], body: str | bytes) -> dict[str, Any]:
    """The answer to a search body: newest first, with ``context.next`` while there is more.

    With ``distinct: date`` the features are the days of the items, as ISO dates, oldest first.

    Raises
    ------
    ServiceError
        The body is wrong or asks for what is not supported; it is named.
    """
    query = parse_payload(Search, body)
    found = sorted(_matching(items, query), key=lambda item: (-item.time.timestamp(), item.id))
    if query.distinct == "date":
        return _page(query, sorted({item.time.astimezone(dt.UTC).date().isoformat() for item in found}), str)
    return _page(query, found, lambda item: _select(feature(item), query.fields))


def _page(query: Search, found: Sequence[T], show: Callable[[T], Any]) -> dict[str, Any]:
    start = query.next or 0
    page = found[start : start + query.limit]
    context: dict[str, Any] = {"limit": query.limit, "returned": len(page)}
    if page and start + len(page) < len(found):
        context["next"] = start + len(page)
    return {"type": "FeatureCollection", "features": [show(one) for one in page], "links": [], "context": context}


def _matching(items: Sequence[Item], query: Search) -> list[Item]:
    collection = query.collections[0]
    passes = parse_filter(query.filter, FILTERABLE[collection]) if query.filter else lambda _: True
    start, end = interval(query.datetime)
    area = query.area
    return [
        item
        for item in items
        if item.collection == collection
        and (query.ids is None or item.id in query.ids)
        and start <= item.time <= end
        and passes(item.properties)
        and (area is None or Polygon(item.footprint).intersects(area))
    ]


def interval(text: str | None) -> tuple[dt.datetime, dt.datetime]:
    """The first and last moment of ``time`` or ``from/to``, where ``..`` or nothing is an open end.

    Raises
    ------
    ServiceError
        A part is no RFC 3339 time with its zone.
    """
    parts = ["..", ".."] if text is None else text.split("/")
    if len(parts) > 2 or text in ("", ".."):
        refuse("datetime", f"got {text!r}, wanted a time or from/to")
    open_ends = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
    start, end = (
        open_end if part in ("", "..") else _moment(part)
        for part, open_end in zip((parts[0], parts[-1]), open_ends, strict=True)
    )
    if start > end:
        refuse("datetime", f"got {text!r}, wanted from not later than to")
    return start, end


def _moment(text: str) -> dt.datetime:
    try:
        return rfc_3339(text)
    except ValueError as error:
        refuse("datetime", f"got {text!r}, wanted {error}")


def feature(item: Item) -> dict[str, Any]:
    """The STAC feature of an item."""
    outline = Polygon(item.footprint)
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": item.id,
        "collection": item.collection,
        "geometry": {
            "type": "MultiPolygon",
            "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC::CRS84"}},
            "coordinates": [[[list(point) for point in item.footprint]]],
        },
        "bbox": list(outline.bounds),
        "properties": {"datetime": _iso(item.time), **item.properties},
        "links": [],
        "assets": {},
    }


def _iso(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _select(full: dict[str, Any], fields: Fields | None) -> dict[str, Any]:
    """A feature with the asked-for members: the fixed ones, plus `include` (all, when empty), less `exclude`."""
    if fields is None:
        return full
    kept = {name: value for name, value in full.items() if name in _ALWAYS}
    properties = dict(full["properties"])
    if fields.include and "properties" not in fields.include:
        wanted = {path.removeprefix("properties.") for path in fields.include}
        properties = {name: value for name, value in properties.items() if name in wanted}
    dropped = set(fields.exclude)
    if "properties" not in dropped:
        kept["properties"] = {name: value for name, value in properties.items() if f"properties.{name}" not in dropped}
    return {name: value for name, value in kept.items() if name not in dropped}
