"""The real image service, for people with an account: one small request per collection, about 0.07 PU in all.

`SH_CLIENT_ID=... SH_CLIENT_SECRET=... pytest tests/online`; another service by `SH_BASE_URL` and `SH_TOKEN_URL`.
"""

import os

import numpy as np
import pytest

from skred.acquire.bodies import DEM, S1, S2, VIEWING, body, optical_input, radar_input, terrain_input
from skred.acquire.client import ImageService
from skred.acquire.cost import processing_units
from skred.acquire.limiter import Limiter
from skred.acquire.params import DownloadParams
from skred.acquire.plan import find
from skred.acquire.service import service_from
from skred.core.events import Event

pytestmark = [
    pytest.mark.online,
    pytest.mark.skipif(
        not (os.environ.get("SH_CLIENT_ID") and os.environ.get("SH_CLIENT_SECRET")),
        reason="needs an account at the image service: set SH_CLIENT_ID and SH_CLIENT_SECRET",
    ),
]

PARAMS = DownloadParams(
    workers=1,
    max_tries=3,
    wait_s=2.0,
    rate_limit_wait_s=10.0,
    longest_wait_s=60.0,
    timeout_s=60.0,
    tile_px=2500,
    page_items=100,
    max_cloud_percent=100,
    budget_pu=1,
    account_pu_per_month=10_000,
    account_requests_per_month=10_000,
    account_pu_per_minute=300,
    account_requests_per_minute=300,
    hub_start_s=1.0,
)
EVENT = Event.model_validate(
    {
        "name": "online",
        "title": "64 x 64 pixels in Jølster, a few days around the storm",
        "role": "develop",
        "source": "sentinelhub",
        "date": "2019-07-30",
        "pre": {"first": "2019-07-20", "last": "2019-07-29"},
        "post": {"first": "2019-07-31", "last": "2019-08-09"},
        "area": {"center_lonlat": [6.3, 61.5], "width_m": 640, "height_m": 640},
    }
)
GRID = EVENT.area.grid


@pytest.fixture(scope="module")
def service():
    return ImageService(service_from(os.environ), PARAMS, Limiter(60, 60))


@pytest.fixture(scope="module")
def found(service):
    return find(EVENT, service, PARAMS).acquisitions


def first(found, sensor):
    return next(acquisition for acquisition in found if acquisition.sensor == sensor)


def image(service, product, source):
    got = service.image(body(product, source, GRID), product, GRID, product.script)
    assert got.units == pytest.approx(processing_units(product, GRID), rel=0.01)  # the plan's price is the service's
    return got.array


def test_the_catalog_lists_passes_of_both_sensors_in_both_windows(found):
    assert {(one.sensor, one.window) for one in found} == {(s, w) for s in ("S1", "S2") for w in ("pre", "post")}
    assert all(one.footprint and one.relative_orbit for one in found)
    assert {one.orbit_direction for one in found if one.sensor == "S1"} == {"ascending", "descending"}


def test_an_optical_image_has_reflectance_and_classes(service, found):
    array = image(service, S2, optical_input(first(found, "S2")))
    assert (array[4] > 0).mean() > 0.9
    assert 0 < np.median(array[:4]) < 12_000


def test_a_radar_image_has_backscatter_of_land(service, found):
    array = image(service, S1, radar_input(first(found, "S1")))
    db = array[:, (array > 0).all(axis=0)] * 0.001 - 50
    assert db.shape[1] > 0.5 * GRID.width * GRID.height
    assert -25 < np.median(db[1]) < np.median(db[0]) < 0  # VH below VV


def test_a_track_sees_the_ground_at_an_angle(service, found):
    array = image(service, VIEWING, radar_input(first(found, "S1")))
    assert 10 < np.median(array[0]) / 100 < 80
    assert set(np.unique(array[1])) <= {0, 1}


def test_the_elevation_is_that_of_the_place(service):
    array = image(service, DEM, terrain_input())
    assert 0 <= array.min() < array.max() < 1700
