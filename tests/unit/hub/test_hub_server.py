"""Login, catalog, addresses and the life of the server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from hub_client import GRID, PROCESSING, Checker, Client, elsewhere, empty, optical, reprocessed
from oauthlib.oauth2 import OAuth2Error
from sentinelhub import CRS, BBox, DataCollection, SentinelHubCatalog, SentinelHubDownloadClient
from sentinelhub.exceptions import DownloadFailedException

from skred.core.grid import Window
from skred.hub.server import HubSettings, serve
from skred.hub.service import Asked

S2, S1 = DataCollection.SENTINEL2_L2A, DataCollection.SENTINEL1_IW
JULY = ("2019-07-01", "2019-07-31")
SCRIPT = """//VERSION=3
function setup() { return { input: BANDS, output: { bands: 1, sampleType: "TYPE" } }; }
function evaluatePixel(s) { return [1]; }
"""

MASK_SCRIPT = SCRIPT.replace("BANDS", '["B02", "dataMask"]').replace("TYPE", "UINT8").replace("[1]", "[s.dataMask]")


def found(client: Client, collection: Any = S2, **kwargs: Any) -> list[dict[str, Any]]:
    return list(SentinelHubCatalog(config=client.config).search(collection, **{"time": JULY, **kwargs}))


def token(settings: HubSettings, **change: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        **change,
    }
    return requests.post(settings.token_url, data=form, timeout=10)


def post(client: Client, path: str, body: Any) -> requests.Response:
    settings = client.settings
    headers = {"Authorization": f"Bearer {token(settings).json()['access_token']}"}
    content = {"data": body} if isinstance(body, bytes) else {"json": body}
    return requests.post(settings.base_url + path, headers=headers, timeout=30, **content)


def test_search_pages_until_all_items_are_there(client: Client) -> None:
    features = found(client, limit=5)
    assert [one["id"] for one in features] == [f"S2_{day:02d}" for day in range(28, 0, -1)]


def test_a_page_says_where_the_next_one_begins(client: Client) -> None:
    body = {"collections": ["sentinel-2-l2a"], "datetime": "2019-07-01T00:00:00Z/2019-07-03T23:00:00Z", "limit": 2}
    pages = [post(client, "/catalog/v1/search", {**body, **more}).json() for more in ({}, {"next": 2}, {"next": 4})]
    assert [page["context"] for page in pages] == [
        {"limit": 2, "returned": 2, "next": 2},
        {"limit": 2, "returned": 1},
        {"limit": 2, "returned": 0},
    ]


def test_search_looks_at_time_place_ids_and_properties(client: Client) -> None:
    assert len(found(client, time=("2019-07-03", "2019-07-05"))) == 3
    assert len(found(client, filter="eo:cloud_cover < 10 AND eo:cloud_cover >= 6")) == 2
    assert [one["id"] for one in found(client, ids=["S2_07", "nothing"])] == ["S2_07"]
    near = BBox(GRID.crop(Window(10, 10, 5, 5)).bounds, CRS(GRID.crs))
    far = BBox(GRID.crop(Window(1000, 1000, 5, 5)).bounds, CRS(GRID.crs))
    assert (len(found(client, bbox=near)), len(found(client, bbox=far))) == (28, 0)


def test_the_client_s_own_radar_filter_is_understood(client: Client) -> None:
    features = found(client, DataCollection.SENTINEL1_IW_ASC)
    assert [one["id"] for one in features] == ["S1_09ascending", "S1_02ascending"]
    assert features[0]["properties"]["sat:relative_orbit"] == 44


def test_a_feature_has_time_place_and_properties_and_only_the_asked_for_fields(client: Client) -> None:
    whole = found(client, ids=["S2_04"])[0]
    assert whole["properties"]["datetime"] == "2019-07-04T10:40:11.000Z"
    assert whole["properties"]["eo:cloud_cover"] == 12.0
    assert whole["geometry"]["type"] == "MultiPolygon"
    part = found(client, ids=["S2_04"], fields={"include": ["properties.eo:cloud_cover"], "exclude": ["geometry"]})[0]
    assert part["properties"] == {"eo:cloud_cover": 12.0}
    assert "geometry" not in part


@pytest.mark.parametrize(
    ("search", "named"),
    [
        ({"filter": "eo:cloud_cover LIKE '1%'"}, "LIKE"),
        ({"filter": "eo:cloud_cover < 5 OR eo:cloud_cover > 50"}, "AND"),
        ({"filter": "sat:relative_orbit = 44"}, "sat:relative_orbit"),
        ({"filter": "eo:cloud_cover <"}, "filter"),
        ({"distinct": "orbit"}, "distinct"),
        ({"time": None, "datetime": "2019-07-05T00:00:00Z/2019-07-01T00:00:00Z"}, "not later than"),
        ({"time": None, "datetime": "yesterday"}, "datetime"),
        ({"time": None, "datetime": "2019-07-01"}, "RFC 3339 time with its zone"),
        ({"time": None, "datetime": "2019-07-01T00:00:00"}, "RFC 3339 time with its zone"),
        ({"time": None, "datetime": "2019-07-01T00:00:00Z/2019-07-05"}, "RFC 3339 time with its zone"),
        ({"time": None, "datetime": "1561939200"}, "RFC 3339 time with its zone"),
        ({"time": None, "datetime": ".."}, "from/to"),
        ({"intersects": {"type": "Polygon", "coordinates": [[[0, 0]]]}}, "intersects"),
        ({"intersects": {"type": "Point"}}, "intersects"),
        ({"bbox": BBox((0, 0, 1, 1), CRS.WGS84), "intersects": {"type": "Point", "coordinates": [0, 0]}}, "not both"),
        ({"filter_crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}, "filter-crs"),
        ({"sortby": []}, "sortby"),
        ({"limit": 1000}, "limit"),
        ({"limit": "10"}, "valid integer"),
        ({"collection": "sentinel-2-l1c"}, "sentinel-2-l1c"),
    ],
)
def test_a_search_that_is_not_served_is_refused_by_name(client: Client, search: dict[str, Any], named: str) -> None:
    with pytest.raises(DownloadFailedException, match="COMMON_BAD_PAYLOAD") as caught:
        found(client, search.pop("collection", S2), **search)
    assert named in str(caught.value)


def test_next_0_is_refused_as_by_the_service(client: Client) -> None:
    answer = post(client, "/catalog/v1/search", {"collections": ["sentinel-2-l2a"], "next": 0})
    assert answer.json()["error"]["errors"][0]["parameter"] == "next"


@pytest.mark.parametrize(
    ("interval", "days"),
    [
        ("2019-07-27T00:00:00Z/..", [28, 27]),
        ("2019-07-27T00:00:00Z/", [28, 27]),
        ("../2019-07-02T12:00:00+02:00", [1]),
        ("/2019-07-02T12:00:00Z", [2, 1]),
        ("2019-07-05T10:40:11Z", [5]),
    ],
)
def test_an_interval_may_be_open_at_either_end(client: Client, interval: str, days: list[int]) -> None:
    assert [one["id"] for one in found(client, time=None, datetime=interval)] == [f"S2_{day:02d}" for day in days]


def test_search_by_a_shape_that_no_box_could_say(source: Checker) -> None:
    west, south, east, north = GRID.bounds_lonlat()
    corner = ((west, south), (east, south), (west, north), (west, south))  # the half below the diagonal
    half = replace(optical(4, 5.0), footprint=corner)
    there = {"type": "Point", "coordinates": [west + 0.2 * (east - west), south + 0.2 * (north - south)]}
    across = {"type": "Point", "coordinates": [west + 0.8 * (east - west), south + 0.8 * (north - south)]}
    with serve(Checker(catalog=(half,))) as settings:
        ids = [[one["id"] for one in found(Client(settings), intersects=place)] for place in (there, across)]
    assert ids == [["S2_04"], []]


def test_distinct_dates_are_days_and_come_page_by_page(client: Client) -> None:
    catalog = SentinelHubCatalog(config=client.config)
    days = list(catalog.search(S1, time=JULY, distinct="date", limit=2))
    assert days == ["2019-07-02", "2019-07-08", "2019-07-09", "2019-07-14"]


def test_a_wrong_secret_is_refused(server: HubSettings) -> None:
    assert token(server, client_secret="wrong").status_code == 401
    config = Client(server).config
    config.sh_client_secret = "wrong"
    with pytest.raises(OAuth2Error, match="unauthorized_client"):
        list(SentinelHubCatalog(config=config).search(S2, time=JULY))


def test_other_grants_are_refused(server: HubSettings) -> None:
    answer = token(server, grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_credentials_in_the_header_do_as_well(server: HubSettings) -> None:
    login = (server.client_id, server.client_secret)
    answer = requests.post(server.token_url, data={"grant_type": "client_credentials"}, auth=login, timeout=10)
    assert answer.json()["token_type"] == "Bearer"


def test_requests_without_a_token_of_ours_are_refused(server: HubSettings) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic abc"}):
        answer = requests.post(f"{server.base_url}/api/v1/process", json={}, headers=headers, timeout=10)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "COMMON_UNAUTHORIZED"
        assert answer.headers["X-Skred-Simulated"] == "yes"


def test_a_token_expires(source: Checker) -> None:
    now = [0.0]
    with serve(source, token_seconds=1000, clock=lambda: now[0]) as settings:
        client = Client(settings)
        assert len(found(client)) == 28
        now[0] = 1000.0
        with pytest.raises(DownloadFailedException, match="401"):
            found(client)
        SentinelHubDownloadClient.clear_cache()
        assert len(found(client)) == 28


def test_unknown_paths_and_methods_have_the_service_s_errors(server: HubSettings) -> None:
    answer = requests.post(f"{server.base_url}/api/v1/statistics", json={}, timeout=10)
    assert answer.json()["error"] == {
        "status": 404,
        "reason": "Not Found",
        "message": "/api/v1/statistics is not served by the offline service",
        "code": "COMMON_NOT_FOUND",
    }
    assert requests.get(f"{server.base_url}/api/v1/process", timeout=10).status_code == 405


def test_a_body_that_is_no_json_or_too_long_is_refused(client: Client) -> None:
    answer = post(client, "/process/v1", b"{")
    assert (answer.status_code, answer.json()["error"]["errors"][0]["parameter"]) == (400, "body")
    host, _, port = client.settings.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/api/v1/process", "/process/v1"])
def test_a_process_request_costs_processing_units(client: Client, path: str) -> None:
    def cost(window: Window, bands: str, sample_type: str = "UINT16", **kwargs: Any) -> float:
        script = SCRIPT.replace("BANDS", bands).replace("TYPE", sample_type)
        answer = post(client, path, client.request(script, window=window, **kwargs).payload)
        return float(answer.headers["X-ProcessingUnits-Spent"])

    big, small = Window(0, 0, 512, 512), Window(0, 0, 8, 8)
    radar = {"base": S1, "time": ("2019-07-02", "2019-07-03"), "other": {"processing": PROCESSING}}
    assert cost(big, '["B02", "B03", "B04", "B08", "SCL", "dataMask"]') == pytest.approx(5 / 3)
    assert cost(big, '["B02"]', "FLOAT32") == pytest.approx(2 / 3)
    assert cost(big, '["VV", "VH"]', **radar) == pytest.approx(2 / 3 * 2.5)
    assert cost(small, '["B02", "B03", "B04"]') == pytest.approx(0.01)
    assert cost(small, '["B02"]') == 0.005


def test_an_orbit_mosaic_costs_as_many_samples_as_days(client: Client) -> None:
    script = SCRIPT.replace("BANDS", '["B02"], mosaicking: "ORBIT"').replace("TYPE", "UINT16")
    payload = client.request(script, window=Window(0, 0, 80, 96), time=("2019-07-02", "2019-07-04")).payload
    spent = post(client, "/process/v1", payload).headers["X-ProcessingUnits-Spent"]
    assert float(spent) == pytest.approx(80 * 96 / 512**2 / 3 * 3)


def test_a_refused_request_costs_nothing(client: Client) -> None:
    answer = post(client, "/process/v1", {})
    assert answer.status_code == 400
    assert "X-ProcessingUnits-Spent" not in answer.headers


def test_settings_hold_the_place_and_time_of_the_source(server: HubSettings) -> None:
    assert server.bbox == GRID.bounds_lonlat()
    assert server.time_interval == ("2019-07-01", "2019-07-28")


def test_a_source_without_items_can_be_served() -> None:
    with serve(Checker(catalog=())) as settings:
        assert found(Client(settings)) == []


def test_only_this_machine_can_connect(server: HubSettings) -> None:
    assert server.base_url.startswith("http://127.0.0.1:")
    port = int(server.base_url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):  # another address of this machine
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_the_port_is_free_again_afterwards(source: Checker) -> None:
    with serve(source) as settings:
        port = int(settings.base_url.rpartition(":")[2])
    with serve(source, port=port) as settings:
        assert settings.base_url.endswith(f":{port}")


def test_nothing_is_logged_unless_asked_for(source: Checker, capfd: pytest.CaptureFixture[str]) -> None:
    with serve(source) as settings:
        token(settings)
    assert capfd.readouterr() == ("", "")
    with serve(source, verbose=True) as settings:
        token(settings)
    out, err = capfd.readouterr()
    assert out == ""
    assert "POST /token" in err
    assert settings.client_secret not in err


def test_a_child_says_its_settings_first_and_ends_when_standard_input_closes() -> None:
    command = [sys.executable, str(Path(__file__).with_name("hub_child.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            data = json.loads(child.stdout.readline())
            settings = HubSettings(
                **{**data, "bbox": tuple(data["bbox"]), "time_interval": tuple(data["time_interval"])}
            )
            assert len(found(Client(settings))) == 28
            child.stdin.close()
            assert child.wait(20) == 0
        finally:
            child.kill()
    with pytest.raises(requests.ConnectionError):
        token(settings)


def test_a_killed_parent_leaves_no_child_behind() -> None:
    code = "import subprocess, sys\nchild = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\nchild.wait()\n"
    # The parent holds the child's standard input and is killed without a chance to close it.
    command = [sys.executable, "-c", code, sys.executable, str(Path(__file__).with_name("hub_child.py"))]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        data = json.loads(parent.stdout.readline())
        parent.kill()
        assert parent.stdout.read() == ""  # ends when the last process that holds it has ended: the child
    with pytest.raises(requests.ConnectionError):
        requests.post(data["token_url"], data={}, timeout=10)


def test_a_reprocessed_item_is_found_beside_the_old_one() -> None:
    old = optical(4, 5.0)
    with serve(Checker(catalog=(old, reprocessed(old), optical(9, 1.0)))) as settings:
        both = found(Client(settings), time=("2019-07-04", "2019-07-04T23:00:00"))
    assert [one["id"] for one in both] == ["S2_04", "S2_04_again"]
    assert [one["properties"].get("updated") for one in both] == [None, "2023-01-01T00:00:00Z"]


def test_a_pass_elsewhere_is_found_only_there_and_has_no_pixels_here() -> None:
    with serve(Checker(catalog=(elsewhere(optical(4, 5.0)),))) as settings:
        client = Client(settings)
        here = BBox(settings.bbox, CRS.WGS84)
        assert [len(found(client, bbox=place)) for place in (here, None)] == [0, 1]
        assert not client.image(MASK_SCRIPT).any()


def test_a_pass_without_data_is_found_and_paid_but_is_empty() -> None:
    log = list[Asked]()
    with serve(Checker(catalog=(empty(optical(4, 5.0)),)), log=log) as settings:
        client = Client(settings)
        assert len(found(client, bbox=BBox(settings.bbox, CRS.WGS84))) == 1
        assert not client.image(MASK_SCRIPT).any()
    assert log[-1].units > 0


def test_a_child_ends_at_once_although_a_script_still_runs() -> None:
    command = [sys.executable, str(Path(__file__).with_name("hub_child.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            client = Client(HubSettings(**json.loads(child.stdout.readline())))
            endless = SCRIPT.replace("BANDS", '["B02"]').replace("TYPE", "UINT8").replace("return [1]", "for (;;) {}")
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(post, client, "/process/v1", client.request(endless).payload)
                post(client, "/process/v1", client.request(endless.replace("for (;;) {}", "return [1]")).payload)
                child.stdin.close()
                child.wait(10)
                with pytest.raises(requests.ConnectionError):
                    waiting.result(10)
            assert child.returncode == 0
        finally:
            child.kill()
