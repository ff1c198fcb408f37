"""`skred hub` as a person or another program starts it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from hub_client import GRID, Checker, Client
from sentinelhub import DataCollection, SentinelHubCatalog
from test_hub_folder import optical
from typer.testing import CliRunner

from skred.cli import app
from skred.core.errors import InputError, SkredError
from skred.hub.server import HubSettings, serve
from skred.hub.standalone import describe


@contextmanager
def skred_hub(*options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from skred.cli import main; main()", "hub", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_settings_serves_and_ends_with_0_when_stopped(tmp_path: Path, number: int) -> None:
    optical(tmp_path)
    with skred_hub("--folder", str(tmp_path), "--json") as process:
        assert process.stdout is not None
        settings = HubSettings(**json.loads(process.stdout.readline()))
        catalog = SentinelHubCatalog(config=Client(settings).config)
        assert len(list(catalog.search(DataCollection.SENTINEL2_L2A))) == 1
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.communicate() == ("", "")
    assert settings.bbox == list(GRID.bounds_lonlat())
    assert settings.time_interval == ["2019-07-04", "2019-07-04"]
    assert (settings.crs, settings.size) == (GRID.crs, [GRID.width, GRID.height])
    with pytest.raises(requests.ConnectionError):
        requests.post(settings.token_url, data={}, timeout=10)


def test_a_taken_port_is_one_line_and_an_error(tmp_path: Path) -> None:
    optical(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with skred_hub("--folder", str(tmp_path), "--port", port) as process:
            out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith(f"skred: port {port} of 127.0.0.1: cannot be used")
    assert err.count("\n") == 1


def test_serving_on_a_taken_port_is_an_error_of_ours(source: Checker) -> None:
    with serve(source) as settings:
        port = int(settings.base_url.rpartition(":")[2])
        with pytest.raises(SkredError, match="choose another one"), serve(source, port=port):
            pass


def test_the_text_for_a_person_has_all_that_a_program_needs(source: Checker) -> None:
    with serve(source) as settings:
        text = describe(source, settings)
    for needed in (settings.base_url, settings.token_url, settings.client_id, settings.client_secret, "EPSG:32632"):
        assert needed in text
    assert "simulated pixels" in text
    assert 'BBox([300000, 6799200, 300960, 6800000], CRS("EPSG:32632")), size=(96, 80)' in text
    assert "2019-07-01 to 2019-07-28" in text


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "--event NAME and --folder DIR"),
        (["--event", "a", "--folder", "b"], "--event NAME and --folder DIR"),
        (["--event", "nowhere"], "no event 'nowhere', wanted one of: none is there"),
        (["--folder", "nowhere"], "nowhere: no STAC item"),
        (["--event", "a", "--faults", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
def test_wrong_options_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["hub", *options]).exception
    assert isinstance(error, InputError)
    assert line in str(error)


def test_limits_and_faults_are_options(tmp_path: Path) -> None:
    optical(tmp_path)
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {path: catalog, fault: {kind: html}, calls: [2]}\n")
    with skred_hub(
        "--folder", str(tmp_path), "--json", "--faults", str(faults), "--requests-per-minute", "2", "--verbose"
    ) as process:
        assert process.stdout is not None
        settings = HubSettings(**json.loads(process.stdout.readline()))
        login = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        token = requests.post(settings.token_url, {"grant_type": "client_credentials", **login}, timeout=10).json()
        header = {"Authorization": f"Bearer {token['access_token']}"}
        body = {"collections": ["sentinel-2-l2a"]}
        url = f"{settings.base_url}/catalog/v1/search"
        answers = [requests.post(url, json=body, headers=header, timeout=10) for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[1].headers["Content-Type"] == "text/html"
    assert out == ""
    assert err.count("POST /catalog/v1/search") == 4
    assert settings.client_secret not in err
