"""Rendering without HTTP: any window, and several data sources in one script."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hub_client import GRID, PROCESSING, Checker, optical
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from skred.core.grid import Window
from skred.hub.errors import ServiceError
from skred.hub.render import Limits, Rendered, render
from skred.hub.request import Data, parse_request
from skred.hub.scenes import select

SOURCE = Checker()
DAY = {"timeRange": {"from": "2019-07-05T00:00:00Z", "to": "2019-07-05T23:59:59Z"}}
OPTICAL = {"type": "sentinel-2-l2a", "dataFilter": DAY}
RADAR = {
    "type": "sentinel-1-grd",
    "dataFilter": {
        "timeRange": {"from": "2019-07-02T00:00:00Z", "to": "2019-07-09T23:59:59Z"},
        "orbitDirection": "ASCENDING",
    },
    "processing": PROCESSING,
}
DEM = {"type": "dem", "dataFilter": {"demInstance": "COPERNICUS_30"}}
MASK_AND_RED = """//VERSION=3
const setup = () => ({ input: ["B04", "dataMask"], output: { bands: 2, sampleType: "FLOAT32" } });
const evaluatePixel = ({ B04, dataMask }) => [B04, dataMask];
"""


def answer(
    script: str,
    *data: dict[str, Any],
    window: Window = GRID.whole,
    output: dict[str, Any] | None = None,
    responses: tuple[tuple[str, str], ...] = (("default", "image/tiff"),),
) -> Rendered:
    """The answer to a request of these data sources; `output` replaces its size."""
    size = {"width": window.width, "height": window.height} if output is None else output
    body = {
        "input": {
            "bounds": {
                "bbox": list(GRID.crop(window).bounds),
                "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32632"},
            },
            "data": list(data),
        },
        "output": {
            **size,
            "responses": [{"identifier": name, "format": {"type": kind}} for name, kind in responses],
        },
        "evalscript": script,
    }
    return render(SOURCE, parse_request(json.dumps(body)), Limits())


def pixels(script: str, *data: dict[str, Any], window: Window = GRID.whole) -> Any:
    """Rendered pixels of the only output, shape ``(bands, H, W)``."""
    with MemoryFile(answer(script, *data, window=window).body) as memory, memory.open() as dataset:
        return dataset.read()


@settings(max_examples=25, deadline=None)
@given(row=st.integers(-30, 90), col=st.integers(-30, 110), height=st.integers(1, 60), width=st.integers(1, 60))
def test_any_window_is_cut_out_of_the_whole_and_empty_beyond_it(row: int, col: int, height: int, width: int) -> None:
    whole = np.zeros((2, GRID.height + 200, GRID.width + 200), np.float32)
    whole[:, 100 : 100 + GRID.height, 100 : 100 + GRID.width] = pixels(MASK_AND_RED, OPTICAL)
    window = Window(row, col, height, width)
    wanted = whole[:, *Window(row + 100, col + 100, height, width).slices]
    assert np.array_equal(pixels(MASK_AND_RED, OPTICAL, window=window), wanted)


def test_a_script_reads_several_data_sources() -> None:
    script = """//VERSION=3
    function setup() {
      return {
        input: [{ datasource: "s2", bands: ["B04"], units: "DN" },
                { datasource: "s1", bands: ["VV"], mosaicking: "ORBIT" },
                { datasource: "dem", bands: ["DEM"] }],
        output: [{ bands: 4, sampleType: "FLOAT32" }],
      };
    }
    function evaluatePixel(samples) {
      return [samples.s2[0].B04, samples.s1[0].VV, samples.s1[1].VV, samples.dem[0].DEM];
    }
    """
    data = ({**OPTICAL, "id": "s2"}, {**RADAR, "id": "s1"}, {**DEM, "id": "dem"})
    red, newest, oldest, height = pixels(script, *data)
    mask = SOURCE.whole("S2_05", "dataMask")
    assert np.array_equal(red, np.floor(SOURCE.whole("S2_05", "B04").astype(float) * 10_000 + 0.5) * mask)
    assert np.array_equal(newest, SOURCE.whole("S1_09ascending", "VV"))
    assert np.array_equal(oldest, SOURCE.whole("S1_02ascending", "VV"))
    assert np.array_equal(height, SOURCE.whole("dem", "DEM"))


def test_inputs_and_data_sources_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ServiceError, match="got 1 inputs without a datasource for 2 data sources"):
        pixels(MASK_AND_RED, OPTICAL, RADAR)
    with pytest.raises(ServiceError, match="an id of its own"):
        pixels(MASK_AND_RED, {**OPTICAL, "id": "a"}, {**RADAR, "id": "a"})
    for inputs, named in (
        ('{ datasource: "s3", bands: ["B04"] }', "'s3' is no id"),
        ('{ datasource: "s2", bands: ["B04"] }, { bands: ["VV"] }', "of every input or of none"),
        ('{ datasource: "s2", bands: ["B04"] }, { datasource: "s2", bands: ["B08", "B04"] }', "B04 is listed twice"),
        ('{ datasource: "s1", bands: ["VV"], mosaicking: "TILE" }', "'TILE' is not supported"),
        ('{ datasource: "s1", bands: ["VV"] }, { datasource: "s1", bands: ["VH"], mosaicking: "ORBIT" }', "ORBIT and"),
    ):
        script = MASK_AND_RED.replace('["B04", "dataMask"]', f"[{inputs}]")
        with pytest.raises(ServiceError, match=named):
            pixels(script, {**OPTICAL, "id": "s2"}, {**RADAR, "id": "s1"})


def test_bands_of_other_units_may_stand_apart() -> None:
    script = """//VERSION=3
    function setup() {
      return { input: [{ bands: ["B04"], units: "DN" }, { bands: ["B08"], units: "REFLECTANCE" }],
               output: { bands: 2, sampleType: "FLOAT32", nodataValue: -1 } };
    }
    function evaluatePixel(s) { return [s.B04, s.B08]; }
    """
    red, nir = pixels(script, OPTICAL)
    assert red.max() > 9000
    assert 0.9 < nir.max() <= 1


def test_a_request_for_too_much_memory_is_refused() -> None:
    script = MASK_AND_RED.replace('input: ["B04", "dataMask"]', 'mosaicking: "TILE", input: ["B02", "B03", "B04"]')
    month = {"timeRange": {"from": "2019-07-01T00:00:00Z", "to": "2019-07-31T00:00:00Z"}}
    with pytest.raises(ServiceError, match="ask for a smaller area"):
        pixels(script, {**OPTICAL, "dataFilter": month}, window=Window(0, 0, 2500, 2500))


def test_a_size_may_be_given_as_a_resolution() -> None:
    window = Window(10, 20, 30, 40)
    by_size = answer(MASK_AND_RED, OPTICAL, window=window)
    assert answer(MASK_AND_RED, OPTICAL, window=window, output={"resx": 10, "resy": 10}).body == by_size.body
    for output, named in (
        ({"width": 40, "height": 30, "resx": 10, "resy": 10}, "either width and height or resx and resy"),
        ({"width": 40}, "either width and height"),
        ({"resx": 10, "height": 30}, "either width and height"),
        ({"resx": 0.01, "resy": 0.01}, "resx: gives 40000 pixels"),
    ):
        with pytest.raises(ServiceError, match=named):
            answer(MASK_AND_RED, OPTICAL, window=window, output=output)


SMALL = Window(0, 0, 4, 6)
PNG = (("default", "image/png"),)


def with_output(output: str) -> str:
    return (
        f'//VERSION=3\nfunction setup() {{ return {{ input: ["B04"], output: {output} }}; }}\n'
        "function evaluatePixel(s) { return new Array(n).fill(s.B04); }\nconst n = setup().output.bands;"
    )


@pytest.mark.parametrize(("bands", "sample_type"), [(1, "UINT8"), (2, "UINT16"), (3, "AUTO"), (4, "UINT16")])
def test_a_png_has_the_pixels_of_the_tiff(bands: int, sample_type: str) -> None:
    script = with_output(f'{{ bands: {bands}, sampleType: "{sample_type}" }}').replace("s.B04)", "200 * s.B04)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a PNG does not say where it lies
        done = answer(script, OPTICAL, window=SMALL, responses=PNG)
        with MemoryFile(done.body) as memory, memory.open() as dataset:
            assert np.array_equal(dataset.read(), pixels(script, OPTICAL, window=SMALL))
    assert done.content_type == "image/png"
    assert b"simulated=yes" in done.body


@pytest.mark.parametrize(
    ("output", "responses", "named"),
    [
        ("{ bands: 1 }", (("default", "image/jpeg"),), "'image/jpeg'"),
        ("{ bands: 1 }", (("default", "application/json"),), "application/json for userdata"),
        ("{ bands: 1 }", (("userdata", "image/tiff"),), "application/json for userdata"),
        ("{ bands: 1 }", (*PNG, *PNG), "each identifier once"),
        ('{ bands: 1, sampleType: "FLOAT32" }', PNG, "image/png has no FLOAT32"),
        ('{ bands: 5, sampleType: "UINT8" }', PNG, "image/png has 1 to 4 bands, got 5"),
    ],
)
def test_files_that_there_are_not_are_refused(output: str, responses: tuple[tuple[str, str], ...], named: str) -> None:
    with pytest.raises(ServiceError, match=named):
        answer(with_output(output), OPTICAL, window=SMALL, responses=responses)


ORBITS = """//VERSION=3
const setup = () => ({ input: ["B04"], output: { bands: 1, sampleType: "UINT8" }, mosaicking: "ORBIT" });
const evaluatePixel = (samples) => [samples.length];
"""
WEEK = {**OPTICAL, "dataFilter": {"timeRange": {"from": "2019-07-01T00:00:00Z", "to": "2019-07-07T23:59:59Z"}}}


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ("function preProcessScenes(c) { }", "must return collections with scenes.orbits"),
        ("function preProcessScenes(c) { c.scenes.orbits = 3; return c; }", "must return collections"),
        ("function preProcessScenes(c) { c.scenes.orbits.push(c.scenes.orbits[0]); return c; }", "each once"),
        ("function preProcessScenes(c) { c.scenes.orbits = [{}]; return c; }", "some of the scenes.orbits"),
        ("function preProcessScenes(c) { c.scenes.orbits[0].tiles.length; return c; }", "reading 'length'"),
        ("function updateOutput(o, c) { o.default.bands = 0; }", "updateOutput->default->bands: got 0"),
        ("function updateOutput(o, c) { o.default.bands = NaN; }", "got 'NaN'"),
        ("function updateOutput(o, c) { delete o.default; }", "got None"),
        ("function updateOutputMetadata() { throw new Error('no metadata'); }", "no metadata"),
        ("function updateOutputMetadata(s, i, o) { o.userData = o; }", "circular"),
    ],
)
def test_a_hook_that_leaves_nonsense_is_refused(hook: str, says: str) -> None:
    with pytest.raises(ServiceError, match=re.escape(says)) as caught:
        answer(ORBITS + hook, WEEK, window=SMALL)
    assert caught.value.status == 400


def test_only_the_scenes_that_stay_are_charged_and_read() -> None:
    kept = "function preProcessScenes(c) { c.scenes.orbits = c.scenes.orbits.slice(2, 4); return c; }"
    whole, part = (answer(ORBITS + hook, WEEK, window=SMALL) for hook in ("", kept))
    assert part.processing_units == pytest.approx(0.01 * 2 / 3)
    assert whole.processing_units == pytest.approx(0.01 * 7 / 3)
    assert (pixels(ORBITS + kept, WEEK, window=SMALL) == 2).all()


def test_a_script_may_return_nothing_only_where_no_image_is_asked_for() -> None:
    script = MASK_AND_RED.replace("[B04, dataMask]", "{}")
    with pytest.raises(ServiceError, match="must return an array of 2 values"):
        answer(script, OPTICAL, window=SMALL)
    done = answer(script, OPTICAL, window=SMALL, responses=(("userdata", "application/json"),))
    assert (done.body, done.content_type) == (b"{}", "application/json")


def test_the_outlines_of_tiles_are_told_where_they_are_asked_for() -> None:
    script = """//VERSION=3
    function setup() {
      return { input: [{ bands: ["B04"], metadata: ["bounds"] }], output: { bands: 1 }, mosaicking: "TILE" };
    }
    function evaluatePixel() { return [0]; }
    function updateOutputMetadata(scenes, input, output) { output.userData = scenes.tiles; }
    """
    (tile,) = json.loads(answer(script, OPTICAL, window=SMALL, responses=(("userdata", "application/json"),)).body)
    ring = [list(point) for point in SOURCE.catalog[4].footprint]
    assert tile["dataGeometry"]["coordinates"] == [[ring]]
    assert tile["dataEnvelope"]["type"] == "Polygon"
    plain = script.replace(', metadata: ["bounds"]', "")
    (tile,) = json.loads(answer(plain, OPTICAL, window=SMALL, responses=(("userdata", "application/json"),)).body)
    assert set(tile) == {"date", "shId", "dataPath", "cloudCoverage", "__idx"}


def test_a_data_source_without_any_item_is_an_empty_list_in_a_fusion() -> None:
    script = """//VERSION=3
    function setup() {
      return { input: [{ bands: ["B04"] }, { bands: ["VV"] }], output: { bands: 2, sampleType: "UINT8" } };
    }
    function evaluatePixel(samples) { return [samples["0"].length, samples["1"].length]; }
    """
    never = {**OPTICAL, "dataFilter": {"timeRange": {"from": "2018-01-01T00:00:00Z", "to": "2018-01-02T00:00:00Z"}}}
    none, one = pixels(script, never, RADAR, window=SMALL)
    assert (none == 0).all()
    assert (one == 1).all()


def test_the_product_that_was_published_last_lies_on_top() -> None:
    first, again = (optical(4, 3.0, name) for name in ("_b", "_a"))
    again = replace(again, properties={**again.properties, "updated": "2020-01-01T00:00:00Z"})
    first = replace(first, properties={**first.properties, "updated": "2019-07-05T00:00:00Z"})
    (data,) = parse_request_data({**OPTICAL, "dataFilter": MONTH})
    for pair in ((first, again), (again, first)):
        assert [item.id for item in select(pair, data, GRID)] == ["S2_04_a", "S2_04_b"]


MONTH = {"timeRange": {"from": "2019-07-01T00:00:00Z", "to": "2019-07-31T00:00:00Z"}}


def parse_request_data(data: dict[str, Any]) -> tuple[Data, ...]:
    body = {
        "input": {"bounds": {"bbox": [0, 0, 1, 1], "properties": {"crs": "x"}}, "data": [data]},
        "output": {"width": 1, "height": 1, "responses": [{"format": {"type": "image/tiff"}}]},
        "evalscript": "",
    }
    return parse_request(json.dumps(body)).input.data
