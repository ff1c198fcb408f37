"""What a download will ask for and what it will cost, before anything is spent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skred.acquire.bodies import VIEWING
from skred.acquire.client import ImageService
from skred.acquire.cost import Cost, cost_of
from skred.acquire.items import COLLECTIONS, FILTERS, parse_item
from skred.acquire.orders import Order, order_acquisition, order_dem, order_view, track_of, view_passes
from skred.acquire.params import DownloadParams
from skred.acquire.search import Acquisition, Found, acquisitions
from skred.acquire.store import Record, Store
from skred.core.errors import InputError
from skred.core.events import Event


@dataclass(frozen=True)
class Row:
    """One kind of image: all that the event needs, and the part that the store lacks."""

    name: str
    all: Cost
    missing: Cost


@dataclass(frozen=True)
class Plan:
    """The orders of an event.

    `orders` has one for each of `found.acquisitions`, in the same order; `known` are the records of those images, and
    of the elevation model, that the store has.
    """

    event: Event
    found: Found
    orders: tuple[Order, ...]
    dem: Order
    known: dict[str, Record]
    rows: tuple[Row, ...]

    @property
    def all(self) -> Cost:
        return sum((row.all for row in self.rows), Cost())

    @property
    def missing(self) -> Cost:
        return sum((row.missing for row in self.rows), Cost())


def find(event: Event, service: ImageService, params: DownloadParams) -> Found:
    """The acquisitions of both windows that the catalog lists."""
    box = event.area.grid.bounds_lonlat()
    items = []
    for sensor, where in FILTERS.items():
        for days in (event.pre, event.post):
            # To the next midnight, for items have fractions of seconds; one of that moment is of no window, and goes.
            interval = f"{days.first}T00:00:00", f"{days.last + dt.timedelta(days=1)}T00:00:00"
            features = service.search(COLLECTIONS[sensor], interval, box, where)
            items += [parse_item(feature, sensor) for feature in features]
    return acquisitions(items, event, params.max_cloud_percent)


def make_plan(event: Event, service: ImageService, params: DownloadParams, store: Store) -> Plan:
    """Search the catalog, and see what the store has already.

    How a track sees the ground is asked for at the pass that shows most of the area, which is known only when all
    its passes are there: until then one such image is counted for each track. So the plan is too high by one small
    image for a track that turns out to show nothing of the area.

    Raises
    ------
    SkredError
        The catalog cannot be searched, or lists no acquisition of a sensor in a window: what it lists would be paid
        for in vain.
    """
    grid, identity = event.area.grid, service.service.identity
    found = find(event, service, params)
    check_complete(event, found.acquisitions)
    orders = tuple(order_acquisition(acquisition, grid, identity) for acquisition in found.acquisitions)
    dem = order_dem(grid, identity)
    known = {}
    for one in (*orders, dem):
        record = store.get(one.key, simulated=service.service.simulated)
        if record is not None:
            known[one.key] = record
    plan = Plan(event, found, orders, dem, known, ())
    rows = tuple(_rows(plan, service, params, store))
    return Plan(event, found, orders, dem, known, rows)


def check_budget(plan: Plan, params: DownloadParams) -> None:
    """Raises InputError with the numbers when the plan costs more than `download.budget_pu`."""
    missing = plan.missing
    if missing.units > params.budget_pu:
        raise InputError(
            f"event {plan.event.name}: {missing.images} images in {missing.requests} requests would cost "
            f"{missing.units:.1f} PU, more than download.budget_pu ({params.budget_pu:g}); shorten the windows or the "
            "area of the event, lower download.max_cloud_percent, or raise the budget: nothing has been spent"
        )


def check_complete(event: Event, found: Sequence[Acquisition]) -> None:
    """Raises InputError when a window of the event has no acquisition of a sensor."""
    for sensor in ("S1", "S2"):
        for when, days in (("pre", event.pre), ("post", event.post)):
            if not any(a.sensor == sensor and a.window == when for a in found):
                raise InputError(
                    f"event {event.name}: no {sensor} image of the area from {days.first} to {days.last}; widen "
                    f"{when} in the event file, or raise download.max_cloud_percent"
                )


def table(plan: Plan, params: DownloadParams) -> Iterator[str]:
    """The plan as lines of text."""
    event, grid = plan.event, plan.event.area.grid
    yield (
        f"{event.name}: {event.pre.first} to {event.pre.last}, {event.post.first} to {event.post.last}; "
        f"{grid.width} x {grid.height} pixels of {grid.resolution_m:g} m"
    )
    width = max(len(row.name) for row in plan.rows)
    yield f"{'':{width}} {'images':>7} {'kept':>6} {'to fetch':>9} {'requests':>9} {'MB':>9} {'PU':>10}"
    for row in (*plan.rows, Row("all", plan.all, plan.missing)):
        missing = row.missing
        yield (
            f"{row.name:{width}} {row.all.images:7} {row.all.images - missing.images:6} {missing.images:9} "
            f"{missing.requests:9} {missing.pixel_bytes / 1e6:9.1f} {missing.units:10.2f}"
        )
    missing = plan.missing
    for reason, count in count_reasons([entry.reason for entry in plan.found.left_out]):
        yield f"left out: {count} {reason}"
    minutes = max(missing.units / params.account_pu_per_minute, missing.requests / params.account_requests_per_minute)
    yield (
        f"of the account's month: {missing.units / params.account_pu_per_month:.1%} of "
        f"{params.account_pu_per_month:g} PU, {missing.requests / params.account_requests_per_month:.1%} of "
        f"{params.account_requests_per_month} requests; within its limits a minute that takes {minutes:.1f} minutes"
    )
    yield f"budget: {params.budget_pu:g} PU (download.budget_pu); MB are those of the pixels before compression"


def count_reasons(reasons: list[str]) -> list[tuple[str, int]]:
    """How often each reason occurs, in order of its name."""
    return [(reason, reasons.count(reason)) for reason in sorted(set(reasons))]


def _rows(plan: Plan, service: ImageService, params: DownloadParams, store: Store) -> Iterator[Row]:
    grid = plan.event.area.grid
    costs = {one.key: cost_of(one.product, grid, params.tile_px) for one in (*plan.orders, plan.dem)}
    groups: dict[str, list[Order]] = {}
    for acquisition, one in zip(plan.found.acquisitions, plan.orders, strict=True):
        groups.setdefault(_name(acquisition), []).append(one)
    groups["DEM"] = [plan.dem]
    for name, orders in sorted(groups.items()):
        lacking = [one for one in orders if one.key not in plan.known]
        yield Row(name, _sum(costs, orders), _sum(costs, lacking))
    yield _views(plan, service, cost_of(VIEWING, grid, params.tile_px), store)


def _sum(costs: dict[str, Cost], orders: list[Order]) -> Cost:
    return sum((costs[one.key] for one in orders), Cost())


def _name(acquisition: Acquisition) -> str:
    orbit = "" if acquisition.relative_orbit is None else f" {acquisition.relative_orbit:03d}"
    return f"{acquisition.sensor} {acquisition.orbit_direction or 'track'}{orbit}"


def _views(plan: Plan, service: ImageService, cost: Cost, store: Store) -> Row:
    """One image for each radar track."""
    identity, simulated = service.service.identity, service.service.simulated
    pairs = list(zip(plan.found.acquisitions, plan.orders, strict=True))
    tracks = sorted({track for acquisition, _ in pairs if (track := track_of(acquisition)) is not None})
    all_, missing = Cost(), Cost()
    for track in tracks:
        passes = [(acquisition, one.key) for acquisition, one in pairs if track_of(acquisition) == track]
        if all(key in plan.known for _, key in passes):
            shares = [(acquisition, plan.known[key].valid_share) for acquisition, key in passes]
            chosen = view_passes(shares, plan.event.date).get(track)
            if chosen is None:
                continue  # the track shows nothing of the area
            key = order_view(chosen, plan.event.area.grid, identity).key
            if store.get(key, simulated=simulated) is None:
                missing += cost
        else:
            missing += cost
        all_ += cost
    return Row("S1 angles", all_, missing)
