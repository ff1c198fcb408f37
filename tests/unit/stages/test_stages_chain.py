"""The learning stages one after the other, each a process of its own, as DVC starts them."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyogrio
import pytest
import wiring
import yaml

from skred.core.bands import EVENT_BANDS

BANDS = [band for band in EVENT_BANDS if band.name in ("dndvi", "pre_vv", "post_vv")]
PARAMS = {
    "settings": {"fusion": ["dndvi", "pre_vv", "post_vv"]},
    "patch": {
        "window_px": 16,
        "stride_px": 8,
        "block_px": 32,
        "buffer_px": 8,
        "val_share": 0.25,
        "test_share": 0.25,
        "draws": 50,
        "seed": 1,
    },
    "scores": {
        "block_px": 16,
        "nearby_blocks": 3,
        "replicates": 199,
        "interval": "studentised",
        "min_blocks": 30,
        "min_landslides": 30,
        "overlap_share": 0.2,
        "units_px": [1, 4],
        "chance_shifts": 20,
        "calibration": "best",
        "min_seeds": 5,
        "seed": 1,
    },
    "map": {"cells": ["fusion-cart"], "polygons": {"min_area_m2": None, "fill_holes_m2": 0}},
    "composite": yaml.safe_load((wiring.ROOT / "params.yaml").read_text(encoding="utf-8"))["composite"],
    "report": {"levels": 16, "photo_quality": 60, "reflectance_max": 0.18, "max_mb": 15},
    "cart": {"max_pixels": 50_000, "max_depth": 5, "min_leaf_pixels": 5, "seed": 1},
}
# Runs a stage as ``python -m`` does, and says afterwards which of our modules were loaded.
RUNNER = (
    "import runpy, sys; module, loaded = sys.argv[1], sys.argv[2]; sys.argv[:] = sys.argv[2:]\n"
    "try: runpy.run_module(module, run_name='__main__', alter_sys=True)\n"
    "finally: open(loaded, 'w').write('\\n'.join(m for m in sys.modules if m.startswith('skred.')))"
)


def scene(seed, shape=(128, 128), landslides=40):
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint8)
    for row, col in rng.integers(0, min(shape) - 7, (landslides, 2)):
        labels[row : row + 6, col : col + 6] = 1
    dndvi = -0.5 * labels + rng.normal(0, 0.15, shape)
    return labels, np.stack([dndvi, rng.normal(-10, 2, shape), rng.normal(-10, 2, shape)])


def stage(folder, name, *arguments, fails=False):
    loaded = folder / f"{name}.loaded"
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, f"skred.stages.{name}", str(loaded), *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlruns.db"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert fails or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def chain(make_scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    for event, role in (("develop", "develop"), ("unseen", "unseen"), ("control", "control")):
        labels, values = scene(len(event), landslides=0 if role == "control" else 40)
        make_scenes(
            folder / "composites" / event,
            {event: labels},
            BANDS,
            values={event: values},
            event=event,
            role=role,
            simulated=True,
        )
    common = ("--patches", "patches", "--scenes", "composites/develop")
    stage(
        folder,
        "patch",
        "--params",
        "params.yaml",
        "--scenes",
        "composites/develop",
        "--split",
        "blocks",
        "--out",
        "patches",
    )
    what = ("--cell", "fusion-cart", "--setting", "fusion", "--detector", "cart")
    stage(folder, "train", "--params", "params.yaml", *what, *common, "--out", "models/fusion-cart")
    scenes = [f"composites/{event}" for event in ("develop", "unseen", "control")]
    stage(folder, "predict", "--model", "models/fusion-cart", "--scenes", *scenes, "--out", "probability")
    cell = ("--params", "params.yaml", "--model", "models/fusion-cart", "--probability", "probability", *common)
    stage(folder, "evaluate", *cell, "--whole", *scenes[1:], "--out", "scores/fusion-cart")
    files = ("--metrics", "metrics/compare.json", "--differences", "metrics/differences.json", "--plots", "plots")
    stage(
        folder,
        "compare",
        "--params",
        "params.yaml",
        "--scores",
        "scores/fusion-cart",
        "--models",
        "models/fusion-cart",
        *files,
    )
    maps = ("--patches", "patches", "--scores", "scores/fusion-cart", "--out", "maps/fusion-cart")
    made = ("--probability", "probability", "--scenes", *scenes)
    stage(folder, "map", "--params", "params.yaml", "--model", "models/fusion-cart", *made, *maps)
    cell = ("--maps", "maps/fusion-cart", "--scores", "scores/fusion-cart", "--models", "models/fusion-cart")
    compared = ("--comparison", "metrics/compare.json", "--differences", "metrics/differences.json")
    pages = ("--page", "reports/index.html", "--cards", "reports/cards", "--figures", "reports/figures")
    stage(folder, "report", "--params", "params.yaml", "--scenes", *scenes, *cell, *compared, *pages)
    return folder


def test_the_comparison_has_the_shape_of_the_contract(chain):
    table = json.loads((chain / "metrics/compare.json").read_text())
    scores = table["fusion"]["cart"]
    for part in (scores, scores["observable"], scores["unseen"]):
        assert {"precision", "recall", "f1", "mcc", "iou", "auprc"} <= set(part)
    assert scores["simulated"] is True
    assert scores["control"]["area_km2"] == pytest.approx(1.6384)
    assert scores["control"]["false_alarms_per_100km2"] >= 0
    assert 0.5 < scores["f1"] <= 1
    assert 0.5 < scores["unseen"]["f1"] <= 1


def test_the_scores_of_the_table_are_those_of_the_cell(chain):
    cell = json.loads((chain / "scores/fusion-cart/scores.json").read_text())
    scores = json.loads((chain / "metrics/compare.json").read_text())["fusion"]["cart"]
    exact = ("precision", "recall", "f1", "mcc", "mcc_low", "mcc_high", "iou", "auprc", "pixels", "landslides", "truth")
    assert {key: cell.get(key) for key in exact} == {key: scores.get(key) for key in exact}
    assert cell["split"] == "blocks"


def test_every_cell_has_its_curve_and_figures(chain):
    curve = pd.read_csv(chain / "plots/pr.csv")
    assert list(curve) == ["cell", "setting", "detector", "simulated", "threshold", "recall", "precision"]
    assert curve["recall"].is_monotonic_increasing
    learning = pd.read_csv(chain / "plots/learning.csv")
    assert list(learning) == ["cell", "setting", "detector", "simulated", "step", "val_auprc", "loss", "pixels"]
    assert set(learning["cell"]) == {"fusion-cart"}
    for name in ("pr.png", "learning.png", "map.png"):
        assert (chain / "scores/fusion-cart" / name).read_bytes().startswith(b"\x89PNG")


def test_a_map_has_the_detections_that_were_scored(chain):
    scored = pd.read_csv(chain / "scores/fusion-cart/detections.csv")
    scored = scored[scored["role"] == "unseen"]
    drawn = pyogrio.read_dataframe(chain / "maps/fusion-cart/unseen/unseen-fusion-cart.gpkg", layer="landslides")
    assert len(scored) > 10
    assert sorted(drawn["area_m2"] / 100) == sorted(scored["pixels"])
    unit_px = json.loads((chain / "scores/fusion-cart/scores.json").read_text())["unit_px"]
    assert set(drawn["min_area_m2"]) == {unit_px * 100}


def test_the_page_shows_what_was_scored(chain):
    html = (chain / "reports/index.html").read_text(encoding="utf-8")
    assert "do not hold it: the verdicts" in html  # one cell has no other; nothing else is absent
    assert "test blocks and unseen event together" in html
    assert "Calibration, test blocks" in (chain / "reports/cards/fusion-cart.md").read_text(encoding="utf-8")


def test_a_stage_again_leaves_the_same_bytes(chain):
    model = {file.name: file.read_bytes() for file in (chain / "models/fusion-cart").iterdir()}
    scores = {file.name: file.read_bytes() for file in (chain / "scores/fusion-cart").iterdir()}
    common = ("--patches", "patches", "--scenes", "composites/develop")
    cell = ("--params", "params.yaml", "--model", "models/fusion-cart", "--probability", "probability", *common)
    whole = ("--whole", "composites/unseen", "composites/control")
    stage(chain, "evaluate", *cell, *whole, "--out", "scores/again")
    for name, content in scores.items():
        assert (chain / "scores/again" / name).read_bytes() == content, name
    assert set(model) == {"model.json", "history.csv", "tree.skops"}


@pytest.mark.parametrize("name", ["patch", "train", "predict", "evaluate", "compare", "map", "report"])
def test_what_a_stage_loads_is_what_the_wiring_test_says_that_it_may(chain, name):
    loaded = set((chain / f"{name}.loaded").read_text().split())
    tracking = {module for module in loaded if wiring.within(module, ("skred.tracking",))}
    packages = {module for module in loaded if wiring.file_of(module).name == "__init__.py"}
    detector = "cart" if name in wiring.LOADS_A_DETECTOR else None
    exempt = tracking if any(stage == name for stage, _ in wiring.EXEMPT) else set()
    assert loaded - packages - exempt <= wiring.reached_by(name, detector, None)
    if detector is None:
        assert not {
            module for module in loaded if module.startswith(("skred.detectors.cart.", "skred.detectors.unet."))
        }


def test_an_event_to_develop_on_among_the_whole_ones_ends_with_one_line_and_nothing_written(chain):
    common = ("--patches", "patches", "--scenes", "composites/develop")
    cell = ("--params", "params.yaml", "--model", "models/fusion-cart", "--probability", "probability", *common)
    done = stage(chain, "evaluate", *cell, "--whole", "composites/develop", "--out", "scores/wrong", fails=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "wanted an event of role unseen or control" in done.stderr
    assert not (chain / "scores/wrong").exists()
    assert not [path for path in (chain / "scores").iterdir() if path.name.startswith(".")]
