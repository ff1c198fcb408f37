"""Everything of one event: plan, fetch what the store lacks, fill a folder with exactly what its manifest says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from skred.acquire.client import ImageService
from skred.acquire.fetch import Job, fetch
from skred.acquire.orders import Order, order_view, view_passes
from skred.acquire.params import DownloadParams
from skred.acquire.plan import check_budget, check_complete, make_plan
from skred.acquire.progress import Progress
from skred.acquire.search import Acquisition, in_order, left_out
from skred.acquire.store import Record, Store
from skred.core.errors import SkredError
from skred.core.events import Event
from skred.manifest import AcquisitionEntry, FetchedEntry, FileEntry, GeometryEntry, Manifest, write_manifest

INVENTORY = "inventory.gpkg"


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

    Acquisitions and the elevation model come first; then, once per radar track, how it sees the ground (see
    `view_passes`). Passes that show nothing of the area are left out of the folder.

    Parameters
    ----------
    write_inventory
        Writes the GeoPackage of landslides to a path; None for an event without landslides.

    Raises
    ------
    SkredError
        The plan is over the budget, the service fails for good, the disk is full, or a window has no image of a
        sensor; what was fetched stays in `store`.
    """
    grid, identity = event.area.grid, service.service.identity
    job = Job(grid, service, params, store, progress)
    store.sweep()
    plan = make_plan(event, service, params, store)
    check_budget(plan, params)
    try:
        records = fetch([*plan.orders, plan.dem], plan.known, job)
        pairs = list(zip(plan.found.acquisitions, plan.orders, strict=True))
        seen = [(a, one) for a, one in pairs if records[one.key].valid_share > 0]
        empty = [item for a, one in pairs if records[one.key].valid_share == 0 for item in a.items]
        check_complete(event, [acquisition for acquisition, _ in seen])
        passes = view_passes(((a, records[one.key].valid_share) for a, one in seen), event.date)
        views = {track: order_view(acquisition, grid, identity) for track, acquisition in passes.items()}
        records |= fetch(list(views.values()), _kept(views.values(), job), job)
    finally:
        progress.close()

    manifest = Manifest(
        event=event.name,
        simulated=service.service.simulated,
        service=service.service.label,
        acquisitions=tuple(_entry(acquisition, one, records[one.key]) for acquisition, one in seen),
        geometry=tuple(
            GeometryEntry(orbit_direction=direction, relative_orbit=orbit, **_fetched(view, records).model_dump())
            for (direction, orbit), view in views.items()
        ),
        dem=_fetched(plan.dem, records),
        inventory=FileEntry(file=INVENTORY) if write_inventory is not None else None,
        left_out=in_order([*plan.found.left_out, *left_out(empty, "no data")]),
    )
    try:
        rebuild(out, manifest, store, write_inventory)
    except OSError as error:
        raise SkredError(
            f"{out}: cannot be written ({error}); make room or mend the folder, then run the download again: what has "
            "been fetched is kept"
        ) from error
    progress.end(len(seen), manifest.left_out, records.values(), out, service.spent)
    return manifest


def rebuild(out: Path, manifest: Manifest, store: Store, write_inventory: Callable[[Path], None] | None) -> None:
    """Make the folder `out` anew from the store, beside the old one, and swap them at the end."""
    fresh, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        for entry in (*manifest.acquisitions, *manifest.geometry, manifest.dem):
            store.link(entry.key, fresh / entry.file)
        if write_inventory is not None:
            write_inventory(fresh / INVENTORY)
        write_manifest(fresh, manifest)
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _kept(orders: Iterable[Order], job: Job) -> dict[str, Record]:
    simulated = job.service.service.simulated
    found = {one.key: job.store.get(one.key, simulated=simulated) for one in orders}
    return {key: record for key, record in found.items() if record is not None}


def _fetched(one: Order, records: dict[str, Record]) -> FetchedEntry:
    return FetchedEntry(
        file=one.file,
        key=one.key,
        request_sha256=one.request_sha256,
        evalscript_sha256=one.evalscript_sha256,
        spent_pu=records[one.key].units,
    )


def _entry(acquisition: Acquisition, one: Order, record: Record) -> AcquisitionEntry:
    return AcquisitionEntry(
        **_fetched(one, {one.key: record}).model_dump(),
        id=acquisition.id,
        sensor=acquisition.sensor,
        window=acquisition.window,
        time=acquisition.time,
        platform=acquisition.platform,
        orbit_direction=acquisition.orbit_direction,
        relative_orbit=acquisition.relative_orbit,
        cloud_cover_percent=acquisition.cloud_cover_percent,
        footprint_wkt=acquisition.footprint,
        valid_share=record.valid_share,
    )
