"""Fetch what the store lacks: several requests at once, each answer kept as soon as it is whole."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from skred.acquire.bodies import DEM, S1, S2, Product, body
from skred.acquire.client import ImageService
from skred.acquire.limiter import StoppedError
from skred.acquire.orders import Order
from skred.acquire.params import DownloadParams
from skred.acquire.progress import Progress
from skred.acquire.store import Record, Store, Tile
from skred.core.grid import Grid, Window, tiles
from skred.core.raster import Raster


@dataclass(frozen=True)
class Job:
    """What all images of one download share."""

    grid: Grid
    service: ImageService
    params: DownloadParams
    store: Store
    progress: Progress


def fetch(orders: Sequence[Order], known: Mapping[str, Record], job: Job) -> dict[str, Record]:
    """The records of `orders` by key, after fetching those that are not `known`.

    The first failure for good stops the others after what is on its way, and is raised; what came whole is kept.
    """
    missing = [one for one in orders if one.key not in known]
    job.progress.begin(len(orders), len(orders) - len(missing))
    stop = threading.Event()

    def work(one: Order) -> Record | None:
        if stop.is_set():
            return None
        whole = False
        try:
            # Again, and not only when we planned: another download may have asked for it in between.
            kept = job.store.get(one.key, simulated=job.service.service.simulated)
            record = fetch_one(one, job) if kept is None else kept
            whole = True
        finally:
            if not whole:
                stop.set()
                job.service.stop()
        if kept is None:
            job.progress.one(job.store.path(one.key), job.service.spent)
        else:
            job.progress.kept(job.service.spent)
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
    fetched = {one.key: record for future, one in futures.items() if (record := future.result()) is not None}
    return {one.key: known[one.key] for one in orders if one.key in known} | fetched


def fetch_one(one: Order, job: Job) -> Record:
    """Ask for one image, tile by tile, and put it into the store when it is whole."""
    grid, service = job.grid, job.service
    array = np.zeros((len(one.product.names), *grid.shape), one.product.dtype)
    units = 0.0
    windows = list(tiles(*grid.shape, job.params.tile_px))
    for window in windows:
        tile = _tile(one, window, job, alone=len(windows) == 1)
        array[:, *window.slices] = tile.array
        units += tile.units
    raster = Raster(array, grid, one.product.names, one.product.units, one.product.nodata, one.tags)
    return job.store.put(
        one.key,
        raster,
        simulated=service.service.simulated,
        valid_share=_valid_share(one.product, raster),
        units=round(units, 6),
    )


def _tile(one: Order, window: Window, job: Job, *, alone: bool) -> Tile:
    """A part of an image, from the store or from the service; if it is not `alone`, the store keeps it."""
    part, simulated = job.grid.crop(window), job.service.service.simulated
    shape = len(one.product.names), *part.shape
    kept = None if alone else job.store.get_tile(one.key, window, shape, one.product.dtype, simulated=simulated)
    if kept is not None:
        return kept
    image = job.service.image(body(one.product, one.source, part), one.product, part, one.file)
    tile = Tile(image.array, image.units)
    if not alone:
        job.store.put_tile(one.key, window, tile, simulated=simulated)
    return tile


def _valid_share(product: Product, raster: Raster) -> float:
    if product is DEM:
        return round(float(np.isfinite(raster.array).mean()), 6)
    marker = {id(S2): "SCL", id(S1): "VV"}.get(id(product), product.names[0])
    return round(float((raster.band(marker) != 0).mean()), 6)
