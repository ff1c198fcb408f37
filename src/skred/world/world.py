"""A simulated landscape that renders any acquisition of any window on demand.

The place itself (ground, landslides, what changes when) is built once and held in whole arrays. A pass is rendered
for the window that is asked for: its noise is a function of pass, row and column, so a window rendered alone equals
the same window cut out of the whole, byte for byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import geopandas
import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.events import Event
from skred.core.grid import Grid, Window
from skred.world.acquisitions import Acquisition, covered, passes
from skred.world.backscatter import Backscatter, build_backscatter
from skred.world.clouds import CloudField, cloud_field, cover_percent, weather
from skred.world.confounders import COMMITTED, ClearRule, Seen, confounder_codes
from skred.world.ground import Ground, build_ground, truth_mask
from skred.world.inventory import mapped
from skred.world.noise import Float, crop, seed_of
from skred.world.optics import Look, classes_and_hidden, render_optical
from skred.world.params import WorldParams
from skred.world.radar import RadarPass, render_radar
from skred.world.sun import horizon_deg, sun_position
from skred.world.terrain import MARGIN_PX, elevation_product
from skred.world.viewing import Viewing, view


@dataclass(frozen=True, eq=False)
class World:
    """One simulated place through the windows of one event. Make it with `build_world`.

    Windows must lie within the grid. Arrays have the shape of the window.
    """

    params: WorldParams
    event: Event
    ground: Ground
    _acquisitions: tuple[Acquisition, ...]
    _days: Mapping[dt.date, float]
    _horizons: Mapping[int, Float]
    _backscatter: Backscatter
    _viewings: Mapping[tuple[str, int], Viewing]
    _dem: Float

    @property
    def grid(self) -> Grid:
        return self.event.area.grid

    def acquisitions(self) -> tuple[Acquisition, ...]:
        """All passes from the first day before to the last day after the event, sorted by time and id."""
        return self._acquisitions

    def optical(self, acquisition: Acquisition, window: Window) -> dict[str, NDArray[Any]]:
        """B02, B03, B04, B08 (float32 surface reflectance), SCL (uint8, Sen2Cor's codes, 20 m blocks), dataMask."""
        self._check(acquisition, "S2", window)
        valid = covered(acquisition, self.grid, window)
        return render_optical(self.params, self.ground, look=self._look(acquisition), valid=valid, window=window)

    def radar(self, acquisition: Acquisition, window: Window) -> dict[str, NDArray[Any]]:
        """VV, VH (float32, terrain-flattened gamma0 as linear power, 0 where there is no data), dataMask (uint8)."""
        self._check(acquisition, "S1", window)
        flown = RadarPass(
            key=f"{self.ground.seed} {acquisition.id}",
            day=acquisition.day,
            event_day=self.event.date,
            viewing=self._viewings[acquisition.orbit_direction, acquisition.relative_orbit],
        )
        valid = covered(acquisition, self.grid, window)
        return render_radar(self.params, self.ground, self._backscatter, flown=flown, valid=valid, window=window)

    def viewing(self, orbit_direction: str, relative_orbit: int, window: Window) -> dict[str, NDArray[Any]]:
        """localIncidenceAngle (float32, degrees) and shadowMask (uint8, 1 layover or radar shadow) of a track.

        Raises
        ------
        InputError
            The world has no such track.
        """
        self._check_window(window)
        found = self._viewings.get((orbit_direction, relative_orbit))
        if found is None:
            tracks = ", ".join(f"{direction} {orbit}" for direction, orbit in sorted(self._viewings))
            raise InputError(f"no radar track {orbit_direction} {relative_orbit} in this world; there are {tracks}")
        return {
            "localIncidenceAngle": crop(found.local_incidence_deg, window),
            "shadowMask": crop(found.layover | found.shadow, window).astype(np.uint8),
        }

    def dem(self, window: Window) -> NDArray[np.float32]:
        """Heights in metres of the elevation product: not the true ground, but that with its errors."""
        self._check_window(window)
        return crop(self._dem, window)

    def truth(self) -> NDArray[np.uint8]:
        """The landslides that are really there (H, W): of each, the pixels it covers most, to its area's number."""
        return truth_mask(self.ground.slides, self.grid.resolution_m)

    def inventory(self) -> geopandas.GeoDataFrame:
        """Polygons as someone would have mapped them: columns id, area_m2, geometry in the grid's CRS."""
        return mapped(self.params.inventory, self.ground.seed, self.grid, self.ground.slides.footprints)

    def confounders(self, rule: ClearRule = COMMITTED) -> NDArray[np.uint8]:
        """What each pixel (H, W) shows that may be taken for a fresh landslide: `Confounder` codes, 0 for none.

        `rule` says which looks composites keep: a pixel that none of them shows is no remnant of cloud, but unknown.
        """
        looks, clear = np.zeros(self.grid.shape, np.uint16), np.zeros(self.grid.shape, bool)
        for item in self._acquisitions:
            if item.sensor == "S2" and self.event.post.first <= item.day <= self.event.post.last:
                valid = covered(item, self.grid, self.grid.whole)
                scl, hidden = classes_and_hidden(
                    self.params, self.ground, look=self._look(item), valid=valid, window=self.grid.whole
                )
                kept = rule.kept(scl, self.grid.resolution_m)
                looks += kept
                clear |= kept & ~hidden
        blind = np.mean([one.layover | one.shadow for one in self._viewings.values()], axis=0)
        return confounder_codes(self.event, self.ground, Seen((looks >= rule.min_clear) & ~clear, blind >= 0.5))

    def _look(self, acquisition: Acquisition) -> Look:
        return Look(
            key=f"{self.ground.seed} {acquisition.id}",
            day=acquisition.day,
            event_day=self.event.date,
            sun=sun_position(acquisition.time, *self.event.area.center_lonlat),
            cloud=self._cloud(acquisition),
            horizon_deg=self._horizons[acquisition.relative_orbit],
        )

    def cloud(self, acquisition: Acquisition, window: Window) -> tuple[Float, Float]:
        """The truth about the sky of an optical pass: opacity of the cloud above each pixel, and the share of direct
        sunlight that cloud takes from it, each 0 to 1."""
        self._check(acquisition, "S2", window)
        field = self._cloud(acquisition)
        sun = sun_position(acquisition.time, *self.event.area.center_lonlat)
        return field.opacity(window), field.shadow(window, sun, self.grid.resolution_m)

    def _cloud(self, acquisition: Acquisition) -> CloudField:
        day, seed, pixel_m = acquisition.day, self.ground.seed, self.grid.resolution_m
        height_m = self.ground.terrain.height_m
        return cloud_field(
            self.params.optics, seed, day, cloudiness=self._days[day], height_m=height_m, pixel_m=pixel_m
        )

    def _check(self, acquisition: Acquisition, sensor: str, window: Window) -> None:
        self._check_window(window)
        if acquisition.sensor != sensor or acquisition not in self._acquisitions:
            raise InputError(f"{acquisition.id}: no {sensor} acquisition of this world; take one of acquisitions()")

    def _check_window(self, window: Window) -> None:
        height, width = self.grid.shape
        inside = min(window.row, window.col) >= 0 and min(window.height, window.width) > 0
        if not (inside and window.row + window.height <= height and window.col + window.width <= width):
            raise InputError(f"window {tuple(window)} does not lie within {height} x {width} pixels; ask for less")


def build_world(params: WorldParams, event: Event) -> World:
    """The simulated place of an event: a function of `params` and of the event's seed, place, dates and landslides.

    Raises
    ------
    InputError
        The event's source is not `simulated`.
    SkredError
        The area has no room for the event's landslides.
    """
    if event.simulation is None:
        raise InputError(f"event {event.name}: source is {event.source}, so there is no simulated world of it")
    ground = build_ground(params, event)
    seed, terrain = ground.seed, ground.terrain
    flown = passes(params.orbits, event)
    days = weather(params.optics, seed, event, {item.day for item in flown if item.sensor == "S2"})
    world = World(
        params=params,
        event=event,
        ground=ground,
        _acquisitions=flown,
        _days=days,
        _horizons=_horizons(event, ground, flown),
        _backscatter=build_backscatter(params, ground),
        _viewings={
            (track.direction, track.relative_orbit): view(params.radar, seed, terrain, track)
            for track in params.orbits.radar
        },
        _dem=elevation_product(params.terrain, seed_of(seed), terrain),
    )
    clouded = tuple(
        replace(item, cloud_cover_percent=cover_percent(world._cloud(item), event.area.grid.shape))
        if item.sensor == "S2"
        else item
        for item in flown
    )
    return replace(world, _acquisitions=clouded)


def _horizons(event: Event, ground: Ground, flown: tuple[Acquisition, ...]) -> dict[int, Float]:
    """The horizon in the sun's direction, once per relative orbit: within two months its azimuth moves little."""
    found: dict[int, list[float]] = {}
    for item in flown:
        if item.sensor == "S2":
            sun = sun_position(item.time, *event.area.center_lonlat)
            found.setdefault(item.relative_orbit, []).append(sun.azimuth_deg)
    return {
        orbit: horizon_deg(ground.terrain.wide_m, MARGIN_PX, ground.grid.resolution_m, float(np.mean(azimuths)))
        for orbit, azimuths in sorted(found.items())
    }
