"""A value of another type is refused, never turned into what it might mean."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hub_client import Client
from test_hub_server import SCRIPT, post

from skred.hub.errors import ServiceError
from skred.hub.payload import rfc_3339
from skred.hub.request import parse_request

TIMES = {"timeRange": {"from": "2019-07-01T00:00:00Z", "to": "2019-07-02T12:00:00.25+02:00"}}
RADAR = {"backCoeff": "GAMMA0_TERRAIN", "orthorectify": True, "demInstance": "COPERNICUS_30"}
REQUEST: dict[str, Any] = {
    "input": {
        "bounds": {"bbox": [6, 61.5, 6.5, 62]},
        "data": [
            {"type": "sentinel-2-l2a", "dataFilter": {**TIMES, "maxCloudCoverage": 30}},
            {"type": "sentinel-1-grd", "dataFilter": TIMES, "processing": RADAR},
        ],
    },
    "output": {"width": 64, "height": 64, "responses": [{"format": {"type": "image/tiff"}}]},
    "evalscript": "//VERSION=3",
}


def changed(path: str, value: Any) -> str:
    request = copy.deepcopy(REQUEST)
    *keys, last = [int(key) if key.isdecimal() else key for key in path.split("->")]
    part: Any = request
    for key in keys:
        part = part[key]
    part[last] = value
    return json.dumps(request)


def test_the_request_as_it_stands_is_accepted() -> None:
    span = parse_request(json.dumps(REQUEST)).input.data[0].data_filter.time_range  # type: ignore[union-attr]
    assert span is not None
    assert span.end.isoformat() == "2019-07-02T10:00:00.250000+00:00"


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        *(
            ("input->data->0->dataFilter->timeRange->from", time, "RFC 3339 time with its zone")
            for time in (1561939200, "1561939200", "2019-07-01", "2019-07-01T00:00:00", "2019-02-30T00:00:00Z", None)
        ),
        ("input->data->0->dataFilter->maxCloudCoverage", "30", "a valid number"),
        ("input->data->0->processing", {"harmonizeValues": 1}, "a valid boolean"),
        ("input->data->1->processing->orthorectify", "on", "a valid boolean"),
        ("input->data->1->processing->orthorectify", 1, "a valid boolean"),
        ("input->bounds->bbox->0", "6", "a valid number"),
        ("output->width", "64", "a valid integer"),
        ("output->width", True, "a valid integer"),
        ("output->width", 64.5, "a valid integer"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(path: str, value: Any, wanted: str) -> None:
    with pytest.raises(ServiceError, match=wanted) as caught:
        parse_request(changed(path, value))
    assert caught.value.status == 400
    assert caught.value.violations[0].parameter.startswith(path)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+02:00", "2019-07-01 00:00:00Z", "2019-W27-1T00:00:00Z", ""])
def test_a_time_in_another_form_or_out_of_range_is_refused(time: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        rfc_3339(time)


@pytest.mark.parametrize("path", ["/process/v1", "/catalog/v1/search"])
@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 900 + b"1" + b"}" * 900, b"{", b"\xff"])
def test_a_body_that_is_no_json_or_nested_too_deeply_is_refused(client: Client, path: str, body: bytes) -> None:
    answer = post(client, path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["parameter"] == "body"


def test_a_setup_that_is_nested_too_deeply_is_refused(client: Client) -> None:
    script = SCRIPT.replace(
        "{ return { input", "{ let a = []; for (let i = 0; i < 2000; i++) a = [a]; return { a, input"
    )
    request = client.request(script.replace("BANDS", '["B02"]').replace("TYPE", "UINT8")).payload
    answer = post(client, "/process/v1", request)
    assert answer.status_code == 400
    assert "nested too deeply" in answer.json()["error"]["message"]
