"""Catalog items to acquisitions: one pass of one satellite each, sorted, without duplicates, before or after the event.

Pure functions: what the catalog answered goes in, a plan comes out.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from skred.core.errors import SkredError
from skred.core.events import Event
from skred.manifest import OrbitDirection, When

Sensor = Literal["S1", "S2"]
COLLECTIONS: dict[Sensor, str] = {"S1": "sentinel-1-grd", "S2": "sentinel-2-l2a"}

# What to ask the catalog for: of radar, the one kind of image that is comparable over time.
FILTERS: dict[Sensor, str | None] = {
    "S1": "sar:instrument_mode='IW' AND s1:polarization='DV' AND s1:resolution='HIGH'",
    "S2": None,
}

# Slices and tiles of one pass lie seconds apart, passes of one satellite about 100 minutes.
SAME_PASS = dt.timedelta(minutes=10)

# Relative orbit = (absolute orbit - first) mod 175 + 1; the constants are those of the two satellites' cycles.
_FIRST_ORBIT = {"S1A": 73, "S1B": 27}
_S1_ID = re.compile(r"^(S1[A-D])_IW_.*_(\d{6})_[0-9A-F]{6}")
_DIRECTIONS: dict[str, OrbitDirection] = {"ascending": "ascending", "descending": "descending"}
_S2_ID = re.compile(r"_R(\d{3})_T([0-9A-Z]{5})_")


@dataclass(frozen=True)
class Item:
    """One catalog item, as far as it matters here. `version` orders reprocessings of the same image."""

    id: str
    version: str
    sensor: Sensor
    time: dt.datetime
    platform: str
    orbit_direction: OrbitDirection | None
    relative_orbit: int | None
    tile: str
    cloud_cover_percent: float | None


@dataclass(frozen=True)
class Acquisition:
    """One pass of one satellite over the area: one or more items, in order of time."""

    window: When
    items: tuple[Item, ...]

    @property
    def id(self) -> str:
        return "+".join(item.id for item in self.items)

    @property
    def sensor(self) -> Sensor:
        return self.items[0].sensor

    @property
    def time(self) -> dt.datetime:
        return self.items[0].time

    @property
    def last_time(self) -> dt.datetime:
        return self.items[-1].time

    @property
    def platform(self) -> str:
        return self.items[0].platform

    @property
    def orbit_direction(self) -> OrbitDirection | None:
        return self.items[0].orbit_direction

    @property
    def relative_orbit(self) -> int | None:
        return self.items[0].relative_orbit

    @property
    def cloud_cover_percent(self) -> float | None:
        """Mean over the items."""
        covers = [item.cloud_cover_percent for item in self.items if item.cloud_cover_percent is not None]
        return round(sum(covers) / len(covers), 3) if covers else None

    @property
    def name(self) -> str:
        """A file name without suffix: unique within an event, and sorted by sensor and time."""
        parts = [self.sensor.lower(), self.time.strftime("%Y%m%dT%H%M%S"), self.platform.lower()]
        if self.orbit_direction is not None:
            parts.append(self.orbit_direction)
        if self.relative_orbit is not None:
            parts.append(f"{self.relative_orbit:03d}")
        return "_".join(parts)


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
    given = str(properties.get("sat:orbit_state")).lower()
    direction: OrbitDirection | None = _DIRECTIONS.get(given)
    orbit = properties.get("sat:relative_orbit")
    if orbit is None and sensor == "S1":
        orbit = _relative_orbit(name)
    elif orbit is None and optical:
        orbit = int(optical[1])
    if direction not in ("ascending", "descending"):
        if sensor == "S1":
            raise SkredError(
                f"catalog: item {name!r} has orbit direction {direction!r}, wanted ascending or descending"
            )
        direction = None
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
    )


def newest(items: Iterable[Item]) -> list[Item]:
    """`items` without older versions of the same image: same satellite, orbit, tile and second."""
    best: dict[tuple[Any, ...], Item] = {}
    for item in sorted(items, key=lambda item: (item.version, item.id)):
        second = item.time.replace(microsecond=0)
        best[item.sensor, item.platform, item.orbit_direction, item.relative_orbit, item.tile, second] = item
    return sorted(best.values(), key=lambda item: (item.sensor, item.time, item.id))


def acquisitions(items: Iterable[Item], event: Event, max_cloud_percent: float) -> list[Acquisition]:
    """The acquisitions of an event, sorted by sensor, time and id.

    Items of one satellite, direction and orbit within ten minutes are one acquisition. It belongs to the window that
    has the UTC day of its first item; those outside both windows, and optical ones with a mean cloud cover above
    `max_cloud_percent`, are left out.
    """

    def track(item: Item) -> tuple[str, ...]:
        return item.sensor, item.platform, str(item.orbit_direction), str(item.relative_orbit)

    groups: list[list[Item]] = []
    for _, same_track in itertools.groupby(sorted(newest(items), key=lambda i: (track(i), i.time, i.id)), track):
        group: list[Item] = []
        for item in same_track:
            if group and item.time - group[0].time > SAME_PASS:
                groups.append(group)
                group = []
            group.append(item)
        groups.append(group)
    found = [Acquisition(when, tuple(group)) for group in groups if (when := _window(group[0].time, event)) is not None]
    clear = [a for a in found if a.cloud_cover_percent is None or a.cloud_cover_percent <= max_cloud_percent]
    return sorted(clear, key=lambda a: (a.sensor, a.time, a.id))


def _window(time: dt.datetime, event: Event) -> When | None:
    day = time.date()
    if event.pre.first <= day <= event.pre.last:
        return "pre"
    if event.post.first <= day <= event.post.last:
        return "post"
    return None


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
