"""A folder of the user's own rasters as the offline service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hub_client import GRID, PROCESSING, Client
from numpy.typing import NDArray
from sentinelhub import DataCollection, SentinelHubCatalog
from sentinelhub.exceptions import DownloadFailedException

from skred.core.errors import InputError
from skred.core.grid import Grid, Window
from skred.hub.folder import FolderSource, read_folder
from skred.hub.server import serve
from skred.hub.service import Asked

S1, DEM = DataCollection.SENTINEL1_IW, DataCollection.DEM_COPERNICUS_30
COARSE = Grid(GRID.crs, GRID.west, GRID.north, 20.0, GRID.width // 2, GRID.height // 2)
DN = (np.arange(GRID.height)[:, None] * 100 + np.arange(GRID.width)).astype(np.uint16)  # 0 in a corner: no data
CLASSES = (np.arange(COARSE.height)[:, None] + np.arange(COARSE.width)).astype(np.uint8) % 12


def write(
    path: Path, array: NDArray[Any], grid: Grid = GRID, *, tags: dict[str, str] | None = None, **more: Any
) -> None:
    bands = array if array.ndim == 3 else array[None]
    profile = {"count": len(bands), "height": grid.height, "width": grid.width, "dtype": array.dtype.name}
    with rasterio.open(path, "w", driver="GTiff", crs=grid.crs, transform=grid.transform, **profile, **more) as dataset:
        dataset.write(bands)
        dataset.update_tags(**(tags or {}))


def stac(folder: Path, name: str, collection: str, assets: dict[str, Any], time: str | None, **properties: Any) -> Path:
    west, south, east, north = GRID.bounds_lonlat()
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    item = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"datetime": time, **properties},
        "assets": assets,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(item))
    return path


def optical(folder: Path, *, scale: float | None = 0.0001, **more: Any) -> Path:
    write(folder / "B04.tif", DN, nodata=0, **more)
    write(folder / "SCL.tif", CLASSES, COARSE)
    red = {"href": "./B04.tif", "bands": [{"name": "B04", "raster:scale": scale}]}
    assets = {"red": red, "SCL": {"href": "SCL.tif"}, "thumbnail": {"href": "nowhere.jpg"}}
    return stac(folder, "S2_a", "sentinel-2-l2a", assets, "2019-07-04T10:40:11Z", **{"eo:cloud_cover": 12.0})


def radar(folder: Path) -> None:
    power = np.stack([DN * 1e-5, DN * 1e-6]).astype(np.float32)
    power[:, :, :10] = np.nan
    write(folder / "power.tif", power, nodata=float("nan"))
    asset = {"href": "power.tif", "eo:bands": [{"name": "VV"}, {"name": "VH"}]}
    kind = {"sar:instrument_mode": "IW", "s1:polarization": "DV", "s1:resolution": "HIGH"}
    stac(folder, "S1_a", "sentinel-1-grd", {"data": asset}, "2019-07-05T17:15:00Z", **kind)


def terrain(folder: Path) -> None:
    for name, cols in (("west", slice(0, 50)), ("east", slice(40, None))):
        part = DN[:, cols].astype(np.float32) + (0 if name == "east" else 0.5)
        write(folder / f"{name}.tif", part, GRID.crop(Window(0, cols.start, GRID.height, part.shape[1])))
        stac(folder, name, "dem", {"DEM": {"href": f"{name}.tif"}}, None)


def script(bands: str, count: int, sample_type: str, returned: str) -> str:
    return (
        f"//VERSION=3\nfunction setup() {{ return {{ input: [{bands}], output: "
        f'{{ bands: {count}, sampleType: "{sample_type}" }} }}; }}\n'
        f"function evaluatePixel(s) {{ return [{returned}]; }}\n"
    )


def test_stored_numbers_come_out_of_the_service_as_they_went_in(tmp_path: Path) -> None:
    optical(tmp_path)
    text = script('{ bands: ["B04", "SCL", "dataMask"], units: "DN" }', 3, "UINT16", "s.B04, s.SCL, s.dataMask")
    with serve(read_folder(tmp_path)) as settings:
        image = Client(settings).image(text)
    assert np.array_equal(image[..., 0], DN)
    assert np.array_equal(image[..., 1], CLASSES.repeat(2, axis=0).repeat(2, axis=1) * (DN > 0))
    assert np.array_equal(image[..., 2], DN > 0)


def test_radar_and_terrain_come_out_too(tmp_path: Path) -> None:
    radar(tmp_path)
    terrain(tmp_path)
    with serve(read_folder(tmp_path)) as settings:
        client = Client(settings)
        text = script('"VV", "VH", "dataMask"', 3, "FLOAT32", "s.VV, s.VH, s.dataMask")
        power = client.image(text, base=S1, other={"processing": PROCESSING})
        text = script('"DEM"', 1, "FLOAT32", "s.DEM")
        height = client.image(text, base=DEM, time=None, data_filter={"demInstance": "COPERNICUS_30"})
    known = np.arange(GRID.width) >= 10
    assert np.array_equal(power[..., 0], np.where(known, (DN * 1e-5).astype(np.float32), 0))
    assert np.array_equal(power[..., 2], np.broadcast_to(known, DN.shape))
    assert np.array_equal(height, DN + np.where(np.arange(GRID.width) < 40, 0.5, 0)), "east comes first by its id"


def test_the_catalog_shows_the_items_with_their_properties(tmp_path: Path) -> None:
    optical(tmp_path)
    radar(tmp_path)
    with serve(read_folder(tmp_path)) as settings:
        catalog = SentinelHubCatalog(config=Client(settings).config)
        clear = list(catalog.search(DataCollection.SENTINEL2_L2A, filter="eo:cloud_cover < 20"))
        passes = list(catalog.search(S1, distinct="date"))
    assert [(one["id"], one["properties"]["datetime"]) for one in clear] == [("S2_a", "2019-07-04T10:40:11.000Z")]
    assert passes == ["2019-07-05"]
    assert settings.time_interval == ("2019-07-04", "2019-07-05")


def test_a_window_reads_what_the_whole_has_there(tmp_path: Path) -> None:
    optical(tmp_path)
    source = read_folder(tmp_path)
    bands = ("B04", "SCL", "dataMask")
    whole = source.read("sentinel-2-l2a", source.items()[0], bands, source.grid.whole)
    for window in (Window(1, 3, 7, 5), Window(41, 0, 2, 96), Window(0, 0, 1, 1)):
        part = source.read("sentinel-2-l2a", source.items()[0], bands, window)
        assert all(np.array_equal(part[name], whole[name][window.slices]) for name in bands)


def test_a_band_without_a_file_is_refused_by_name(tmp_path: Path) -> None:
    optical(tmp_path)
    with serve(read_folder(tmp_path)) as settings, pytest.raises(DownloadFailedException, match="no band 'B08'"):
        Client(settings).image(script('"B08"', 1, "FLOAT32", "s.B08"))


def test_own_pixels_are_not_called_simulated_but_simulated_files_are(tmp_path: Path) -> None:
    optical(tmp_path)
    text = script('"B04"', 1, "FLOAT32", "s.B04")
    with serve(read_folder(tmp_path)) as settings:
        headers = Client(settings).answer(text).headers
    assert "X-Skred-Simulated" not in headers
    assert headers["X-Skred-Offline"] == "folder"
    radar(tmp_path)
    optical(tmp_path, tags={"simulated": "yes"})
    with serve(read_folder(tmp_path)) as settings:
        headers = Client(settings).answer(text).headers
    assert headers["X-Skred-Simulated"] == "yes"


def _shift(folder: Path) -> None:
    optical(folder)
    write(folder / "SCL.tif", CLASSES, Grid(GRID.crs, GRID.west + 3, GRID.north, 20.0, COARSE.width, COARSE.height))


def _other_zone(folder: Path) -> None:
    optical(folder)
    write(folder / "SCL.tif", CLASSES, Grid("EPSG:32633", GRID.west, GRID.north, 20.0, COARSE.width, COARSE.height))


WHEN = {"datetime": "2019-07-04T10:40:11Z"}


def _edit(folder: Path, **change: Any) -> None:
    path = optical(folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda folder: None, "no STAC item"),
        (lambda folder: (folder / "x.json").write_text("{"), "x.json: cannot be read"),
        (lambda folder: optical(folder, scale=None), "whole numbers"),
        (_shift, "SCL.tif: has pixels of 20 m"),
        (_other_zone, "SCL.tif: has the CRS EPSG:32633"),
        (lambda folder: (optical(folder), (folder / "SCL.tif").unlink()), "asset SCL"),
        (lambda folder: _edit(folder, collection="sentinel-2-l1c"), "collection"),
        (lambda folder: _edit(folder, properties={"datetime": "2019-07-04"}), "properties.datetime"),
        (lambda folder: _edit(folder, properties=WHEN | {"eo:cloud_cover": "12"}), "eo:cloud_cover: got '12'"),
        (lambda folder: _edit(folder, properties=WHEN | {"eo:cloud_cover": 101}), "from 0 to 100"),
        (lambda folder: _edit(folder, properties=WHEN | {"eo:cloud_cover": float("nan")}), "from 0 to 100"),
        (lambda folder: _edit(folder, geometry=None), "geometry"),
        (lambda folder: _edit(folder, assets={"thumbnail": {"href": "x.jpg"}}), "none is a band"),
        (lambda folder: _edit(folder, assets={"B04": {"href": "https://there/B04.tif"}}), "no network"),
        (lambda folder: _edit(folder, assets={"a": {"href": "SCL.tif", "bands": [{}, {"name": "B04"}]}}), "is band 2"),
        (
            lambda folder: (optical(folder), (folder / "b.json").write_bytes((folder / "S2_a.json").read_bytes())),
            "S2_a",
        ),
    ],
)
def test_a_wrong_folder_is_one_line_that_names_the_mistake(tmp_path: Path, spoil: Any, line: str) -> None:
    spoil(tmp_path)
    with pytest.raises(InputError, match=line) as caught:
        read_folder(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("properties", [WHEN, WHEN | {"eo:cloud_cover": None}])
def test_unknown_cloud_cover_is_not_taken_for_a_clear_sky(tmp_path: Path, properties: dict[str, Any]) -> None:
    _edit(tmp_path, properties=properties)
    text = script('"B04"', 1, "FLOAT32", "s.B04")
    with serve(read_folder(tmp_path)) as settings:
        client = Client(settings)
        assert client.image(text).any()
        assert not client.image(text, data_filter={"maxCloudCoverage": 99.9}).any()
        with pytest.raises(DownloadFailedException, match="'S2_a' has no eo:cloud_cover"):
            client.image(text, mosaicking_order="leastCC")


def test_a_file_that_is_gone_is_an_error_of_the_service(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    optical(tmp_path)
    log = list[Asked]()
    with serve(read_folder(tmp_path), log=log) as settings:
        (tmp_path / "B04.tif").unlink()
        with pytest.raises(DownloadFailedException, match="COMMON_EXCEPTION") as caught:
            Client(settings).image(script('"B04"', 1, "FLOAT32", "s.B04"))
    error_id = re.search(r"error id (\w+)", str(caught.value))
    assert error_id is not None
    line = next(line for line in capfd.readouterr().err.splitlines() if error_id[1] in line)
    assert "B04.tif" in line
    assert [(call.status, call.units) for call in log if call.path == "process"] == [(500, 0.0)] * 2  # tried twice


def test_a_folder_source_is_a_pixel_source(tmp_path: Path) -> None:
    optical(tmp_path)
    source: FolderSource = read_folder(tmp_path)
    assert source.grid == GRID
    assert not source.simulated
