"""An experiment on images that are not part of the repository, and its models used by path. The images are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from pipeline_clone import Clone, clone, shrink, stages_run
from rasterio.errors import NotGeoreferencedWarning
from scipy import ndimage

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.filterwarnings(f"ignore::{NotGeoreferencedWarning.__module__}.{NotGeoreferencedWarning.__name__}"),
]

FOLDER = "experiments/flood-s1s2"
SCENES = f"{FOLDER}/data/composites/flood-s1s2"
PX = 64


@pytest.fixture(scope="module")
def flood(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with made-up images in place, imported by the Makefile's target, and reproduced."""
    made = clone(repository, tmp_path_factory.mktemp("flood") / "clone")
    shrink(
        made,
        FOLDER,
        cells=("fusion-cart",),
        patch={"window_px": PX, "stride_px": PX, "block_px": PX, "buffer_px": PX // 2},
    )
    made.commit("small")
    make_images(made.root / "data/external/flood-s1s2", {"train": 6, "val": 2}, seed=1)
    made.make("import", "NAME=flood-s1s2")
    return made


def make_images(folder: Path, counts: dict[str, int], seed: int) -> None:
    """Pairs of images in the layout of the experiment's bands.yaml: where it is wet afterwards, radar and NIR fall."""
    rng = np.random.default_rng(seed)
    for split, count in counts.items():
        for number in range(count):
            wet = ndimage.gaussian_filter(rng.normal(size=(PX, PX)), 6) > 0.03
            before = rng.integers(80, 120, (4, PX, PX))
            after = rng.integers(80, 120, (4, PX, PX)) - 50 * wet * np.array([1, 1, 1, 0])[:, None, None]
            images = {"S1_before": before[:1], "S2_before": before[1:], "S1_after": after[:1], "S2_after": after[1:]}
            for name, array in {**images, "mask": 255 * wet[None]}.items():
                file = folder / split / name / f"{number:04d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                size = {"width": PX, "height": PX, "count": len(array), "dtype": "uint8"}
                with rasterio.open(file, "w", driver="PNG", **size) as png:
                    png.write(array.astype(np.uint8))


@pytest.fixture(scope="module")
def reproduced(flood: Clone) -> Clone:
    ran = stages_run(flood.repro(folder=FOLDER))
    assert "import" not in ran and "compare" in ran
    return flood


def test_the_import_is_in_the_lock_and_frozen(flood: Clone) -> None:
    stage = yaml.safe_load(flood.read(f"{FOLDER}/dvc.lock"))["stages"]["import"]
    (out,) = stage["outs"]
    assert out["path"] == "data/composites/flood-s1s2" and out["nfiles"] == 1 + 3 * 8
    assert {"bands.yaml", "../../data/external/flood-s1s2"} <= {dep["path"] for dep in stage["deps"]}
    index = flood.json(f"{SCENES}/scenes.json")
    assert index["simulated"] is False
    assert [scene["split"] for scene in index["scenes"]] == ["train"] * 6 + ["test"] * 2


def test_the_experiment_trains_and_scores(reproduced: Clone) -> None:
    row = reproduced.json(f"{FOLDER}/metrics/compare.json")["fusion"]["cart"]
    assert row["f1"] > 0.8  # each pixel shows what it is
    assert (row["simulated"], row["pixels"]) == (False, 2 * PX * PX)
    assert "up to date" in reproduced.dvc("status", "dvc.yaml", folder=FOLDER)
    assert stages_run(reproduced.repro(folder=FOLDER)) == []


def test_the_frozen_import_asks_for_no_images(reproduced: Clone, tmp_path: Path) -> None:
    reproduced.commit("run")
    other = reproduced.copy(tmp_path / "clone")
    assert stages_run(other.repro("--dry", "--allow-missing", folder=FOLDER)) == []


def test_a_model_works_by_path_on_other_images(reproduced: Clone, tmp_path: Path) -> None:
    make_images(tmp_path / "images", {"train": 1, "val": 1}, seed=2)
    table, model = f"{FOLDER}/bands.yaml", f"{FOLDER}/models/fusion-cart"
    scenes, probability, scores = (str(tmp_path / name) for name in ("scenes", "probability", "scores.json"))
    reproduced.skred("import", table, str(tmp_path / "images"), scenes)
    reproduced.skred("predict", "--model", model, "--scenes", scenes, "--out", probability)
    reproduced.skred("evaluate", "--model", model, "--scenes", scenes, "--probability", probability, "--out", scores)
    result = reproduced.json(scores)
    assert (result["scenes"], result["pixels"], result["simulated"]) == (2, 2 * PX * PX, False)
    assert result["f1"] > 0.8


def test_a_missing_band_is_named(reproduced: Clone, tmp_path: Path) -> None:
    make_images(tmp_path / "images", {"train": 1}, seed=2)
    table = yaml.safe_load(reproduced.read(f"{FOLDER}/bands.yaml"))
    del table["derived"]["dgndvi"]
    (tmp_path / "bands.yaml").write_text(yaml.safe_dump(table, sort_keys=False), encoding="utf-8")
    scenes = str(tmp_path / "scenes")
    reproduced.skred("import", str(tmp_path / "bands.yaml"), str(tmp_path / "images"), scenes)
    model = ("--model", f"{FOLDER}/models/fusion-cart")
    done = reproduced.skred("predict", *model, "--scenes", scenes, "--out", str(tmp_path / "p"), code=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith("skred: ") and "dgndvi" in line and "fusion-cart" in line
    assert not (tmp_path / "p").exists()


def test_an_import_without_images_says_where_they_belong(repository: Path, tmp_path: Path) -> None:
    made = clone(repository, tmp_path / "clone")
    done = made.run("make", "--old-file=.venv/.ready", "import", "NAME=flood-s1s2", code=2)
    assert "data/external/flood-s1s2 is missing: place or link the images there" in done.stderr
