"""`skred detect` where there is little to see: it ends well, says so, and leaves a map that says so too."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import wiring
import yaml
from sklearn.tree import DecisionTreeClassifier

from maps_place import card, manifest, write_event, write_model
from skred import detect as detecting
from skred.core.archive import to_bytes
from skred.core.bands import EVENT_BANDS
from skred.core.json_file import write_json
from skred.detectors.cart.params import Params
from skred.detectors.train import Recipe, train_cell
from skred.manifest import write_manifest
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
    maps = folder / "data/detections/tiny/model/maps/tiny"
    assert len(pyogrio.read_dataframe(maps / "tiny-fusion-cart.gpkg", layer="landslides")) == 0
    seen = pyogrio.read_dataframe(maps / "tiny-fusion-cart.gpkg", layer="observable")
    assert (seen["reason"].tolist(), seen["share"].tolist()) == ([WORDS[Seen.NO_PASS]], [1.0])
    assert json.loads((maps / "summary.json").read_text())[0]["role"] == "unseen"


REAL_STEP = detecting._step


def steps(monkeypatch, write_scenes, failing=None):
    """Instead of a download and a composite the given scenes; prediction and map are the real ones."""

    def step(number, stage, *arguments):
        if stage == failing:
            raise SystemExit(1)
        given = dict(zip(arguments[::2], arguments[1::2], strict=False))
        if stage == "composite":
            write_scenes(Path(given["--out"]))
        elif stage == "download":
            write_manifest(Path(given["--out"]), manifest("toy"))
        else:
            REAL_STEP(number, stage, *arguments)

    monkeypatch.setattr(detecting, "_step", step)


def colours_only(place, *, seen=0, shape=(40, 50)):
    """Scenes in which only the colours after the event are known, as after a month of cloud and without radar."""
    nowhere = dict.fromkeys(("dndvi", "pre_ndvi", "pre_vv", "pre_vh", "post_vv", "post_vh"), np.ones(shape, bool))
    unknown = {} if seen else nowhere

    def write(folder):
        quality = {"observable_optical": seen, "observable_radar": seen}
        scenes, _ = write_event(place, np.zeros(shape), unknown=unknown, quality=quality)
        shutil.copytree(scenes.path, folder)

    return write


def a_tree_that_finds_landslides_everywhere(folder):
    """A model of colours after the event too, whose answer is always yes."""
    names = ("post_red", "post_green", "dndvi", "pre_vv", "post_vv")
    write_model(folder, card(names, threshold=0.001))
    tree = DecisionTreeClassifier(max_depth=1, random_state=0).fit(np.zeros((9, 7)), [0] * 3 + [1] * 6)
    (folder / "tree.skops").write_bytes(to_bytes(tree))


def test_the_statement_and_the_polygons_never_contradict(tmp_path, monkeypatch):
    a_tree_that_finds_landslides_everywhere(tmp_path / "models/all")
    event, params = tmp_path / "toy.yaml", wiring.ROOT / "params.yaml"
    event.write_text(yaml.safe_dump(EVENT | {"name": "toy"}), encoding="utf-8")
    scores = tmp_path / "scores"
    scores.mkdir()
    write_json(scores / "scores.json", {"unit_px": 3})

    def run():
        out = tmp_path / "out"
        return detecting.detect(event, tmp_path / "models/all", out, params=params, store=tmp_path, scores=scores)

    steps(monkeypatch, colours_only(tmp_path / "clear", seen=1))
    told = run().lines()
    assert told[0].startswith("toy (SIMULATED pixels): 1 detections, ")
    assert told[1:4] == [
        "How many such detections are right was not measured; false alarms where nothing slid were not measured. "
        "Clear-cuts, flood deposits and missed cloud look like landslides.",
        "The model misses landslides, on observable ground too; how many was not measured.",
        "fusion-cart learnt from simulated landslides of the event toy.",
    ]

    before = sorted((tmp_path / "out/maps/toy").iterdir())
    for failing in ("composite", "map"):
        steps(monkeypatch, colours_only(tmp_path / failing), failing)
        with pytest.raises(SystemExit):
            run()
        assert sorted((tmp_path / "out/maps/toy").iterdir()) == before  # the last good map stays
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(detecting.PARTS)

    steps(monkeypatch, colours_only(tmp_path / "cloud"))
    found = run()
    assert found.lines()[0] == "toy: no usable image (SIMULATED pixels). Whether anything slid cannot be said."
    assert len(pyogrio.read_dataframe(found.folder / "toy-fusion-cart.gpkg", layer="landslides")) == 0
    seen = pyogrio.read_dataframe(found.folder / "toy-fusion-cart.gpkg", layer="observable")
    assert seen["reason"].tolist() == [WORDS[Seen.CLOUD]]
    assert found.summary["days_to_last_image"] is None
    assets = json.loads((found.folder / "toy-fusion-cart.json").read_text())["assets"]
    assert (found.folder / assets["model"]["href"]).resolve() == tmp_path / "models/all/model.json"


def test_scores_beside_another_model_of_the_same_name_are_not_taken(folder, tmp_path):
    there = folder / "data/scores/sar-cart"
    there.mkdir(parents=True)
    write_json(there / "scores.json", {"cell": "sar-cart", "unit_px": 3})
    write_model(tmp_path / "elsewhere/models/sar-cart", card(("pre_vv", "post_vv"), cell="sar-cart", setting="sar"))
    params = wiring.ROOT / "params.yaml"  # no minimum mapping unit in it
    asked = ("--event", "tiny", "--params", str(params), "--model", str(tmp_path / "elsewhere/models/sar-cart"))
    done = detect(folder, *asked, "--out", "other")
    shutil.rmtree(there)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no minimum mapping unit; give --scores" in done.stderr


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
    assert re.match(
        r"soon \(SIMULATED pixels\): \d+ detections, [\d.]+ ha of detected area, by sar-cart; [1-9]\d* % of 0 km²", told
    )
    assert told.endswith(" Without Sentinel-2 (optical): there was no usable image of it before and after.")
    raw = json.loads((radar_alone / "data/detections/soon/sar-cart/raw/manifest.json").read_text())
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
        (("--event", "nowhere", "--model", "model"), "data/events: no event 'nowhere', wanted one of: "),
        (("--event", "tiny", "--model", "nothing"), "nothing: no model, wanted one of: "),
    ],
)
def test_a_wrong_event_or_model_is_one_line_and_nothing_is_written(folder, arguments, told):
    done = detect(folder, *arguments, "--out", "other")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert not (folder / "other").exists()
