"""Everything of one event: search, fetch what the store lacks, fill a folder with exactly what its manifest says."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skred.acquire.bodies import DEM, S1, S2, VIEWING, Product, body, optical_input, radar_input, terrain_input
from skred.acquire.client import ImageService, StoppedError
from skred.acquire.params import DownloadParams
from skred.acquire.progress import Progress
from skred.acquire.search import COLLECTIONS, FILTERS, Acquisition, Item, acquisitions, parse_item
from skred.acquire.store import Record, Store, store_key
from skred.core.errors import NoImageError
from skred.core.events import Event
from skred.core.grid import Grid, tiles
from skred.core.raster import Raster
from skred.manifest import AcquisitionEntry, FileEntry, GeometryEntry, Manifest, OrbitDirection, write_manifest

INVENTORY = "inventory.gpkg"
DEM_FILE = "dem.tif"


@dataclass(frozen=True)
class Order:
    """One image to have: its file in the folder, its key in the store, and how to ask for it."""

    file: str
    key: str
    product: Product
    source: dict[str, Any]
    tags: dict[str, str]


@dataclass(frozen=True)
class Job:
    """What all images of one download share."""

    grid: Grid
    service: ImageService
    params: DownloadParams
    store: Store
    progress: Progress


def download(
    event: Event,
    service: ImageService,
    params: DownloadParams,
    *,
    store: Store,
    out: Path,
    write_inventory: Callable[[Path], None] | None,
    progress: Progress,
) -> Manifest:
    """Fill `out` with the pixels of an event.

    Acquisitions and the elevation model come first; then, once per radar track, how it sees the ground, asked for at
    the pass that shows most of the area. Passes that show nothing of the area are left out of the folder.

    Parameters
    ----------
    write_inventory
        Writes the GeoPackage of landslides to a path; None for an event without landslides.

    Raises
    ------
    SkredError
        The service fails for good, or a window has no image of a sensor; what was fetched stays in `store`.
    """
    grid, identity = event.area.grid, service.service.identity
    job = Job(grid, service, params, store, progress)
    store.sweep()
    found = find(event, service, params)
    orders = [order_acquisition(acquisition, grid, identity) for acquisition in found]
    dem = order(DEM_FILE, DEM, terrain_input(), grid=grid, identity=identity, items=[], tags={})
    records = fetch([*orders, dem], job)
    seen = [(a, o) for a, o in zip(found, orders, strict=True) if records[o.key].valid_share > 0]
    _check_complete(event, [acquisition for acquisition, _ in seen])

    tracks: dict[tuple[OrbitDirection, int], tuple[float, Acquisition]] = {}
    for acquisition, one in seen:
        if acquisition.orbit_direction is None or acquisition.relative_orbit is None or acquisition.sensor != "S1":
            continue
        track, share = (acquisition.orbit_direction, acquisition.relative_orbit), records[one.key].valid_share
        if track not in tracks or share > tracks[track][0]:
            tracks[track] = share, acquisition
    views = {track: order_view(acquisition, grid, identity) for track, (_, acquisition) in sorted(tracks.items())}
    records |= fetch(list(views.values()), job)

    manifest = Manifest(
        event=event.name,
        simulated=service.service.simulated,
        service=service.service.label,
        acquisitions=tuple(_entry(acquisition, one, records[one.key]) for acquisition, one in seen),
        geometry=tuple(
            GeometryEntry(orbit_direction=direction, relative_orbit=orbit, file=view.file, key=view.key)
            for (direction, orbit), view in views.items()
        ),
        dem=FileEntry(file=dem.file, key=dem.key),
        inventory=FileEntry(file=INVENTORY) if write_inventory is not None else None,
    )
    rebuild(out, manifest, store, write_inventory)
    progress.end(len(seen), len(found) - len(seen), records.values(), out)
    return manifest


def find(event: Event, service: ImageService, params: DownloadParams) -> list[Acquisition]:
    """The acquisitions of both windows that the catalog lists."""
    box = event.area.grid.bounds_lonlat()
    items: list[Item] = []
    for sensor, where in FILTERS.items():
        for days in (event.pre, event.post):
            interval = f"{days.first}T00:00:00", f"{days.last}T23:59:59"
            features = service.search(COLLECTIONS[sensor], interval, box, where)
            items += [parse_item(feature, sensor) for feature in features]
    return acquisitions(items, event, params.max_cloud_percent)


def order_acquisition(acquisition: Acquisition, grid: Grid, identity: str) -> Order:
    """How to ask for an acquisition."""
    product, source = (S2, optical_input(acquisition)) if acquisition.sensor == "S2" else (S1, radar_input(acquisition))
    tags = {"time": _iso(acquisition), "platform": acquisition.platform, "items": acquisition.id}
    if acquisition.orbit_direction is not None:
        tags["orbit_direction"] = acquisition.orbit_direction
    if acquisition.relative_orbit is not None:
        tags["relative_orbit"] = str(acquisition.relative_orbit)
    items = _versions(acquisition)
    return order(f"{acquisition.name}.tif", product, source, grid=grid, identity=identity, items=items, tags=tags)


def order_view(acquisition: Acquisition, grid: Grid, identity: str) -> Order:
    """How to ask for what the track of a radar pass sees of the ground."""
    tags = {
        "orbit_direction": str(acquisition.orbit_direction),
        "relative_orbit": str(acquisition.relative_orbit),
        "platform": acquisition.platform,
    }
    file = f"viewing_{acquisition.orbit_direction}_{acquisition.relative_orbit:03d}.tif"
    source, items = radar_input(acquisition), _versions(acquisition)
    return order(file, VIEWING, source, grid=grid, identity=identity, items=items, tags=tags)


def order(
    file: str,
    product: Product,
    source: dict[str, Any],
    *,
    grid: Grid,
    identity: str,
    items: list[list[str]],
    tags: dict[str, str],
) -> Order:
    """An order with its key. The key's request covers the whole grid: how it is cut into tiles changes no pixel."""
    return Order(file, store_key(body(product, source, grid), items, identity), product, source, tags)


