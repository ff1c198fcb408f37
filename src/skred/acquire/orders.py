"""What to ask for: one order for each image of an event, with its key in the store."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skred.acquire.bodies import DEM, S1, S2, VIEWING, Product, body, optical_input, radar_input, terrain_input
from skred.acquire.search import Acquisition
from skred.acquire.store import canonical, store_key
from skred.core.grid import Grid
from skred.manifest import OrbitDirection

DEM_FILE = "dem.tif"

Track = tuple[OrbitDirection, int]  # orbit direction, relative orbit


@dataclass(frozen=True)
class Order:
    """One image to have: its file in the folder, its key in the store, and how to ask for it."""

    file: str
    key: str
    request_sha256: str
    product: Product
    source: dict[str, Any]
    tags: dict[str, str]

    @property
    def evalscript_sha256(self) -> str:
        return _sha256(self.product.evalscript)


def order_acquisition(acquisition: Acquisition, grid: Grid, identity: str) -> Order:
    """How to ask for an acquisition."""
    product, source = (S2, optical_input(acquisition)) if acquisition.sensor == "S2" else (S1, radar_input(acquisition))
    time = acquisition.time.isoformat().replace("+00:00", "Z")
    tags = {"time": time, "platform": acquisition.platform, "items": acquisition.id}
    if acquisition.orbit_direction is not None:
        tags["orbit_direction"] = acquisition.orbit_direction
    if acquisition.relative_orbit is not None:
        tags["relative_orbit"] = str(acquisition.relative_orbit)
    items = _versions(acquisition)
    return _order(f"{acquisition.name}.tif", product, source, grid=grid, identity=identity, items=items, tags=tags)


def order_view(acquisition: Acquisition, grid: Grid, identity: str) -> Order:
    """How to ask for what the track of a radar pass sees of the ground."""
    tags = {
        "orbit_direction": str(acquisition.orbit_direction),
        "relative_orbit": str(acquisition.relative_orbit),
        "platform": acquisition.platform,
    }
    file = f"viewing_{acquisition.orbit_direction}_{acquisition.relative_orbit:03d}.tif"
    source, items = radar_input(acquisition), _versions(acquisition)
    return _order(file, VIEWING, source, grid=grid, identity=identity, items=items, tags=tags)


def order_dem(grid: Grid, identity: str) -> Order:
    """How to ask for the elevation model."""
    return _order(DEM_FILE, DEM, terrain_input(), grid=grid, identity=identity, items=[], tags={})


def track_of(acquisition: Acquisition) -> Track | None:
    """The track of a radar pass, None for an optical one."""
    if acquisition.sensor != "S1" or acquisition.orbit_direction is None or acquisition.relative_orbit is None:
        return None
    return acquisition.orbit_direction, acquisition.relative_orbit


def view_passes(seen: Iterable[tuple[Acquisition, float]], day: dt.date) -> dict[Track, Acquisition]:
    """For each track, in order, the pass at which to ask how it sees the ground, of passes with their share of data.

    It is the one that shows most of the area and, among those alike to a hundredth, the nearest to the day of the
    event: a window that grows or shrinks at its far end then changes nothing.
    """
    best: dict[Track, tuple[tuple[Any, ...], Acquisition]] = {}
    for acquisition, share in seen:
        track = track_of(acquisition)
        if track is None or share == 0:
            continue
        rank = (-round(share, 2), abs(acquisition.time.date() - day), acquisition.time, acquisition.id)
        if track not in best or rank < best[track][0]:
            best[track] = rank, acquisition
    return {track: best[track][1] for track in sorted(best)}


def _order(
    file: str,
    product: Product,
    source: dict[str, Any],
    *,
    grid: Grid,
    identity: str,
    items: list[list[str]],
    tags: dict[str, str],
) -> Order:
    # The request of the key covers the whole grid: how it is cut into tiles changes no pixel.
    request = body(product, source, grid)
    key = store_key(request, items, identity)
    return Order(file, key, _sha256(canonical(request)), product, source, tags)


def _versions(acquisition: Acquisition) -> list[list[str]]:
    return [[item.id, item.version] for item in acquisition.items]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
