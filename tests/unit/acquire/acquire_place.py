"""A small place with made-up pixels behind the offline service, for the tests of the download."""

import datetime as dt
import hashlib
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import geopandas as gpd
import numpy as np
from shapely.geometry import box

from skred.acquire.client import ImageService
from skred.acquire.download import download
from skred.acquire.limiter import Limiter
from skred.acquire.params import DownloadParams
from skred.acquire.progress import Progress
from skred.acquire.service import Service
from skred.acquire.store import Store
from skred.core.events import Event
from skred.hub.items import S1, S2, Item
from skred.hub.server import serve
from skred.inventory import write_inventory

PARAMS = DownloadParams(
    workers=3,
    max_tries=3,
    wait_s=0.0,
    rate_limit_wait_s=0.0,
    longest_wait_s=5.0,
    timeout_s=20.0,
    tile_px=2500,
    page_items=3,
    max_cloud_percent=90,
    budget_pu=100,
    account_pu_per_month=10_000,
    account_requests_per_month=10_000,
    account_pu_per_minute=300,
    account_requests_per_minute=300,
    hub_start_s=60.0,
)
EVENT_DATA = {
    "name": "storm",
    "title": "a storm",
    "role": "develop",
    "source": "sentinelhub",
    "date": "2019-07-30",
    "pre": {"first": "2019-06-30", "last": "2019-07-29"},
    "post": {"first": "2019-07-31", "last": "2019-08-29"},
    "area": {"center_lonlat": [6.3, 61.5], "width_m": 640, "height_m": 480},
}
EVENT = Event.model_validate(EVENT_DATA)
GRID = EVENT.area.grid


def item(collection, name, time, **properties):
    west, south, east, north = GRID.bounds_lonlat()
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    common = {"updated": "2020-01-01T00:00:00Z"}
    return Item(name, collection, dt.datetime.fromisoformat(time), ring, common | properties)


def radar(name, time, direction, orbit):
    kind = {"sar:instrument_mode": "IW", "s1:polarization": "DV", "s1:resolution": "HIGH"}
    return item(S1, name, time, **kind, **{"sat:orbit_state": direction, "sat:relative_orbit": orbit})


def optical(name, time, cloud=10.0, **properties):
    return item(S2, name, time, **{"eo:cloud_cover": cloud}, **properties)


ITEMS = (
    radar("S1A_a", "2019-07-03T17:15:00Z", "ascending", 44),
    radar("S1A_d", "2019-07-03T05:55:00Z", "descending", 139),
    radar("S1A_e", "2019-08-08T17:15:00Z", "ascending", 44),
    radar("S1B_f", "2019-08-09T05:55:00Z", "descending", 139),
    radar("S1B_empty", "2019-08-10T17:00:00Z", "ascending", 117),
    optical("S2A_a_R051_T32VLP_x", "2019-07-01T10:50:31Z"),
    optical("S2A_b_R051_T32VLQ_x", "2019-07-01T10:50:45Z"),
    optical("S2B_old_R094_T32VLP_x", "2019-08-02T10:40:31Z"),
    optical("S2B_new_R094_T32VLP_x", "2019-08-02T10:40:31Z", updated="2023-01-01T00:00:00Z"),
    optical("S2B_white_R094_T32VLP_x", "2019-08-12T10:40:31Z", cloud=95.0),
)


@dataclass
class Place:
    """Pixels that depend on place and item alone."""

    grid: object = GRID
    simulated: bool = True
    listed: tuple = ITEMS
    reads: Counter = field(default_factory=Counter)

    def items(self):
        return self.listed

    def read(self, collection, found, bands, window):
        self.reads[found.id if found else collection] += 1
        rows, cols = np.mgrid[window.slices]
        seed = zlib.crc32((found.id if found else "dem").encode()) % 97
        base = (rows * 131 + cols * 17 + seed * 7) % 1000 / 1000
        there = np.zeros_like(base) if found and "empty" in found.id else np.ones_like(base)
        values = {
            "SCL": 4 * there,
            "DEM": 500 + base * 100,
            "VV": 0.01 + base / 10,
            "VH": 0.001 + base / 50,
            "localIncidenceAngle": 30 + base * 10,
            "shadowMask": base > 0.9,
            "dataMask": there,
        }
        return {band: np.asarray(values.get(band, base / 2), np.float32) for band in bands}


@contextmanager
def served(place, **options):
    with serve(place, **options) as settings:
        yield Service(
            settings.base_url, settings.token_url, settings.client_id, settings.client_secret, True, "offline test"
        )


LANDSLIDES = gpd.GeoDataFrame(geometry=[box(*GRID.bounds)], crs=GRID.crs)


def run(service, folder, event=EVENT, params=PARAMS, out="raw", limiter=None):
    return run_with(ImageService(service, params, limiter or Limiter()), folder, event, out)


def run_with(service, folder, event=EVENT, out="raw"):
    return download(
        event,
        service,
        service.params,
        store=Store(folder / "store"),
        out=folder / out,
        write_inventory=partial(write_inventory, frame=LANDSLIDES),
        progress=Progress(event.name),
    )


def many(days=61):
    """Two acquisitions a day, one of each sensor; 120 in both windows of the event."""
    first = dt.datetime(2019, 6, 30, 5, tzinfo=dt.UTC)
    found = []
    for day in range(days):
        morning, evening = ((first + dt.timedelta(days=day, hours=hours)).isoformat() for hours in (0, 12))
        if day != 30:  # the day of the storm belongs to no window
            found.append(radar(f"S1A_{day:02d}", morning, ("ascending", "descending")[day % 2], 20 + day % 4))
            found.append(optical(f"S2A_{day:02d}_R051_T32VLP_x", evening))
    return tuple(found)


def images(log):
    """The calls of a service's log that asked for an image."""
    return [call for call in log if call.path == "process"]


def digest(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}
