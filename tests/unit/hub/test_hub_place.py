"""Requests anywhere: what is not on the source's own pixels takes the nearest ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyproj
import pytest
from hub_client import GRID, PROCESSING, Checker, Client
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from sentinelhub import CRS, BBox, DataCollection, Geometry, bbox_to_dimensions
from sentinelhub.exceptions import DownloadFailedException
from shapely import contains_xy
from shapely.geometry import Polygon

from skred.core.grid import Grid, Window
from skred.hub.errors import ServiceError
from skred.hub.items import Item
from skred.hub.place import place
from skred.hub.render import Limits, render
from skred.hub.request import parse_request

DAY = ("2019-07-05", "2019-07-05T23:00:00")
RED_AND_MASK = """//VERSION=3
function setup() {
  return { input: [{ bands: ["B04", "dataMask"], units: ["DN", "DN"] }], output: { bands: 2, sampleType: "UINT16" } };
}
function evaluatePixel(s) { return [s.B04, s.dataMask]; }
"""
WEST, SOUTH, EAST, NORTH = GRID.bounds
LONLAT = GRID.bounds_lonlat()
UTM33 = pyproj.Transformer.from_crs(GRID.crs, "EPSG:32633", always_xy=True).transform_bounds(*GRID.bounds)
Bounds = tuple[float, float, float, float]


def centres(box: Bounds, size: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    (west, south, east, north), (width, height) = box, size
    x = west + (east - west) * (np.arange(width) + 0.5) / width
    y = north - (north - south) * (np.arange(height) + 0.5) / height
    return np.broadcast_to(x, (height, width)), np.broadcast_to(y[:, None], (height, width))


def nearest(source: Checker, box: Bounds, crs: str, size: tuple[int, int]) -> NDArray[Any]:
    """Red and mask of 5 July, shape ``(H, W, 2)``, looked up with pyproj and NumPy."""
    mask = source.whole("S2_05", "dataMask").astype(np.uint16)
    red = np.floor(source.whole("S2_05", "B04").astype(np.float64) * 10_000 + 0.5).astype(np.uint16) * mask
    beyond = np.zeros((GRID.height + 2, GRID.width + 2, 2), np.uint16)
    beyond[1:-1, 1:-1] = np.stack([red, mask], axis=-1)
    x, y = pyproj.Transformer.from_crs(crs, GRID.crs, always_xy=True).transform(*centres(box, size))
    col, row = np.floor((x - WEST) / 10).astype(int), np.floor((NORTH - y) / 10).astype(int)
    return beyond[np.clip(row, -1, GRID.height) + 1, np.clip(col, -1, GRID.width) + 1]


def body(bounds: dict[str, Any], size: dict[str, Any], **processing: str) -> dict[str, Any]:
    time = {"from": "2019-07-05T00:00:00Z", "to": "2019-07-05T23:59:59Z"}
    data = {"type": "sentinel-2-l2a", "dataFilter": {"timeRange": time}, "processing": processing}
    return {
        "input": {"bounds": bounds, "data": [data]},
        "output": {**size, "responses": [{"format": {"type": "image/tiff"}}]},
        "evalscript": RED_AND_MASK,
    }


def url(crs: str) -> dict[str, str]:
    return {"crs": f"http://www.opengis.net/def/crs/EPSG/0/{crs.removeprefix('EPSG:')}"}


def rendered(bounds: dict[str, Any], width: int, height: int, source: Any = None) -> NDArray[Any]:
    """Shape ``(H, W, 2)``."""
    request = parse_request(json.dumps(body(bounds, {"width": width, "height": height})))
    answer = render(source or Checker(), request, Limits()).body
    with MemoryFile(answer) as memory, memory.open() as dataset:
        return np.moveaxis(dataset.read(), 0, -1)


@pytest.mark.parametrize("size", [(256, 256), bbox_to_dimensions(BBox(LONLAT, CRS.WGS84), 10), (31, 7), (1, 1)])
def test_a_box_in_wgs84_takes_the_nearest_pixels(client: Client, source: Checker, size: tuple[int, int]) -> None:
    answer = client.answer(RED_AND_MASK, time=DAY, place={"bbox": BBox(LONLAT, CRS.WGS84), "size": size})
    with MemoryFile(answer.content) as memory, memory.open() as dataset:
        image = np.moveaxis(dataset.read(), 0, -1)
        assert dataset.crs.to_epsg() == 4326
        assert tuple(dataset.bounds) == pytest.approx(LONLAT, abs=1e-12)
    assert np.array_equal(image, nearest(source, LONLAT, "EPSG:4326", size))
    units = max(size[0] * size[1] / 512**2, 0.01) / 3
    assert float(answer.headers["X-ProcessingUnits-Spent"]) == pytest.approx(max(units, 0.005))


@pytest.mark.parametrize(("crs", "box"), [("EPSG:32633", UTM33), ("EPSG:3857", None)])
def test_so_does_a_box_in_another_projection(client: Client, source: Checker, crs: str, box: Bounds | None) -> None:
    box = box or pyproj.Transformer.from_crs(GRID.crs, crs, always_xy=True).transform_bounds(*GRID.bounds)
    image = client.image(RED_AND_MASK, time=DAY, place={"bbox": BBox(box, CRS(crs)), "size": (70, 50)})
    assert image[..., 1].any()
    assert np.array_equal(image, nearest(source, box, crs, (70, 50)))


def test_at_20_m_a_pixel_takes_the_south_eastern_of_its_four(client: Client, source: Checker) -> None:
    whole = client.image(RED_AND_MASK, time=DAY)
    for size in ({"size": (48, 40)}, {"resolution": (20, 20)}):
        image = client.image(RED_AND_MASK, time=DAY, place={"bbox": BBox(GRID.bounds, CRS(GRID.crs)), **size})
        assert np.array_equal(image, whole[1::2, 1::2])


def test_a_pixel_may_be_smaller_than_the_source_s(client: Client) -> None:
    image = client.image(RED_AND_MASK, time=DAY, place={"bbox": BBox(GRID.bounds, CRS(GRID.crs)), "size": (960, 800)})
    whole = client.image(RED_AND_MASK, time=DAY)
    assert np.array_equal(image, whole.repeat(10, axis=0).repeat(10, axis=1))


@settings(max_examples=15, deadline=None)
@given(
    west=st.floats(-0.01, 0.02), north=st.floats(-0.005, 0.01), step=st.floats(1e-5, 6e-4), halves=st.integers(1, 20)
)
def test_two_halves_equal_the_whole(west: float, north: float, step: float, halves: int) -> None:
    left, top = LONLAT[0] + west, LONLAT[3] - north
    middle, right, bottom = left + halves * step, left + 2 * halves * step, top - 30 * step
    whole = rendered({"bbox": [left, bottom, right, top]}, 2 * halves, 30)
    parts = [rendered({"bbox": [a, bottom, b, top]}, halves, 30) for a, b in ((left, middle), (middle, right))]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_rounding_does_not_throw_points_on_edges_to_either_side() -> None:
    # The same places in both systems, but for the rounding of the way through longitude and latitude.
    source = Checker(grid=replace(GRID, crs="EPSG:25832"))
    whole = rendered({"bbox": list(GRID.bounds), "properties": url("EPSG:25832")}, GRID.width, GRID.height, source)
    image = rendered({"bbox": list(GRID.bounds), "properties": url("EPSG:32632")}, 48, 40, source)
    assert np.array_equal(image, whole[1::2, 1::2])


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("EPSG:4326", (LONLAT[0] + 1, LONLAT[1], LONLAT[2] + 1, LONLAT[3])),
        ("EPSG:4326", (LONLAT[1], LONLAT[0], LONLAT[3], LONLAT[2])),  # latitude first
        ("EPSG:4326", (100.0, -95.0, 300.0, -20.0)),
        ("EPSG:32733", (WEST, SOUTH, EAST, NORTH)),
    ],
)
def test_elsewhere_there_is_no_data(crs: str, box: Bounds) -> None:
    assert not rendered({"bbox": list(box), "properties": url(crs)}, 20, 10).any()


def test_of_half_the_world_one_pixel_has_data() -> None:
    lon, lat = (LONLAT[0] + LONLAT[2]) / 2, (LONLAT[1] + LONLAT[3]) / 2
    image = rendered({"bbox": [lon - 90, lat - 28, lon + 90, lat + 28]}, 901, 281)[..., 1]
    assert np.argwhere(image).tolist() == [[140, 450]]


def test_bounds_without_a_crs_are_in_wgs84() -> None:
    bare = rendered({"bbox": list(LONLAT)}, 40, 30)
    assert bare.any()
    opposite = [LONLAT[2], LONLAT[1], LONLAT[0], LONLAT[3]]
    crs84 = {"crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    for bounds in ({"properties": {}}, {"properties": crs84}, {"properties": url("EPSG:4326")}, {"bbox": opposite}):
        assert np.array_equal(rendered({"bbox": list(LONLAT), **bounds}, 40, 30), bare)


@pytest.mark.parametrize("option", ["upsampling", "downsampling"])
@pytest.mark.parametrize("kernel", ["BILINEAR", "BICUBIC"])
def test_other_kernels_are_served_only_where_they_change_nothing(option: str, kernel: str) -> None:
    own = {"bbox": list(GRID.bounds), "properties": url(GRID.crs)}
    size = {"width": GRID.width, "height": GRID.height}
    render(Checker(), parse_request(json.dumps(body(own, size, **{option: kernel}))), Limits())
    with pytest.raises(ServiceError, match=rf"processing->{option}: '{kernel}' is not supported.* it serves NEAREST"):
        smaller = json.dumps(body(own, {"width": 10, "height": 10}, **{option: kernel}))
        render(Checker(), parse_request(smaller), Limits())


def test_radar_too(client: Client, source: Checker) -> None:
    nearest_radar = {name: value for name, value in PROCESSING.items() if name != "upsampling"}
    script = RED_AND_MASK.replace("B04", "VV").replace(', units: ["DN", "DN"]', "").replace("s.VV,", "60000 * s.VV,")
    ask = {"base": DataCollection.SENTINEL1_IW, "time": ("2019-07-02", "2019-07-02T23:00:00")}
    half = {"bbox": BBox(GRID.bounds, CRS(GRID.crs)), "size": (48, 40)}
    filters = {"orbitDirection": "DESCENDING"}
    image = client.image(script, **ask, place=half, other={"processing": nearest_radar}, data_filter=filters)
    whole = client.image(script, **ask, other={"processing": nearest_radar}, data_filter=filters)
    assert np.array_equal(image, whole[1::2, 1::2])
    with pytest.raises(DownloadFailedException, match="processing->upsampling: 'BILINEAR'"):
        client.image(script, **ask, place=half, other={"processing": PROCESSING}, data_filter=filters)


@dataclass(frozen=True)
class Watched(Checker):
    """Notes what is read."""

    read_windows: list[Window] = field(default_factory=list)

    def read(
        self, collection: str, item: Item | None, bands: tuple[str, ...], window: Window
    ) -> dict[str, NDArray[Any]]:
        self.read_windows.append(window)
        return super().read(collection, item, bands, window)


def test_on_the_source_s_own_pixels_exactly_these_are_read_and_sent() -> None:
    source, window = Watched(), Window(8, 16, 20, 30)
    own = {"bbox": list(GRID.crop(window).bounds), "properties": url(GRID.crs)}
    image = rendered(own, 30, 20, source)
    assert source.read_windows == [window]
    assert place(parse_request(json.dumps(body(own, {"width": 30, "height": 20}))), GRID).pick is None
    assert np.array_equal(image, nearest(source, GRID.crop(window).bounds, str(GRID.crs), (30, 20)))


def test_elsewhere_only_the_window_that_covers_the_request_is_read() -> None:
    source = Watched()
    rendered({"bbox": [WEST + 104, SOUTH + 203, WEST + 306, SOUTH + 404], "properties": url(GRID.crs)}, 40, 30, source)
    assert source.read_windows == [Window(39, 10, 21, 21)]
    rendered({"bbox": [LONLAT[0] + 1, LONLAT[1], LONLAT[2] + 1, LONLAT[3]]}, 40, 30, source)
    assert len(source.read_windows) == 1


def test_far_more_source_than_fits_into_memory_is_refused() -> None:
    large = Checker(grid=Grid(GRID.crs, WEST, NORTH, 10.0, 30_000, 30_000))
    with pytest.raises(ServiceError, match="values to read of one scene"):
        rendered({"bbox": list(large.grid.bounds), "properties": url(GRID.crs)}, 100, 100, large)


def test_outside_a_geometry_there_is_no_data(client: Client, source: Checker) -> None:
    lon, lat = LONLAT[0] + 0.002, LONLAT[1] + 0.002
    triangle = Polygon([(lon, lat), (lon + 0.012, lat + 0.001), (lon + 0.003, lat + 0.005)])
    geometry = Geometry(triangle, CRS.WGS84)
    size = (60, 41)
    image = client.image(RED_AND_MASK, time=DAY, place={"geometry": geometry, "size": size})
    within = contains_xy(triangle, *centres(triangle.bounds, size))
    assert 0.3 < within.mean() < 0.7
    assert np.array_equal(image, nearest(source, triangle.bounds, "EPSG:4326", size) * within[..., None])
    box = BBox(LONLAT, CRS.WGS84)
    image = client.image(RED_AND_MASK, time=DAY, place={"bbox": box, "geometry": geometry, "size": size})
    within = contains_xy(triangle, *centres(LONLAT, size))
    assert np.array_equal(image, nearest(source, LONLAT, "EPSG:4326", size) * within[..., None])


def test_a_geometry_on_the_source_s_own_pixels_cuts_these() -> None:
    box = (WEST - 50, NORTH - 420, WEST + 400, NORTH + 30)
    corner = [[WEST - 50, NORTH + 30], [WEST + 397, NORTH + 30], [WEST - 50, NORTH - 411], [WEST - 50, NORTH + 30]]
    bounds = {"bbox": list(box), "properties": url(GRID.crs)}
    whole = rendered(bounds, 45, 45)
    image = rendered({**bounds, "geometry": {"type": "Polygon", "coordinates": [corner]}}, 45, 45)
    assert np.array_equal(image, whole * contains_xy(Polygon(corner), *centres(box, (45, 45)))[..., None])


def test_a_geometry_beside_the_source_reads_nothing() -> None:
    source = Watched()
    square = [[10.0, 10.0], [10.1, 10.0], [10.1, 10.1], [10.0, 10.0]]
    bounds = {"bbox": list(LONLAT), "geometry": {"type": "Polygon", "coordinates": [square]}}
    assert not rendered(bounds, 20, 20, source).any()
    assert source.read_windows == []
