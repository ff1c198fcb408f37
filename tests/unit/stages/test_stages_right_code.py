"""A stage runs the code of the checkout that it stands in, whatever the environment was installed from."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml

from skred.core.raster import read_raster
from skred.stages.run import checkout_of

ROOT = Path(__file__).resolve().parents[3]
BAND = {"image": "grey", "meaning": "m", "unit": "1", "sensor": "optical", "clip": [0, 1]}
TABLE = {
    "name": "set",
    "title": "A set",
    "positive": "landslide",
    "images": {"grey": "{id}.tif"},
    "bands": {"grey": BAND},
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A second checkout, in which an import multiplies every value by 1,000."""
    root = tmp_path_factory.mktemp("right") / "clone"
    # the tracked files as they stand here, edited or not
    files = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes((ROOT / name).read_bytes())
    module = root / "src/skred/importing.py"
    text = module.read_text(encoding="utf-8")
    changed = text.replace("stored * band.scale + band.offset", "1000 * stored * band.scale + band.offset")
    assert changed != text
    module.write_text(changed, encoding="utf-8")
    (root / "experiments" / "mine").mkdir(parents=True)
    (root / "source").mkdir()
    profile = {"driver": "GTiff", "count": 1, "height": 16, "width": 16, "dtype": "uint8"}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 0, 0, -10, 0)}
    with rasterio.open(root / "source" / "s.tif", "w", **profile, **place) as dataset:
        dataset.write(np.full((1, 16, 16), 7, np.uint8))
    (root / "bands.yaml").write_text(yaml.safe_dump(TABLE))
    return root


def start(root, folder, **environment):
    """Run the stage in `folder` and return the value that it wrote."""
    out = folder / f"out-{len(list(folder.glob('out-*')))}"
    command = [sys.executable, "-m", "skred.stages.import_scenes"]
    arguments = ["--table", str(root / "bands.yaml"), "--source", str(root / "source"), "--out", str(out)]
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SKRED_SOURCES")}
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read_raster(out / "s.tif").array[0, 0, 0]


@pytest.mark.parametrize("folder", [".", "experiments/mine"])
def test_an_edited_module_of_a_second_checkout_changes_what_its_stages_write(clone, folder):
    assert start(clone, clone / folder) == 7000


def test_outside_of_any_checkout_the_installed_code_runs(clone, tmp_path):
    assert start(clone, tmp_path) == 7


def test_a_stage_that_was_started_by_another_checkout_still_runs_its_own(clone):
    inherited = {"PYTHONPATH": str(ROOT / "src"), "SKRED_SOURCES": str(ROOT / "src")}
    assert start(clone, clone, **inherited) == 7000


def test_a_start_that_would_run_foreign_code_ends_instead(clone):
    """Told that it runs from the clone already, although it does not: better no result than a wrong one."""
    environment = os.environ | {"SKRED_SOURCES": str(clone / "src"), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "skred.stages.import_scenes", "--help"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "although started in" in done.stderr


def test_the_checkout_is_the_nearest_folder_above_with_our_sources(clone, tmp_path):
    assert checkout_of(clone / "experiments" / "mine") == clone
    assert checkout_of(clone / "src" / "skred") == clone
    assert checkout_of(tmp_path) is None
