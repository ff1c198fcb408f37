"""`skred detect` where there is little to see: it ends well, says so, and leaves a map that says so too."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pyogrio
import pytest
import wiring
import yaml

from skred.core.bands import EVENT_BANDS
from skred.detectors.cart.params import Params
from skred.detectors.train import Recipe, train_cell
from skred.maps.observing import WORDS, Seen

BANDS = tuple(band for band in EVENT_BANDS if band.name in ("dndvi", "pre_vv", "post_vv"))
EVENT = {
    "name": "tiny",
    "title": "A storm of which no image was taken in time",
    "role": "unseen",
    "source": "simulated",
    "date": "2019-07-30",
    "pre": {"first": "2019-07-29", "last": "2019-07-29"},
    "post": {"first": "2019-07-31", "last": "2019-07-31"},
    "area": {"center_lonlat": [7.1, 61.2], "width_m": 640, "height_m": 480},
    "simulation": {"seed": 3, "landslides": 1},
}


@pytest.fixture(scope="module")
def folder(make_scenes, make_patch_folder, tmp_path_factory):
    """A folder with parameters, the event, and a tree."""
    place = tmp_path_factory.mktemp("detect")
    rng = np.random.default_rng(1)
    labels = np.zeros((96, 96), np.uint8)
    for row, col in rng.integers(0, 90, (40, 2)):
        labels[row : row + 5, col : col + 5] = 1
    values = np.stack([-0.5 * labels + rng.normal(0, 0.1, labels.shape), *rng.normal(-10, 2, (2, 96, 96))])
    make_scenes(place / "toy", {"toy": labels}, BANDS, values={"toy": values}, simulated=True)
    make_patch_folder(place / "toy", place / "patches")
    params = Params(max_pixels=9000, max_depth=4, min_leaf_pixels=5, seed=1)
    recipe = Recipe("fusion-cart", "fusion", tuple(band.name for band in BANDS), "cart", params)
    train_cell(recipe, place / "patches", place / "toy", place / "model", lambda step, row: None)
    values = yaml.safe_load((wiring.ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["world"]["landslides"]["area_max_m2"] = 4000
    values["map"]["polygons"]["min_area_m2"] = 500  # these models have no scores
    (place / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    (place / "data/events").mkdir(parents=True)
    (place / "data/events/tiny.yaml").write_text(yaml.safe_dump(EVENT), encoding="utf-8")
    return place


def detect(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", "from skred.cli import main; main()", "detect", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_event_without_any_image_ends_well_and_its_map_says_that_nothing_was_seen(folder):
    done = detect(folder, "--event", "tiny", "--model", "model")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tiny: no usable image (SIMULATED pixels). Whether anything slid cannot be said.\n")
    assert "image of the area from 2019-07-29 to 2019-07-29; widen pre in the event file" in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("skred: step")] == [
        "skred: step 1 of 4, download",
        "skred: step 3 of 4, predict",
        "skred: step 4 of 4, map",
    ]
    maps = folder / "data/detections/tiny/maps/tiny"
    assert len(pyogrio.read_dataframe(maps / "tiny-fusion-cart.gpkg", layer="landslides")) == 0
    seen = pyogrio.read_dataframe(maps / "tiny-fusion-cart.gpkg", layer="observable")
    assert (seen["reason"].tolist(), seen["share"].tolist()) == ([WORDS[Seen.NO_PASS]], [1.0])
    assert json.loads((maps / "summary.json").read_text())[0]["role"] == "unseen"


@pytest.fixture(scope="module")
def radar_alone(folder):
    """`folder` with a model of radar too, and an event on whose next day only radar passed."""
    params = Params(max_pixels=9000, max_depth=4, min_leaf_pixels=5, seed=1)
    recipe = Recipe("sar-cart", "sar", ("pre_vv", "post_vv"), "cart", params)
    train_cell(recipe, folder / "patches", folder / "toy", folder / "models/sar-cart", lambda step, row: None)
    shutil.copytree(folder / "model", folder / "models/fusion-cart")
    values = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    values["composite"]["radar"]["min_passes"] = 1
    (folder / "soon.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    windows = {"pre": {"first": "2019-07-19", "last": "2019-07-25"}, "post": EVENT["post"]}
    event = EVENT | {"name": "soon", "title": "A storm of yesterday"} | windows
    (folder / "data/events/soon.yaml").write_text(yaml.safe_dump(event), encoding="utf-8")
    return folder


def test_without_an_optical_image_the_radar_model_maps_what_radar_shows_and_says_so(radar_alone):
    asked = ("--event", "soon", "--params", "soon.yaml", "--model")
    first = detect(radar_alone, *asked, "models/sar-cart")
    assert first.returncode == 0, first.stderr
    told = first.stdout.splitlines()[0]
    assert re.match(r"soon \(SIMULATED pixels\): \d+ landslides, [\d.]+ ha, by sar-cart; [1-9]\d* % of 0 km²", told)
    assert told.endswith(" Without Sentinel-2 (optical): there was no usable image of it before and after.")
    raw = json.loads((radar_alone / "data/detections/soon/raw/manifest.json").read_text())
    assert {one["sensor"] for one in raw["acquisitions"]} == {"S1"}
    assert detect(radar_alone, *asked, "models/sar-cart").stdout == first.stdout  # again, over the earlier one

    refused = detect(radar_alone, *asked, "models/fusion-cart")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.splitlines()[-1] == (
        "skred: event soon: no usable image of Sentinel-2 (optical) before and after it, which models/fusion-cart "
        "reads; use a model without it: models/sar-cart"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--event", "nowhere", "--model", "model"), "data/events/nowhere.yaml: cannot be read"),
        (("--event", "tiny", "--model", "nothing"), "nothing is no model; train it or `dvc pull` it"),
    ],
)
def test_a_wrong_event_or_model_is_one_line_and_nothing_is_written(folder, arguments, told):
    done = detect(folder, *arguments, "--out", "other")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert not (folder / "other").exists()
