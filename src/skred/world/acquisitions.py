"""Which satellites pass over a place and when: orbits, names, and how much of the area a pass covers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skred.core.events import Event
from skred.core.grid import Grid, Window
from skred.world.noise import generator, seed_of
from skred.world.params import OpticalTrack, OrbitParams, RadarTrack

Sensor = Literal["S1", "S2"]
Direction = Literal["ascending", "descending"]


@dataclass(frozen=True)
class Acquisition:
    """One pass of one satellite. `time` is the sensing time in UTC.

    `footprint_share` is the share of the area that the pass covers; the rest has data mask 0.
    `cut_deg` is the azimuth of the side that it does not cover. `cloud_cover_percent` is over the whole area and
    None for radar.
    """

    id: str
    sensor: Sensor
    time: dt.datetime
    platform: str
    orbit_direction: Direction
    relative_orbit: int
    absolute_orbit: int
    cloud_cover_percent: float | None = None
    footprint_share: float = 1.0
    cut_deg: float = 90.0

    @property
    def day(self) -> dt.date:
        return self.time.date()


@dataclass(frozen=True)
class _Cycle:
    """Days of a repeat cycle, its orbits, and one day on which a satellite began a cycle of known number."""

    days: int
    orbits: int
    begins: dt.date
    number: int
    shift: int  # relative orbit = (absolute - shift) mod orbits + 1


# The numbers and shifts of Sentinel-1 put its absolute orbits of July 2019 near the real ones (28,000 and 17,000).
_CYCLES = {
    "S1A": _Cycle(12, 175, dt.date(2019, 7, 11), 160, 73),
    "S1B": _Cycle(12, 175, dt.date(2019, 7, 17), 98, 27),
    "S2A": _Cycle(10, 143, dt.date(2019, 7, 11), 147, 140),
    "S2B": _Cycle(10, 143, dt.date(2019, 7, 16), 86, 26),
}
# UTC seconds of the day at 6.3°E; every degree further east comes 240 s earlier in local solar orbits.
_RADAR_SECONDS = {"ascending": 17 * 3600 + 5 * 60, "descending": 5 * 3600 + 50 * 60}
_OPTICAL_SECONDS = 10 * 3600 + 56 * 60


def _passes(platform: str, relative_orbit: int, first: dt.date, last: dt.date) -> list[tuple[dt.date, int]]:
    """Days and absolute orbits on which a satellite flies a relative orbit."""
    cycle = _CYCLES[platform]
    into = (relative_orbit - 1) * cycle.days // cycle.orbits
    found = []
    day = first
    while day <= last:
        turns, rest = divmod((day - cycle.begins).days - into, cycle.days)
        if rest == 0:
            number = cycle.shift + (relative_orbit - 1) + cycle.orbits * (cycle.number + turns)
            if number > 0:
                found.append((day, number))
        day += dt.timedelta(days=1)
    return found


def passes(params: OrbitParams, event: Event) -> tuple[Acquisition, ...]:
    """All passes from the first day before to the last day after the event, sorted by time and id.

    Cloud cover is not known here: it is None for every pass.
    """
    lon = event.area.center_lonlat[0]
    seed = event.simulation.seed if event.simulation is not None else 0
    first, last = event.pre.first, event.post.last
    found = [
        _radar_pass(params, seed, lon, track=track, platform=platform, day=day, number=number)
        for track in params.radar
        for platform in params.radar_platforms
        for day, number in _passes(platform, track.relative_orbit, first, last)
    ]
    found += [
        _optical_pass(params, seed, event, track=track, platform=platform, day=day, number=number)
        for track in params.optical
        for platform in params.optical_platforms
        for day, number in _passes(platform, track.relative_orbit, first, last)
    ]
    rng = generator(seed, "missing")
    ordered = sorted(found, key=lambda item: (item.time, item.id))
    lost = rng.random(len(ordered)) < params.missing_share
    return tuple(item for item, gone in zip(ordered, lost, strict=True) if not gone)


def _footprint(
    params: OrbitParams, seed: int, track: RadarTrack | OpticalTrack, name: str, azimuth_deg: float
) -> tuple[float, float]:
    """Share covered and azimuth of the side left out: the track's swath edge, or the end of a slice."""
    rng = generator(seed, "footprint", name)
    if rng.random() < params.cut_share:
        return float(rng.uniform(0.3, 0.9)), float((azimuth_deg + 90) % 360)
    return track.footprint_share, azimuth_deg


