"""The root pipeline, made small: what `dvc repro` leaves behind."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pipeline_clone import CELLS, EVENTS, Clone, Reproduced, outputs, stages_run

pytestmark = pytest.mark.pipeline

SCORES = ("precision", "recall", "f1", "mcc", "iou", "auprc")


def test_every_stage_runs_once_and_every_output_is_there(small: Reproduced) -> None:
    ran = stages_run(small.output)
    assert len(ran) == len(set(ran))
    cells = {f"{stage}@{cell}" for stage in ("train", "predict", "evaluate") for cell in CELLS}
    events = {f"{stage}@{event}" for stage in ("download", "composite") for event in ("develop", "unseen", "control")}
    assert set(ran) == cells | events | {
        "patch@develop",
        "patch@develop-random",
        "compare",
        "map@fusion-unet",
        "report",
    }
    missing = [path for path in outputs(small.lock) if not (small.clone.root / path).exists()]
    assert missing == []


def test_the_table_has_scores_of_every_cell(small: Reproduced) -> None:
    table = small.clone.json("metrics/compare.json")
    assert {(setting, detector) for setting in table for detector in table[setting]} == {
        tuple(cell.split("-")) for cell in CELLS if not cell.endswith("-random")
    }
    for row in (row for detectors in table.values() for row in detectors.values()):
        assert row["simulated"] is True
        for scores in (row, row["observable"], row["unseen"], row["unseen"]["observable"]):
            assert all(scores[name] is None or -1 <= scores[name] <= 1 for name in SCORES)
            assert all(0 <= scores[name] <= 1 for name in ("recall", "f1", "iou", "auprc"))
            assert 0 < scores["landslide_pixels"] < scores["pixels"]
        assert row["control"]["false_alarms_per_100km2"] >= 0
    assert [s for s in table if "random" in table[s].get("cart", {})] == ["fusion"]
    assert 0 <= table["fusion"]["cart"]["random"]["f1"] <= 1


def test_all_cells_are_scored_on_the_same_pixels(small: Reproduced) -> None:
    table = small.clone.json("metrics/compare.json")
    rows = [row for detectors in table.values() for row in detectors.values()]
    for count in ("pixels", "landslide_pixels"):
        for part in (lambda row: row, lambda row: row["observable"], lambda row: row["unseen"]):
            assert len({part(row)[count] for row in rows}) == 1


def test_a_second_repro_runs_nothing_and_leaves_the_lock_alone(small: Reproduced) -> None:
    assert stages_run(small.clone.repro()) == []
    assert small.clone.read("dvc.lock") == small.lock
    assert "up to date" in small.clone.dvc("status", "dvc.yaml")
    assert small.clone.git("status", "--porcelain") == ""


def test_the_pipeline_ends_with_maps_a_page_a_card_per_model_and_figures(small: Reproduced) -> None:
    root = small.clone.root
    assert (root / "reports/index.html").stat().st_size < 15_000_000
    assert sorted(card.stem for card in root.glob("reports/cards/*.md")) == sorted(CELLS)
    figures = {f"{event}-{what}.png" for event in EVENTS for what in ("composites", "errors", "settings")}
    assert {figure.name for figure in root.glob("reports/figures/*")} == figures
    for event in EVENTS:
        assert (root / f"data/maps/fusion-unet/{event}/{event}-fusion-unet.gpkg").is_file()


def test_detect_on_the_unseen_event_draws_the_pipelines_own_map(small: Reproduced) -> None:
    made = small.clone
    told = made.skred("detect", "--event", "unseen", "--model", "models/fusion-unet").stdout
    said = r"unseen \(SIMULATED pixels\): \d+ detections, [\d.]+ ha of detected area, by fusion-unet; \d+ % of 2 km²"
    assert re.match(said, told)
    pipelines, ours = (
        made.root / folder / "unseen" for folder in ("data/maps/fusion-unet", "data/detections/unseen/fusion-unet/maps")
    )
    item = "unseen-fusion-unet.json"
    for file in pipelines.iterdir():
        if file.name != item:
            assert (ours / file.name).read_bytes() == file.read_bytes(), file.name
    (theirs, linked), (own, relinked) = (_linked(folder, made.json(str(folder / item))) for folder in (pipelines, ours))
    assert own == theirs  # but for the links to the model, which the two have at different depths
    assert relinked == linked
    assert made.git("status", "--porcelain") == ""


def test_a_bare_clone_would_run_nothing(bare: Clone) -> None:
    assert stages_run(bare.repro("--dry", "--allow-missing")) == []


def test_simulated_pixels_are_marked_wherever_they_go(small: Reproduced) -> None:
    root = small.clone.root
    for event in ("develop", "unseen", "control"):
        manifest = small.clone.json(f"data/raw/{event}/manifest.json")
        assert (manifest["simulated"], manifest["service"]) == (True, "offline")
        assert small.clone.json(f"data/composites/{event}/scenes.json")["simulated"] is True
    rasters = [*root.glob("data/composites/*/*.tif"), *root.glob("data/probability/*/*/*.tif")]
    rasters += [*root.glob("data/truth/*.tif"), *root.glob("data/patches/*/*.tif"), *root.glob("data/raw/*/*.tif")]
    assert len(rasters) > 100
    assert [str(file) for file in rasters if _tags(file).get("simulated") != "yes"] == []
    for cell in CELLS:
        assert small.clone.json(f"models/{cell}/model.json")["simulated"] is True
        assert small.clone.json(f"data/scores/{cell}/scores.json")["simulated"] is True


def test_no_output_holds_a_path_of_the_machine_or_the_day_of_the_run(small: Reproduced) -> None:
    root = small.clone.root
    secrets = [str(root), str(Path.home() / "."), *_days()]
    files = [file for path in [*outputs(small.lock), "dvc.lock"] for file in _files(root / path)]
    assert len(files) > 150
    found = [
        (str(file.relative_to(root)), word) for file in files for word in secrets if word.encode() in file.read_bytes()
    ]
    assert found == []


def _linked(folder: Path, item: Any) -> tuple[Any, dict[str, Path]]:
    """A STAC item without its links, and the files of the model that they lead to, by asset."""
    files = {name: (folder / asset.pop("href")).resolve(strict=True) for name, asset in item["assets"].items()}
    return item, {name: file for name, file in files.items() if name.startswith("model")}


def _days() -> list[str]:
    today = dt.datetime.now(dt.UTC).date()
    days = [today, today - dt.timedelta(days=1)]
    return [day.strftime(form) for day in days for form in ("%Y-%m-%d", "%Y:%m:%d", "%Y/%m/%d")]


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _tags(file: Path) -> dict[str, Any]:
    with rasterio.open(file) as raster:
        return dict(raster.tags())


def test_two_syncs_leave_one_finished_run_of_each_cell_and_one_of_the_pipeline(
    small: Reproduced, mlflow_at: Callable[[str], None]
) -> None:
    made = small.clone
    first = made.skred("track")
    assert f"{len(CELLS) + 1} recorded, 0 unchanged" in first.stdout
    before = _dump(made)
    second = made.skred("track")
    assert f"0 recorded, {len(CELLS) + 1} unchanged" in second.stdout
    assert _dump(made) == before

    import mlflow.pyfunc  # noqa: PLC0415  # seconds of imports

    uri = f"sqlite:///{made.root / 'mlruns/mlflow.db'}"
    client = mlflow.MlflowClient(uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "skred"]
    runs = {run.data.tags["cell"]: run for run in client.search_runs([experiment.experiment_id])}
    assert sorted(runs) == sorted(CELLS)
    assert len(client.search_runs([experiment.experiment_id])) == len(CELLS)
    (comparisons,) = [one for one in client.search_experiments() if one.name == "skred/comparisons"]
    (whole,) = client.search_runs([comparisons.experiment_id])
    drawn = {Path(file.path).name for file in client.list_artifacts(whole.info.run_id, "figures")}
    assert {"comparison.png", "optimism.png"} <= drawn
    head = made.git("rev-parse", "HEAD")
    for cell, run in runs.items():
        assert (run.info.status, run.data.tags["simulated"], run.data.tags["git.commit"]) == ("FINISHED", "yes", head)
        detector = made.json(f"models/{cell}/model.json")["detector"]
        assert f"{detector}.seed" in run.data.params
        scores = made.json(f"data/scores/{cell}/scores.json")
        assert run.data.metrics["test.f1"] == scores["f1"]
        curve = [point.value for point in client.get_metric_history(run.info.run_id, "val_auprc")]
        assert len(curve) == made.read(f"models/{cell}/history.csv").count(b"\n") - 1
        assert {"pr.png", "learning.png", "map.png", "scores.json"} <= {
            Path(file.path).name for file in client.list_artifacts(run.info.run_id, "scores")
        }

    mlflow_at(uri)
    model = mlflow.pyfunc.load_model(f"runs:/{runs['fusion-cart'].info.run_id}/model")
    assert [band["name"] for band in model.metadata.metadata["bands"]] == ["dndvi", "pre_vv", "post_vv"]
    with rasterio.open(made.root / "data/composites/unseen/unseen.tif") as scene:
        bands = [scene.descriptions.index(name) + 1 for name in ("dndvi", "pre_vv", "post_vv")]
        x = scene.read(bands)[None]
    with rasterio.open(made.root / "data/probability/fusion-cart/unseen/unseen.tif") as raster:
        np.testing.assert_array_equal(model.predict(x)[0], raster.read(1))


def _dump(made: Clone) -> list[Any]:
    """What the store says of runs, whatever else it keeps."""
    rows: list[Any] = []
    with sqlite3.connect(made.root / "mlruns/mlflow.db") as store:
        for table in ("runs", "metrics", "params", "tags", "logged_models"):
            rows += sorted(map(repr, store.execute(f"SELECT * FROM {table}")))  # noqa: S608  # names from above
    return rows


def test_a_stage_runs_the_code_of_the_clone_that_started_it(bare: Clone, small: Reproduced) -> None:
    """The environment's `skred` may be installed from another checkout."""
    stage = bare.root / "src/skred/stages/compare.py"
    text = stage.read_text(encoding="utf-8")
    assert text.count('curves, "%.6f"') == 1
    stage.write_text(text.replace('curves, "%.6f"', 'curves, "%.2f"'), encoding="utf-8")
    bare.dvc("remote", "add", "--local", "--default", "other", str(small.clone.root / ".dvc/cache"))
    bare.dvc("pull", "evaluate", "train")
    assert stages_run(bare.repro("--single-item", "compare")) == ["compare"]
    assert bare.read("plots/pr.csv") != small.clone.read("plots/pr.csv")
    assert bare.read("metrics/compare.json") == small.clone.read("metrics/compare.json")
