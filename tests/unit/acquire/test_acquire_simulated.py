"""The offline service as a child of the download."""

import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import yaml
from acquire_place import EVENT_DATA, GRID, PARAMS, digest

from skred.acquire.simulated import offline_service, world_identity
from skred.acquire.truth import WorldTruth
from skred.core.errors import SkredError
from skred.core.events import read_event
from skred.core.raster import read_raster
from skred.manifest import read_manifest
from skred.scores.confounders import read_confounders

ROOT = Path(__file__).resolve().parents[3]
SIMULATED = EVENT_DATA | {"source": "simulated", "simulation": {"seed": 5, "landslides": 2}}


def write(folder, event=SIMULATED, **sections):
    (folder / "storm.yaml").write_text(yaml.safe_dump(event))
    (folder / "params.yaml").write_text(yaml.safe_dump({"download": PARAMS.model_dump()} | sections))
    return folder / "storm.yaml", folder / "params.yaml"


def identity(folder, event=SIMULATED, **sections):
    file, params = write(folder, event, **sections)
    return world_identity(read_event(file), params)


def test_a_service_that_does_not_start_ends_with_its_last_words(tmp_path):
    file, params = write(tmp_path)
    with (
        pytest.raises(SkredError, match=r"ended with exit code 2 before it was ready: .*params.yaml: world: missing"),
        offline_service(file, read_event(file), params, PARAMS),
    ):
        pass


def test_a_world_is_known_by_its_parameters_place_and_dates_and_not_by_its_title(tmp_path):
    same = identity(tmp_path, world={"a": 1})
    assert identity(tmp_path, SIMULATED | {"title": "another title"}, world={"a": 1}) == same
    others = {
        identity(tmp_path, world={"a": 2}),
        identity(tmp_path, SIMULATED | {"simulation": {"seed": 6, "landslides": 2}}, world={"a": 1}),
        identity(tmp_path, SIMULATED | {"date": "2019-07-30", "post": {"first": "2019-08-01", "last": "2019-08-29"}}),
    }
    assert len(others | {same}) == 4


def test_a_truth_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    truth = WorldTruth(GRID, gpd.GeoDataFrame(), *np.zeros((2, *GRID.shape), np.uint8))
    with pytest.raises(SkredError, match=r"cannot be written .*what has been fetched is kept"):
        truth.write(tmp_path / "data" / "truth.tif")


def test_a_simulated_event_brings_its_own_inventory_and_truth_and_is_the_same_every_time(tmp_path):
    world = yaml.safe_load((ROOT / "params.yaml").read_text())["world"]
    event = SIMULATED | {
        "pre": {"first": "2019-07-18", "last": "2019-07-29"},
        "post": {"first": "2019-07-31", "last": "2019-08-11"},
    }
    write(tmp_path, event, world=world)
    command = [sys.executable, "-m", "skred.stages.download", "--params", "params.yaml", "--event", "storm.yaml"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    for run in ("a", "b"):
        # another store each: the second run resumes nothing
        places = ["--store", f"store-{run}", "--out", f"raw-{run}", "--truth", f"truth-{run}.tif"]
        done = subprocess.run(
            [*command, *places], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "raw-a") == digest(tmp_path / "raw-b")
    assert (tmp_path / "truth-a.tif").read_bytes() == (tmp_path / "truth-b.tif").read_bytes()
    manifest = read_manifest(tmp_path / "raw-a")
    assert manifest.simulated
    assert len(gpd.read_file(tmp_path / "raw-a" / manifest.inventory.file)) in (1, 2)  # a mapper may miss one
    truth = read_raster(tmp_path / "truth-a.tif")
    assert truth.tags["simulated"] == "yes"
    assert set(np.unique(truth.band("landslide"))) == {0, 1}
    confounders = read_confounders(tmp_path / "truth-a.tif")  # refuses codes without a name
    assert confounders.names[1] == "unmapped_landslide"
    assert (confounders.codes[truth.band("landslide") == 1] == 1).all()