def _radar_pass(
    params: OrbitParams, seed: int, lon: float, *, track: RadarTrack, platform: str, day: dt.date, number: int
) -> Acquisition:
    seconds = _RADAR_SECONDS[track.direction] - 240 * (lon - 6.3) + track.relative_orbit % 11
    start = _at(day, seconds)
    take = number * 6 % 0xFFFFFF
    stop = start + dt.timedelta(seconds=25)
    code = seed_of(platform, number) % 0xFFFF
    name = f"{platform}_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_{number:06d}_{take:06X}_{code:04X}"
    # Right-looking: an ascending pass looks east, so the far edge of its swath lies in the east.
    side = 73.0 if track.direction == "ascending" else 287.0
    share, cut = _footprint(params, seed, track, name, side)
    return Acquisition(
        id=name,
        sensor="S1",
        time=start,
        platform=platform,
        orbit_direction=track.direction,
        relative_orbit=track.relative_orbit,
        absolute_orbit=number,
        footprint_share=share,
        cut_deg=cut,
    )


def _optical_pass(
    params: OrbitParams, seed: int, event: Event, *, track: OpticalTrack, platform: str, day: dt.date, number: int
) -> Acquisition:
    lon, lat = event.area.center_lonlat
    start = _at(day, _OPTICAL_SECONDS - 240 * (lon - 6.3) + 600 * (track.relative_orbit < 72))
    made = start + dt.timedelta(seconds=9000 + seed_of(platform, number) % 3600)
    tile = _tile(event.area.grid, lat)
    name = f"{platform}_MSIL2A_{start:%Y%m%dT%H%M%S}_N0213_R{track.relative_orbit:03d}_{tile}_{made:%Y%m%dT%H%M%S}"
    share, cut = _footprint(params, seed, track, name, 105.0 if track.relative_orbit < 72 else 285.0)
    return Acquisition(
        id=name,
        sensor="S2",
        time=start,
        platform=platform,
        orbit_direction="descending",
        relative_orbit=track.relative_orbit,
        absolute_orbit=number,
        footprint_share=share,
        cut_deg=cut,
    )


def _at(day: dt.date, seconds: float) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) + dt.timedelta(seconds=round(seconds % 86400))


def _tile(grid: Grid, lat: float) -> str:
    """Name of the 100 km square of the military grid in which the area's centre lies, such as T32VLP."""
    zone = int((grid.crs or "EPSG:32632")[-2:])
    west, south, east, north = grid.bounds
    band = "CDEFGHJKLMNPQRSTUVWX"[min(int((lat + 80) // 8), 19)]
    columns = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")[zone % 3]
    rows = "ABCDEFGHJKLMNPQRSTUV"
    column = columns[min(max(int((west + east) / 2 // 100_000) - 1, 0), 7)]
    return f"T{zone:02d}{band}{column}{rows[(int((south + north) / 2 // 100_000) + 5 * (zone % 2 == 0)) % 20]}"


def covered(acquisition: Acquisition, grid: Grid, window: Window) -> NDArray[np.uint8]:
    """Data mask of a pass (H, W): 1 where it has data. The edge of a swath is a straight line across the area."""
    if acquisition.footprint_share >= 1:
        return np.ones((window.height, window.width), np.uint8)
    angle = np.radians(acquisition.cut_deg)
    east, north = np.sin(angle), np.cos(angle)
    rows = (np.arange(window.row, window.row + window.height) + 0.5) / grid.height - 0.5
    cols = (np.arange(window.col, window.col + window.width) + 0.5) / grid.width - 0.5
    towards = cols[None, :] * east - rows[:, None] * north
    reach = 0.5 * (abs(east) + abs(north))
    edge = _edge(acquisition.footprint_share, abs(east) / 2, abs(north) / 2, reach)
    return np.asarray(towards <= edge, dtype=np.uint8)


def _edge(share: float, a: float, b: float, reach: float) -> float:
    """Where to put the edge so that `share` of the unit square lies behind it: quantile of the sum of two uniforms
    on (-a, a) and (-b, b)."""
    long, short = max(a, b), min(a, b)
    if short < 1e-9:
        return (2 * share - 1) * long
    tail = short / (2 * long)  # share in each of the two triangles of the trapezoid
    if share < tail:
        return float(-reach + np.sqrt(share * 8 * long * short))
    if share > 1 - tail:
        return float(reach - np.sqrt((1 - share) * 8 * long * short))
    return float((2 * share - 1) * long)
