"""Rendering without HTTP: any window, and several data sources in one script."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hub_client import GRID, PROCESSING, Checker
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from skred.core.grid import Window
from skred.hub.errors import ServiceError
from skred.hub.render import Limits, render
from skred.hub.request import parse_request

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


def pixels(script: str, *data: dict[str, Any], window: Window = GRID.whole) -> Any:
    """Rendered pixels of the only output, shape ``(bands, H, W)``."""
    body = {
        "input": {
            "bounds": {
                "bbox": list(GRID.crop(window).bounds),
                "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32632"},
            },
            "data": list(data),
        },
        "output": {
            "width": window.width,
            "height": window.height,
            "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
        },
        "evalscript": script,
    }
    done = render(SOURCE, parse_request(body), Limits())
    with MemoryFile(done.body) as memory, memory.open() as dataset:
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