def fetch(orders: Sequence[Order], job: Job) -> dict[str, Record]:
    """The records of `orders` by key, after fetching those that the store lacks.

    The first failure for good stops the others after what is on its way, and is raised; what came whole is kept.
    """
    simulated = job.service.service.simulated
    known = {one.key: job.store.get(one.key, simulated=simulated) for one in orders}
    missing = [one for one in orders if known[one.key] is None]
    job.progress.begin(len(orders), len(orders) - len(missing))
    stop = threading.Event()

    def work(one: Order) -> Record | None:
        if stop.is_set():
            return None
        whole = False
        try:
            record = fetch_one(one, job)
            whole = True
        finally:
            if not whole:
                stop.set()
                job.service.stop()
        job.progress.one(job.store.path(one.key), record)
        return record

    with ThreadPoolExecutor(job.params.workers) as pool:
        futures: dict[Future[Record | None], Order] = {pool.submit(work, one): one for one in missing}
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()  # also when we are interrupted: what is on its way ends, nothing new begins
            if not all(future.done() for future in futures):
                job.service.stop()
    failures = [error for future in futures if (error := future.exception()) is not None]
    if failures:  # the cause, not a try that was given up because of it
        raise next((error for error in failures if not isinstance(error, StoppedError)), failures[0])
    known |= {one.key: future.result() for future, one in futures.items()}
    return {key: record for key, record in known.items() if record is not None}


def fetch_one(one: Order, job: Job) -> Record:
    """Ask for one image, tile by tile, and put it into the store when it is whole."""
    grid, service = job.grid, job.service
    array = np.zeros((len(one.product.names), *grid.shape), one.product.dtype)
    units = 0.0
    for window in tiles(*grid.shape, job.params.tile_px):
        part = grid.crop(window)
        image = service.image(body(one.product, one.source, part), one.product, part, one.file)
        array[:, *window.slices] = image.array
        units += image.units
    raster = Raster(array, grid, one.product.names, one.product.units, one.product.nodata, one.tags)
    return job.store.put(
        one.key,
        raster,
        simulated=service.service.simulated,
        valid_share=_valid_share(one.product, raster),
        units=round(units, 6),
    )


def rebuild(out: Path, manifest: Manifest, store: Store, write_inventory: Callable[[Path], None] | None) -> None:
    """Make the folder `out` anew from the store, beside the old one, and swap them at the end."""
    fresh, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    for acquisition in manifest.acquisitions:
        store.link(acquisition.key, fresh / acquisition.file)
    for view in manifest.geometry:
        store.link(view.key, fresh / view.file)
    if manifest.dem.key is not None:
        store.link(manifest.dem.key, fresh / manifest.dem.file)
    if write_inventory is not None:
        write_inventory(fresh / INVENTORY)
    write_manifest(fresh, manifest)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _valid_share(product: Product, raster: Raster) -> float:
    if product is DEM:
        return round(float(np.isfinite(raster.array).mean()), 6)
    marker = {id(S2): "SCL", id(S1): "VV"}.get(id(product), product.names[0])
    return round(float((raster.band(marker) != 0).mean()), 6)


def _check_complete(event: Event, found: list[Acquisition]) -> None:
    for sensor in ("S1", "S2"):
        for when, days in (("pre", event.pre), ("post", event.post)):
            if not any(a.sensor == sensor and a.window == when for a in found):
                raise NoImageError(
                    f"event {event.name}: no {sensor} image of the area from {days.first} to {days.last}; widen "
                    f"{when} in the event file, or raise download.max_cloud_percent"
                )


def _entry(acquisition: Acquisition, one: Order, record: Record) -> AcquisitionEntry:
    return AcquisitionEntry(
        id=acquisition.id,
        sensor=acquisition.sensor,
        window=acquisition.window,
        time=acquisition.time,
        platform=acquisition.platform,
        orbit_direction=acquisition.orbit_direction,
        relative_orbit=acquisition.relative_orbit,
        cloud_cover_percent=acquisition.cloud_cover_percent,
        file=one.file,
        key=one.key,
        valid_share=record.valid_share,
    )


def _versions(acquisition: Acquisition) -> list[list[str]]:
    return [[item.id, item.version] for item in acquisition.items]


def _iso(acquisition: Acquisition) -> str:
    return acquisition.time.isoformat().replace("+00:00", "Z")
