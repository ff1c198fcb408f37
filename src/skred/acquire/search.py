"""Catalog items to acquisitions: one pass of one satellite each, sorted, without duplicates, before or after the event.

Pure functions: what the catalog answered goes in; what to fetch, and what is left out and why, comes out.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer
from shapely import box, segmentize, transform, wkt

from skred.acquire.items import Item, Sensor, join_footprints
from skred.core.events import Event
from skred.core.grid import Grid
from skred.manifest import LeftOut, OrbitDirection, Reason, When

# Slices and tiles of one pass lie seconds apart, passes of one satellite about 100 minutes.
SAME_PASS = dt.timedelta(minutes=10)

# Two versions of one image may differ by fractions of a second; slices of one pass are 25 seconds apart.
SAME_IMAGE = dt.timedelta(seconds=3)

# Outlines in the catalog are simplified: an item that misses the area by less may still show some of it.
_OUTLINE_ERROR_DEG = 0.02  # about 2 km
_OUTLINE_STEP_M = 5000.0  # between points of the area's outline, which is no rectangle in degrees


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
    def footprint(self) -> str | None:
        return join_footprints(self.items)

    @property
    def name(self) -> str:
        """A file name without suffix: unique within an event, and sorted by sensor and time."""
        parts = [self.sensor.lower(), self.time.strftime("%Y%m%dT%H%M%S"), self.platform.lower()]
        if self.orbit_direction is not None:
            parts.append(self.orbit_direction)
        if self.relative_orbit is not None:
            parts.append(f"{self.relative_orbit:03d}")
        return "_".join(parts)


@dataclass(frozen=True)
class Found:
    """What the catalog has of an event: `acquisitions` sorted by sensor, time and id, and what is left out of them."""

    acquisitions: tuple[Acquisition, ...]
    left_out: tuple[LeftOut, ...]


def left_out(items: Iterable[Item], reason: Reason, instead: str | None = None) -> list[LeftOut]:
    """Entries for the manifest."""
    return [LeftOut(id=i.id, sensor=i.sensor, time=i.time, reason=reason, instead=instead) for i in items]


def newest(items: Iterable[Item]) -> tuple[list[Item], list[LeftOut]]:
    """`items` without older versions of the same image, and those versions.

    Two items are versions of one image when satellite, orbit and tile are the same and their times lie within
    `SAME_IMAGE`. The service itself cannot be asked for one of them: a request names a time and not an item. What
    counts is that a pass is one acquisition, and that a new version is fetched anew.
    """

    def image(item: Item) -> tuple[str, ...]:
        track = str(item.orbit_direction), str(item.relative_orbit)
        return item.sensor, item.platform, *track, item.tile

    kept: list[Item] = []
    older: list[LeftOut] = []
    for versions in _groups(sorted(items, key=lambda i: (image(i), i.time, i.id, i.version)), image, SAME_IMAGE):
        best = max(versions, key=lambda i: (i.version, i.id))
        kept.append(best)
        older += left_out([item for item in versions if item.id != best.id], "older version", best.id)
    return sorted(kept, key=lambda i: (i.sensor, i.time, i.id)), older


def acquisitions(items: Iterable[Item], event: Event, max_cloud_percent: float) -> Found:
    """The acquisitions of an event.

    Items of one satellite, direction and orbit within ten minutes are one acquisition. It belongs to the window that
    has the UTC day of its first item; those outside both windows were not asked for. Left out are older versions,
    items whose outline misses the area, and optical acquisitions with a mean cloud cover above `max_cloud_percent`.
    """

    def track(item: Item) -> tuple[str, ...]:
        return item.sensor, item.platform, str(item.orbit_direction), str(item.relative_orbit)

    current, out = newest(items)
    outside = _outside(current, event.area.grid)
    out += left_out(outside, "outside the area")
    gone = {item.id for item in outside}
    inside = [item for item in current if item.id not in gone]
    found: list[Acquisition] = []
    for group in _groups(sorted(inside, key=lambda i: (track(i), i.time, i.id)), track, SAME_PASS):
        window = _window(group[0].time, event)
        if window is None:
            continue
        acquisition = Acquisition(window, tuple(group))
        if (acquisition.cloud_cover_percent or 0.0) > max_cloud_percent:
            out += left_out(group, "too cloudy")
        else:
            found.append(acquisition)
    return Found(tuple(sorted(found, key=lambda a: (a.sensor, a.time, a.id))), in_order(out))


def in_order(entries: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """Sorted as in the manifest."""
    return tuple(sorted(entries, key=lambda entry: (entry.sensor, entry.time, entry.id)))


def _groups(items: Sequence[Item], same: Any, within: dt.timedelta) -> list[list[Item]]:
    """Items for which `same` gives the same, no later than `within` after the first of their group.

    `items` are in the order of `same` and time.
    """
    groups: list[list[Item]] = []
    for _, alike in itertools.groupby(items, same):
        group: list[Item] = []
        for item in alike:
            if not group or item.time - group[0].time > within:
                group = []
                groups.append(group)
            group.append(item)
    return groups


def _outside(items: Iterable[Item], grid: Grid) -> list[Item]:
    to_lonlat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    outline = segmentize(box(*grid.bounds), _OUTLINE_STEP_M)
    area = transform(outline, lambda points: np.column_stack(to_lonlat.transform(points[:, 0], points[:, 1])))
    return [
        item
        for item in items
        if item.footprint is not None and area.distance(wkt.loads(item.footprint)) > _OUTLINE_ERROR_DEG
    ]


def _window(time: dt.datetime, event: Event) -> When | None:
    day = time.date()
    if event.pre.first <= day <= event.pre.last:
        return "pre"
    if event.post.first <= day <= event.post.last:
        return "post"
    return None
