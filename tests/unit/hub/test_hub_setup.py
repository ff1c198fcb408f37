"""What a script's setup() may look like: every documented form, and nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest

from skred.hub.errors import ServiceError
from skred.hub.setup import ScriptInput, Setup, read_setup, with_bands

OUT = {"bands": 1}


def of(**parts: Any) -> Setup:
    return read_setup({"input": ["B02"], "output": OUT, **parts})


def test_inputs_are_names_or_objects() -> None:
    plain = ScriptInput(None, ("B02", "B08"), {}, None, bounds=False)
    assert of(input=["B02", "B08"]).inputs == (plain,)
    assert of(input=[{"bands": ["B02", "B08"]}]).inputs == (plain,)
    assert of(input=[{"bands": ["B02"]}, {"bands": ["B08"], "datasource": "s2"}]).inputs == (
        ScriptInput(None, ("B02",), {}, None, bounds=False),
        ScriptInput("s2", ("B08",), {}, None, bounds=False),
    )
    assert of(input=[{"bands": ["B02"], "metadata": ["bounds"]}]).inputs[0].bounds


def test_a_unit_is_one_for_all_bands_or_one_for_each() -> None:
    bands = ["B02", "B08", "dataMask"]
    assert of(input=[{"bands": bands, "units": "reflectance"}]).inputs[0].units == {
        "B02": "REFLECTANCE",
        "B08": "REFLECTANCE",
    }
    assert of(input=[{"bands": bands, "units": ["REFLECTANCE", "DN", "DN"]}]).inputs[0].units == {
        "B02": "REFLECTANCE",
        "B08": "DN",
    }


def test_mosaicking_is_that_of_the_setup_or_of_an_input() -> None:
    assert of().mosaicking == "SIMPLE"
    assert of(mosaicking="TILE").mosaicking == "TILE"
    assert of(mosaicking="TILE", input=[{"bands": ["B02"], "mosaicking": "ORBIT"}]).inputs[0].mosaicking == "ORBIT"


def test_outputs_are_one_or_a_list_with_bands_by_number_or_name() -> None:
    assert [(one.id, one.bands, one.sample_type) for one in of().outputs] == [("default", 1, "AUTO")]
    outputs = of(
        output=[
            {"id": "a", "bands": 3, "sampleType": "FLOAT32", "nodataValue": "NaN"},
            {"id": "b", "bands": ["x", "y"], "nodataValue": 255},
        ]
    ).outputs
    assert [one.bands for one in outputs] == [3, 2]
    assert math.isnan(outputs[0].nodata_value or 0)
    assert outputs[1].nodata_value == 255


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"input": []}, "input"),
        ({"input": "B02"}, "input"),
        ({"input": [{"bands": []}]}, "bands"),
        ({"input": [{"units": "DN"}]}, "bands"),
        ({"input": ["B02", "B02"]}, "B02 is listed twice"),
        ({"input": [{"bands": ["B02"], "units": ["DN", "DN"]}]}, "got 2 units for 1 bands"),
        ({"input": [{"bands": ["B02"], "metadata": ["sun"]}]}, "'sun'"),
        ({"input": [{"bands": ["B02"], "resolution": 10}]}, "resolution"),
        ({"mosaicking": "MEDIAN"}, "'MEDIAN'"),
        ({"mosaicing": "ORBIT"}, "mosaicing"),
        ({"output": []}, "output"),
        ({"output": {}}, "bands"),
        ({"output": {"bands": 0}}, "got 0"),
        ({"output": {"bands": 1.5}}, "got 1.5"),
        ({"output": {"bands": ["x", "x"]}}, "bands"),
        ({"output": {"bands": 1, "sampleType": "UINT32"}}, "'UINT32'"),
        ({"output": {"bands": 1, "sampleType": "UINT8", "nodataValue": -1}}, "a nodataValue that UINT8 has"),
        ({"output": {"bands": 1, "sampleType": "INT16", "nodataValue": "NaN"}}, "a nodataValue that INT16 has"),
        ({"output": {"bands": 1, "id": "userdata"}}, "other than userdata"),
        ({"output": {"bands": 1, "id": "../x"}}, "a name for a file"),
        ({"output": [{"bands": 1}, {"bands": 2}]}, "an id of its own"),
    ],
)
def test_what_is_not_documented_is_refused_by_name(parts: dict[str, Any], named: str) -> None:
    with pytest.raises(ServiceError) as caught:
        of(**parts)
    assert caught.value.status == 400
    assert named in caught.value.message


@pytest.mark.parametrize("bands", [0, -1, 1.5, "2", True, None, 1001])
def test_update_output_leaves_a_number_of_bands(bands: object) -> None:
    with pytest.raises(ServiceError, match="updateOutput->default->bands"):
        with_bands(of().outputs, {"default": bands})
    assert with_bands(of().outputs, {"default": 7})[0].bands == 7
