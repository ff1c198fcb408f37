"""Files of a raw folder, checked against the event and its grid, read a little ahead of their use."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError, SkredError
from skred.core.events import Event
from skred.core.grid import Grid
from skred.core.raster import read_raster
from skred.manifest import AcquisitionEntry, GeometryEntry, Manifest, OrbitDirection

READERS = 2  # threads that decompress while the main thread computes
SAME_PASS = dt.timedelta(minutes=10)  # a satellite is back over a place after 98 minutes at the earliest
AGAIN = "run the download stage again"

Track = tuple[OrbitDirection, int]  # orbit direction, relative orbit
In = TypeVar("In")
Out = TypeVar("Out")


def read_bands(folder: Path, file: str, bands: Sequence[str] | None, grid: Grid) -> NDArray[Any]:
    """Bands of a file of a raw folder, ``(bands, H, W)``; `bands` None: all.

    Raises
    ------
    SkredError
        The file is missing or broken, lacks a band, or lies on another grid.
    """
    path = folder / file
    if not path.is_file():
        raise SkredError(f"{path}: missing, although manifest.json names it; {AGAIN}")
    try:
        raster = read_raster(path, bands=bands)
    except SkredError as error:
        raise SkredError(" ".join(f"{error}; {AGAIN}".split())) from error
    if raster.grid != grid:
        raise SkredError(
            f"{path}: lies on {_words(raster.grid)}; wanted the grid of the event, {_words(grid)}; {AGAIN}"
        )
    return raster.array


def read_codes(folder: Path, file: str, bands: Sequence[str], grid: Grid) -> NDArray[np.uint16]:
    """`read_bands` of a file that must hold uint16."""
    array = read_bands(folder, file, bands, grid)
    if array.dtype != np.uint16:
        raise SkredError(f"{folder / file}: holds {array.dtype}; wanted uint16 codes; {AGAIN}")
    return array


def read_ahead(read: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """``map(read, items)``, in order, with at most `READERS` results waiting: memory stays bounded."""
    waiting: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(read, item))
                if len(waiting) > READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def acquisitions(manifest: Manifest, sensor: str, window: str) -> list[AcquisitionEntry]:
    """The acquisitions of a sensor in a window, in order of time and id."""
    chosen = (entry for entry in manifest.acquisitions if (entry.sensor, entry.window) == (sensor, window))
    return sorted(chosen, key=lambda entry: (utc(entry.time), entry.id))


def tracks(manifest: Manifest) -> dict[Track, GeometryEntry]:
    """The tracks that have passes, in order of direction and orbit, with their geometry (see `check_manifest`)."""
    geometry = {(entry.orbit_direction, entry.relative_orbit): entry for entry in manifest.geometry}
    passes = {track_of(entry) for entry in manifest.acquisitions if entry.sensor == "S1"}
    return {track: geometry[track] for track in sorted(passes)}


def track_of(entry: AcquisitionEntry) -> Track:
    """The track of a radar pass. Raises InputError when the manifest does not say it."""
    if entry.orbit_direction is None or entry.relative_orbit is None:
        raise InputError(f"{entry.id}: no orbit direction or relative orbit in manifest.json; {AGAIN}")
    return entry.orbit_direction, entry.relative_orbit


def check_manifest(manifest: Manifest, event: Event, folder: Path) -> None:
    """Raises InputError when the manifest is not of this event and its windows, counts one pass twice, or does not
    say how a track saw the terrain."""
    where = folder / "manifest.json"
    if manifest.event != event.name:
        raise InputError(f"{where}: is of event {manifest.event!r}, wanted {event.name!r}; {AGAIN}")
    days = {"pre": event.pre, "post": event.post}
    for entry in manifest.acquisitions:
        window = days[entry.window]
        if not window.first <= utc(entry.time).date() <= window.last:
            raise InputError(
                f"{where}: {entry.id} of {utc(entry.time).date()} is not in the {entry.window} window "
                f"{window.first} to {window.last}; {AGAIN}"
            )
    known = {(entry.orbit_direction, entry.relative_orbit) for entry in manifest.geometry}
    for entry in manifest.acquisitions:
        if entry.sensor == "S1" and (entry.orbit_direction, entry.relative_orbit) not in known:
            raise InputError(
                f"{where}: no geometry file for the track of {entry.id} "
                f"({entry.orbit_direction} {entry.relative_orbit}); {AGAIN}"
            )
    in_order = sorted(manifest.acquisitions, key=lambda e: (e.sensor, e.platform, utc(e.time), e.id))
    for first, second in itertools.pairwise(in_order):
        same_satellite = (first.sensor, first.platform) == (second.sensor, second.platform)
        if same_satellite and utc(second.time) - utc(first.time) < SAME_PASS:
            # it would count double among the looks and in the means
            raise InputError(f"{where}: {first.id} and {second.id} are one pass of {first.platform}; {AGAIN}")


def utc(time: dt.datetime) -> dt.datetime:
    """`time` in UTC; without a zone it is UTC already."""
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _words(grid: Grid) -> str:
    return (
        f"{grid.width} x {grid.height} pixels of {grid.resolution_m:g} m "
        f"from ({grid.west:.10g}, {grid.north:.10g}) in {grid.crs}"
    )
