"""The pipeline of the real event, against the offline service instead of the real one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import rasterio
import yaml
from pipeline_clone import Clone, clone, shrink, shrink_event, stages_run

from skred.acquire.truth import world_truth
from skred.core.events import read_event

pytestmark = pytest.mark.pipeline

FOLDER = "experiments/jolster-2019"
INVENTORY = "data/external/jolster/landslides.gpkg"
CELLS = ("fusion-unet", "sar-cart")
SIDE_M = 1920


@pytest.fixture(scope="module")
def jolster(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with a small Jølster, nothing run."""
    made = clone(repository, tmp_path_factory.mktemp("jolster") / "clone")
    shrink(made, FOLDER, cells=CELLS)
    shrink_event(made, "jolster-2019", SIDE_M)
    made.commit("small")
    return made


@pytest.fixture(scope="module")
def service(jolster: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The offline service of a simulated event at the same place and time, and the environment that leads to it.

    Its inventory becomes the given one, in degrees.
    """
    folder = tmp_path_factory.mktemp("service")
    event = yaml.safe_load(jolster.read("data/events/jolster-2019.yaml"))
    event |= {"source": "simulated", "simulation": {"seed": 7, "landslides": 50}}
    file, params = folder / "jolster-2019.yaml", folder / "params.yaml"
    file.write_text(yaml.safe_dump(event), encoding="utf-8")
    values = yaml.safe_load(jolster.read("params.yaml"))
    values["world"]["landslides"]["area_max_m2"] = 8000  # larger ones find no place there
    params.write_text(yaml.safe_dump(values), encoding="utf-8")
    mapped = world_truth(read_event(file), params).inventory[["geometry"]].to_crs("EPSG:4326")
    (jolster.root / INVENTORY).parent.mkdir(parents=True, exist_ok=True)
    mapped.assign(confidence="high").to_file(jolster.root / INVENTORY)

    command = ("python", "-m", "skred.hub", "--event", str(file), "--params", str(params))
    with jolster.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        settings = json.loads(child.stdout.readline())
        yield {f"SH_{name.upper()}": settings[name] for name in ("base_url", "token_url", "client_id", "client_secret")}
        child.stdin.close()
        child.wait(30)


@pytest.fixture(scope="module")
def reproduced(jolster: Clone, service: Mapping[str, str]) -> Clone:
    """The clone after `dvc repro` in the experiment's folder."""
    ran = stages_run(jolster.repro(folder=FOLDER, **service))
    assert ran[0] == "download" and "compare" in ran
    return jolster


def _download(made: Clone, **environment: str) -> list[str]:
    """What the download stage, started by hand, says when it fails."""
    command = yaml.safe_load(made.read(f"{FOLDER}/dvc.yaml"))["stages"]["download"]["cmd"]
    words = command.replace("${name}", "jolster-2019").split()
    done = made.run(*words, folder=FOLDER, code=2, **environment)
    assert done.stdout == ""
    assert not (made.root / FOLDER / "data/raw").exists()
    return done.stderr.splitlines()


def test_without_credentials_or_inventory_it_says_what_to_do_and_where(repository: Path, tmp_path: Path) -> None:
    made = clone(repository, tmp_path / "clone")
    (line,) = _download(made, SH_CLIENT_ID="me", SH_CLIENT_SECRET="secret")
    assert line.startswith("skred: ../../data/external/jolster/landslides.gpkg: not found; put the inventory there")
    square = gpd.GeoSeries.from_wkt(["POLYGON ((6.3 61.5, 6.31 61.5, 6.31 61.51, 6.3 61.5))"], crs="EPSG:4326")
    (made.root / INVENTORY).parent.mkdir(parents=True, exist_ok=True)
    square.to_file(made.root / INVENTORY)
    (line,) = _download(made)
    assert line.startswith("skred: environment: SH_CLIENT_ID and SH_CLIENT_SECRET not set; make an account")
    assert "https://" in line and "export SH_CLIENT_ID=" in line


def test_the_real_pipeline_comes_to_scores(reproduced: Clone) -> None:
    table = reproduced.json(f"{FOLDER}/metrics/compare.json")
    assert {(setting, *row) for setting, row in table.items()} == {("fusion", "unet"), ("sar", "cart")}
    for row in (table["fusion"]["unet"], table["sar"]["cart"]):
        assert 0 <= row["f1"] <= 1 and 0 < row["landslide_pixels"] < row["pixels"]
        assert "truth" not in row and "unseen" not in row
    assert "up to date" in reproduced.dvc("status", "dvc.yaml", folder=FOLDER)


def test_what_came_from_this_machine_is_marked_as_simulated(reproduced: Clone) -> None:
    manifest = reproduced.json(f"{FOLDER}/data/raw/jolster-2019/manifest.json")
    assert (manifest["simulated"], manifest["service"]) == (True, "offline")
    root = reproduced.root / FOLDER
    for pattern in ("data/raw/*/*.tif", "data/composites/*/*.tif", "data/probability/*/*/*.tif"):
        files = list(root.glob(pattern))
        assert files and {_tags(file).get("simulated") for file in files} == {"yes"}
    table = reproduced.json(f"{FOLDER}/metrics/compare.json")
    assert all(row["simulated"] is True for detectors in table.values() for row in detectors.values())


def test_the_given_inventory_is_brought_to_the_grid(reproduced: Clone) -> None:
    given = gpd.read_file(reproduced.root / INVENTORY)
    used = gpd.read_file(reproduced.root / FOLDER / "data/raw/jolster-2019/inventory.gpkg")
    assert (given.crs.to_epsg(), used.crs.to_epsg()) == (4326, 32632)
    assert len(used) == len(given) and set(used["confidence"]) == {"high"}
    with rasterio.open(reproduced.root / FOLDER / "data/composites/jolster-2019/jolster-2019.labels.tif") as labels:
        landslide = int((labels.read(1) == 1).sum())
    assert 0.5 < 100 * landslide / used.area.sum() < 1.5


def test_credentials_are_written_nowhere(reproduced: Clone, service: Mapping[str, str]) -> None:
    secret, port = service["SH_CLIENT_SECRET"].encode(), service["SH_BASE_URL"].rpartition(":")[2].encode()
    files = [file for file in reproduced.root.rglob("*") if file.is_file() and ".git" not in file.parts]
    assert [str(file) for file in files if secret in file.read_bytes()] == []
    manifest = (reproduced.root / FOLDER / "data/raw/jolster-2019/manifest.json").read_bytes()
    assert b":" + port not in manifest


def _tags(file: Path) -> dict[str, Any]:
    with rasterio.open(file) as raster:
        return dict(raster.tags())
