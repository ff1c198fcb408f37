"""Process requests through the unmodified client equal the same arithmetic in NumPy."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hub_client import GRID, PROCESSING, Checker, Client, optical
from rasterio.io import MemoryFile
from sentinelhub import DataCollection
from sentinelhub.exceptions import DownloadFailedException

from skred.core.grid import Window, tiles
from skred.hub.render import Limits
from skred.hub.server import serve

S1 = DataCollection.SENTINEL1_IW
DN_SCRIPT = """//VERSION=3
function setup() {
  return { input: [{ bands: ["B02", "B08", "SCL", "dataMask"], units: ["DN", "DN", "DN", "DN"] }],
           output: { bands: 4, sampleType: "UINT16" } };
}
function evaluatePixel(s) { return [s.B02, s.B08, s.SCL, s.dataMask]; }
"""
RADAR_SCRIPT = """//VERSION=3
function setup() {
  return { input: ["VV", "VH", "dataMask"], output: { bands: 2, sampleType: "UINT16" } };
}
function code(power) {
  if (!(power > 0)) return 0;
  return Math.min(65535, Math.max(1, (10 * Math.log10(power) + 50) / 0.001));
}
function evaluatePixel(s) { return s.dataMask ? [code(s.VV), code(s.VH)] : [0, 0]; }
"""


def one_band(band: str, sample_type: str = "FLOAT32", value: str = "") -> str:
    return (
        f'//VERSION=3\nfunction setup() {{ return {{ input: ["{band}"], '
        f'output: {{ bands: 1, sampleType: "{sample_type}" }} }}; }}\n'
        f"function evaluatePixel(s) {{ return [{value or 's.' + band}]; }}\n"
    )


def dn(reflectance: Any) -> Any:
    return np.floor(reflectance.astype(np.float64) * 10_000 + 0.5)


def refused(client: Client, script: str, **kwargs: Any) -> str:
    with pytest.raises(DownloadFailedException) as caught:
        client.image(script, **kwargs)
    return str(caught.value)


def test_numbers_of_one_acquisition_are_its_pixels(client: Client, source: Checker) -> None:
    image = client.image(DN_SCRIPT, time=("2019-07-04T10:30:00", "2019-07-04T10:50:00"))
    assert image.dtype == np.uint16
    assert np.array_equal(image[..., 0], dn(source.whole("S2_04", "B02")))
    assert np.array_equal(image[..., 1], dn(source.whole("S2_04", "B08")))
    assert np.array_equal(image[..., 2], source.whole("S2_04", "SCL"))
    assert (image[..., 3] == 1).all()


def test_pixels_without_data_are_0_with_data_mask_0(client: Client) -> None:
    image = client.image(DN_SCRIPT, time=("2019-07-05T10:30:00", "2019-07-05T10:50:00"))
    assert (image[:, : GRID.width // 3] == 0).all()
    assert (image[:, GRID.width // 3 :, 3] == 1).all()


def test_an_older_acquisition_fills_the_gaps_of_the_newest(client: Client, source: Checker) -> None:
    image = client.image(DN_SCRIPT, time=("2019-07-04", "2019-07-05"))
    gap = np.arange(GRID.width) < GRID.width // 3
    wanted = np.where(gap, dn(source.whole("S2_04", "B02")), dn(source.whole("S2_05", "B02")))
    assert np.array_equal(image[..., 0], wanted)


@pytest.mark.parametrize(("order", "top"), [("mostRecent", "S2_08"), ("leastRecent", "S2_04"), ("leastCC", "S2_04")])
def test_the_mosaicking_order_decides_what_lies_on_top(client: Client, source: Checker, order: str, top: str) -> None:
    image = client.image(
        one_band("B03", value="10000 * s.B03"), time=("2019-07-04", "2019-07-08T23:00:00"), mosaicking_order=order
    )
    assert np.allclose(image, dn(source.whole(top, "B03")), atol=1e-2)


def test_cloudy_acquisitions_are_left_out(client: Client, source: Checker) -> None:
    image = client.image(DN_SCRIPT, data_filter={"maxCloudCoverage": 12.5})
    assert np.array_equal(image[..., 0], dn(source.whole("S2_04", "B02")))


def test_a_box_beyond_the_grid_has_no_data_there(client: Client, source: Checker) -> None:
    window = Window(-8, 90, 24, 16)
    image = client.image(DN_SCRIPT, window=window, time=("2019-07-04", "2019-07-04T23:00:00"))
    inside = np.zeros((24, 16), bool)
    inside[8:, :6] = True
    assert np.array_equal(image[..., 3] == 1, inside)
    assert np.array_equal(image[8:, :6, 0], dn(source.whole("S2_04", "B02"))[:16, 90:])
    assert (client.image(DN_SCRIPT, window=Window(500, 500, 4, 4)) == 0).all()


def test_no_acquisition_in_the_time_range_is_an_image_without_data(client: Client) -> None:
    assert (client.image(DN_SCRIPT, time=("2018-07-04", "2018-07-05")) == 0).all()


def test_tiles_equal_the_whole(client: Client) -> None:
    whole = client.image(RADAR_SCRIPT, base=S1, other={"processing": PROCESSING})
    for window in tiles(*GRID.shape, 37):
        tile = client.image(RADAR_SCRIPT, base=S1, window=window, other={"processing": PROCESSING})
        assert np.array_equal(tile, whole[window.slices])


def test_radar_of_one_direction_is_coded_in_decibels(client: Client, source: Checker) -> None:
    image = client.image(
        RADAR_SCRIPT,
        base=S1,
        time=("2019-07-02", "2019-07-02T23:59:00"),
        other={"processing": PROCESSING},
        data_filter={"orbitDirection": "DESCENDING"},
    )
    power = source.whole("S1_02descending", "VV").astype(np.float64)
    wanted = np.where(power > 0, np.floor((10 * np.log10(np.maximum(power, 1e-9)) + 50) / 0.001 + 0.5), 0)
    assert np.abs(image[..., 0] - wanted).max() <= 1  # the last bit of a logarithm
    assert np.mean(image[..., 0] == wanted) > 0.999


def test_angle_and_shadow_of_a_track(client: Client, source: Checker) -> None:
    script = """//VERSION=3
    function setup() {
      return { input: ["localIncidenceAngle", "shadowMask"], output: { bands: 2, sampleType: SampleType.FLOAT32 } };
    }
    const evaluatePixel = (s) => [s.localIncidenceAngle, s.shadowMask];
    """
    image = client.image(script, base=S1, time=("2019-07-09", "2019-07-09T23:00:00"), other={"processing": PROCESSING})
    assert np.array_equal(image[..., 0], source.whole("S1_09ascending", "localIncidenceAngle"))
    assert np.array_equal(image[..., 1], source.whole("S1_09ascending", "shadowMask"))


def test_the_elevation_model_needs_no_time(client: Client, source: Checker) -> None:
    image = client.image(
        one_band("DEM"), base=DataCollection.DEM, time=None, data_filter={"demInstance": "COPERNICUS_30"}
    )
    assert np.array_equal(image, source.whole("dem", "DEM"))


def test_the_file_says_where_it_lies_and_that_it_is_simulated(client: Client) -> None:
    window = Window(8, 16, 20, 30)
    answer = client.answer(DN_SCRIPT, window=window)
    with MemoryFile(answer.content) as memory, memory.open() as dataset:
        assert dataset.crs.to_epsg() == 32632
        assert dataset.transform == GRID.crop(window).transform
        assert dataset.tags()["simulated"] == "yes"
    assert answer.headers["X-Skred-Simulated"] == "yes"
    assert answer.headers["Content-Type"] == "image/tiff"


def test_real_pixels_are_not_called_simulated() -> None:
    with serve(Checker(simulated=False)) as settings:
        answer = Client(settings).answer(DN_SCRIPT)
    with MemoryFile(answer.content) as memory, memory.open() as dataset:
        assert "simulated" not in dataset.tags()
    assert "X-Skred-Simulated" not in answer.headers


@pytest.mark.parametrize(
    ("sample_type", "values", "stored"),
    [
        ("UINT8", "[-1, 0.49, 0.5, 1.5, 254.5, 256, NaN]", [0, 0, 1, 2, 255, 255, 0]),
        ("UINT16", "[-1, 2.5, 65534.4, 65535, 1e9, Infinity, NaN]", [0, 3, 65534, 65535, 65535, 65535, 0]),
        ("INT8", "[-129, -128, -1.5, -0.5, 0.5, 127.5, NaN]", [-128, -128, -1, 0, 1, 127, 0]),
        ("INT16", "[-40000, -2.5, -2.6, 2.5, 32767, 40000, NaN]", [-32768, -2, -3, 3, 32767, 32767, 0]),
        ("AUTO", "[-1, 0, 0.5, 1, 2, '0.2', NaN]", [0, 0, 128, 255, 255, 51, 0]),
        ("FLOAT32", "[-1, 0.1, 1e9, 0, true, '2', NaN]", [-1, np.float32(0.1), 1e9, 0, 1, 2, np.nan]),
    ],
)
def test_values_are_rounded_half_up_and_clamped(
    client: Client, sample_type: str, values: str, stored: list[float]
) -> None:
    script = (
        f'//VERSION=3\nfunction setup() {{ return {{ input: [{{bands: ["B02"]}}], '
        f'output: [{{ bands: 7, sampleType: "{sample_type}" }}] }}; }}\nfunction evaluatePixel() {{ return {values}; }}'
    )
    answer = client.answer(script, window=Window(0, 0, 2, 3))
    with MemoryFile(answer.content) as memory, memory.open() as dataset:
        assert dataset.dtypes[0] == {"AUTO": "uint8"}.get(sample_type, sample_type.lower())
        assert np.array_equal(dataset.read()[:, 1, 2], stored, equal_nan=sample_type == "FLOAT32")


def test_several_outputs_come_as_a_tar(client: Client, source: Checker) -> None:
    script = """//VERSION=3
    function setup() {
      return { input: ["B02", "SCL"],
               output: [{ id: "blue", bands: 1, sampleType: "FLOAT32" },
                        { id: "scl", bands: 1, sampleType: "UINT8" }] };
    }
    function evaluatePixel(s) { return { blue: [s.B02], scl: [s.SCL] }; }
    """
    files = client.image(script, time=("2019-07-04", "2019-07-04T23:00:00"), identifiers=("blue", "scl"))
    assert np.allclose(files["blue.tif"], dn(source.whole("S2_04", "B02")) / 10_000)
    assert np.array_equal(files["scl.tif"], source.whole("S2_04", "SCL"))


def test_orbit_gives_one_sample_a_day_and_tile_one_an_item(source: Checker) -> None:
    twice = Checker(catalog=(*source.catalog, optical(4, 5.0, "_again")))
    script = """//VERSION=3
    function setup() {
      return { input: ["B04", "B08", "dataMask"], mosaicking: "MODE", output: { bands: 2, sampleType: "FLOAT32" } };
    }
    function evaluatePixel(samples, scenes) {
      var best = -1;
      for (i = 0; i < samples.length; i++) {   // an undeclared variable, as in the documentation's examples
        if (!samples[i].dataMask) continue;
        best = Math.max(best, (samples[i].B08 - samples[i].B04) / (samples[i].B08 + samples[i].B04));
      }
      return [best, scenes.LIST.length];
    }
    """
    with serve(twice) as settings:
        client = Client(settings)
        time = ("2019-07-04", "2019-07-08T23:00:00")
        orbit = client.image(script.replace("MODE", "ORBIT").replace("LIST", "orbits"), time=time)
        tile = client.image(script.replace("MODE", "TILE").replace("LIST", "tiles"), time=time)
    ndvi = []
    for day in range(4, 9):
        red, nir = (dn(twice.whole(f"S2_{day:02d}", band)) for band in ("B04", "B08"))
        ndvi.append(np.where(twice.whole(f"S2_{day:02d}", "dataMask") == 1, (nir - red) / (nir + red), -1))
    assert np.allclose(orbit[..., 0], np.max(ndvi, axis=0), atol=1e-6)
    assert (orbit[..., 1] == 5).all()
    assert (tile[..., 1] == 6).all()


def test_requests_at_once_do_not_disturb_each_other(client: Client) -> None:
    def ask(day: int) -> Any:
        return client.image(DN_SCRIPT, time=(f"2019-07-{day:02d}", f"2019-07-{day:02d}T23:00:00"))

    alone = [ask(day) for day in range(2, 8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(ask, range(2, 8)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        ({"script": "function setup() {}"}, "//VERSION=3"),
        ({"script": one_band("B05")}, "B05"),
        ({"script": one_band("B02").replace('["B02"]', '[{bands: ["B02"], units: "RADIANCE"}]')}, "RADIANCE"),
        ({"script": one_band("B02").replace("FLOAT32", "UINT32")}, "UINT32"),
        ({"script": one_band("B02").replace("bands: 1", "bands: 1, stretch: 2")}, "stretch"),
        ({"script": one_band("B02") + "function preProcessScenes(c) { return c; }"}, "preProcessScenes"),
        ({"script": one_band("B02"), "identifiers": ("other",)}, "other"),
        ({"script": one_band("B02"), "time": None}, "timeRange"),
        ({"script": one_band("B02"), "data_filter": {"previewMode": "PREVIEW"}}, "previewMode"),
        ({"script": one_band("B02"), "mosaicking_order": "leastCC", "data_filter": {"snow": 3}}, "snow"),
        ({"script": one_band("VV"), "base": S1}, "backCoeff"),
        ({"script": one_band("scatteringArea"), "base": S1, "other": {"processing": PROCESSING}}, "scatteringArea"),
        ({"script": one_band("shadowMask"), "base": S1}, "shadowMask"),
        ({"script": one_band("localIncidenceAngle"), "base": S1}, "orthorectify"),
        (
            {"script": one_band("VV"), "base": S1, "other": {"processing": {**PROCESSING, "demInstance": "MAPZEN"}}},
            "demInstance",
        ),
        (
            {
                "script": one_band("VV"),
                "base": S1,
                "other": {"processing": {**PROCESSING, "speckleFilter": {"type": "LEE"}}},
            },
            "speckleFilter",
        ),
        ({"script": one_band("DEM"), "base": DataCollection.DEM, "time": None}, "demInstance"),
    ],
)
def test_what_is_not_served_is_refused_by_name(client: Client, mistake: dict[str, Any], named: str) -> None:
    message = refused(client, mistake.pop("script"), **mistake)
    assert "400" in message
    assert "COMMON_BAD_PAYLOAD" in message
    assert named in message


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (one_band("B02", value="missing + 1"), "ReferenceError: missing is not defined"),
        (one_band("B02") + "}", "SyntaxError"),
        (one_band("B02", value="1, 2"), "returned 2 values for output 'default', which has 1 bands"),
        (one_band("B02").replace("return [s.B02]", "return s.B02"), "must return an array of 1 values"),
        (one_band("B02").replace("evaluatePixel", "evaluate"), "no function evaluatePixel"),
        (one_band("B02").replace("return [s", "throw new Error('too cloudy'); return [s"), "too cloudy"),
        (one_band("B02", value="require('fs')"), "require is not defined"),
        (one_band("B02") + "Float32Array = Array;", "changed JavaScript's own objects"),
        (one_band("B02") + "Array.prototype.map = () => [];", "RENDERER_EXCEPTION"),
        (one_band("B02") + "__hub.result = () => 1; const __hub = 2;", "already been declared"),
        (one_band("B02", value="setTimeout(() => 1, 1)"), "setTimeout is not a function"),
    ],
)
def test_a_script_that_cannot_be_run_is_a_renderer_exception(client: Client, script: str, says: str) -> None:
    message = refused(client, script)
    assert "RENDERER_EXCEPTION" in message
    assert says in message


def test_an_error_names_the_line_of_the_script(client: Client) -> None:
    assert "evalscript.js:3" in refused(client, one_band("B02", value="missing"))


@pytest.mark.parametrize(
    ("body", "limits", "says"),
    [
        ("for (;;) {}", Limits(script_seconds=3), "took longer than the 3 s"),
        ("/^(a+)+$/.test('a'.repeat(99) + 'b');", Limits(script_seconds=3), "took longer than the 3 s"),
        ("const a = []; for (;;) a.push(new Array(999).fill(a.length));", Limits(script_bytes=2**26), "memory"),
        ("new Array(3e7).fill(0.5);", Limits(script_bytes=2**26), "memory"),  # V8 ends its process
        ("const a = []; for (;;) a.push(new Uint8Array(1e7).fill(1));", Limits(script_bytes=2**26), "allocation"),
        ("let t = 'abc'; for (;;) t = t + t;", Limits(), "Invalid string length"),
        ("const f = (n) => 1 + f(n + 1); f(0);", Limits(), "Maximum call stack size exceeded"),
    ],
)
def test_a_script_without_end_or_measure_is_stopped(source: Checker, body: str, limits: Limits, says: str) -> None:
    script = one_band("B02").replace("return [s.B02]", body + " return [s.B02]")
    with serve(source, limits=limits) as settings:
        message = refused(Client(settings), script)
        assert "RENDERER_EXCEPTION" in message
        assert says in message
        assert Client(settings).image(one_band("B02")).shape == GRID.shape  # and the service lives on


def test_places_that_are_not_served_are_refused_by_name(client: Client) -> None:
    crossed = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]
    for bounds, named in (
        ({"bbox": [300_000.0, 6_800_000.0, 300_000.0, 6_799_200.0]}, "west < east"),
        ({"bbox": None}, "wanted bbox or geometry"),
        ({"properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/27700"}}, "EPSG/0/27700' is not supported"),
        ({"properties": {"crs": "EPSG:4326"}}, "'EPSG:4326' is not supported"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "bounds->geometry: is another kind of geometry, empty"),
        ({"geometry": {"type": "Polygon", "coordinates": crossed}}, "crosses itself"),
        ({"geometry": {"type": "Point", "coordinates": [1, 2]}}, "wanted a GeoJSON Polygon"),
        ({"geometry": {"coordinates": [1, 2]}}, "bounds->geometry: cannot be read"),
    ):
        changed = client.request(DN_SCRIPT)
        changed.payload["input"]["bounds"].update(bounds)
        changed.download_list[0].post_values = changed.payload
        with pytest.raises(DownloadFailedException, match=re.escape(named)):
            changed.get_data()
    request = client.request(DN_SCRIPT)
    request.payload["output"]["width"] = 2501
    request.download_list[0].post_values = request.payload
    with pytest.raises(DownloadFailedException, match="width"):
        request.get_data()
