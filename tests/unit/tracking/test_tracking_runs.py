"""One run per cell and state of its inputs: a small checkout, the real DVC, the real MLflow. One store for all."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tracking_place import PARAMS, Place, card_of, make_place

from skred.core.errors import SkredError
from skred.core.raster import read_raster
from skred.detectors.model import load_model
from skred.tracking.child import PATIENCE_S, patience_s, record
from skred.tracking.key import live_entry, run_key
from skred.tracking.lock import folder_md5
from skred.tracking.store import Store
from skred.tracking.sync import sync

CELL = "fusion-cart"


class Tracked:
    """A checkout with its store."""

    def __init__(self, place: Place) -> None:
        self.place = place
        sync(place.root)
        self.store = Store.open(place.root)

    def runs(self, experiment: str = "skred") -> list[Any]:
        return self.store.runs(self.store.experiment(experiment))

    def run(self, cell: str = CELL) -> Any:
        """The one run of the state in which `cell` is now."""
        key = run_key(self.place.lock()[f"train@{cell}"])
        (run,) = [run for run in self.runs() if run.data.tags["skred.key"] == key]
        return run

    def points(self, run: Any, name: str) -> list[tuple[int, float]]:
        return [(p.step, p.value) for p in self.store.client.get_metric_history(run.info.run_id, name)]

    def models(self, run: Any) -> list[Any]:
        wanted = f"source_run_id = '{run.info.run_id}'"
        return list(self.store.client.search_logged_models([run.info.experiment_id], filter_string=wanted))

    def everything(self) -> Any:
        """All that the store and its files hold."""
        files = [p for p in (self.place.root / "mlruns/artifacts").rglob("*") if p.is_file()]
        return (
            [run.to_dictionary() for run in self.runs()],
            [[self.points(run, name) for name in sorted(run.data.metrics)] for run in self.runs()],
            sorted((str(p), p.stat().st_mtime_ns) for p in files),
        )


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        place = make_place(tmp_path_factory.mktemp("checkout"))
        Store.open(place.root).experiment("skred")  # a new store takes long, and a training waits only so long for it
        # The tree trains in a moment: as an experiment it is recorded live all the same.
        live = place.dvc("repro", f"train@{CELL}", DVC_EXP_NAME="any")
        assert "MLflow" not in live.stderr
        alive = Store.open(place.root)
        (run,) = alive.runs(alive.experiment("skred"))
        assert run.info.status == "FINISHED"
        place.dvc("repro")
        yield Tracked(place)


def test_a_running_stage_and_the_lock_give_the_same_key(tracked: Tracked) -> None:
    for cell in PARAMS["cells"]:
        for addressing in (f"train@{cell}", f"some/where/dvc.yaml:train@{cell}"):
            locked = dict(tracked.place.lock()[f"train@{cell}"])
            del locked["outs"]
            live = live_entry(tracked.place.root, addressing)
            assert json.loads(json.dumps(live)) == locked
            assert run_key(live) == run_key(tracked.place.lock()[f"train@{cell}"])


def test_the_hash_of_a_model_folder_is_the_one_of_dvc(tracked: Tracked) -> None:
    for cell in PARAMS["cells"]:
        (out,) = tracked.place.lock()[f"train@{cell}"]["outs"]  # type: ignore[attr-defined]
        assert folder_md5(tracked.place.root / out["path"]) == out["md5"]


def test_the_run_recorded_live_is_the_one_that_the_sync_completes(tracked: Tracked) -> None:
    run = tracked.run()
    assert run.info.status == "FINISHED"
    assert run.data.params["cart.max_depth"] == "4"
    assert run.data.params["settings.fusion"] == "dndvi, post_vv"
    assert (
        run.data.metrics["test.f1"]
        == json.loads((tracked.place.root / f"data/scores/{CELL}/scores.json").read_text())["f1"]
    )
    assert run.data.metrics["unseen.mcc"] == 0.25
    assert run.data.metrics["control.false_alarms_per_100km2"] == 3.0
    assert "test.mcc" not in run.data.metrics  # None
    tags = run.data.tags
    assert (tags["cell"], tags["setting"], tags["detector"], tags["simulated"]) == (CELL, "fusion", "cart", "yes")
    assert tags["hash.data/patches/p"].endswith(".dir")
    assert len(tags["git.commit"]) == 40
    figures = tracked.store.client.list_artifacts(run.info.run_id, "scores")
    assert "scores/pr.png" in [file.path for file in figures]


def test_a_curve_holds_each_point_of_the_history_once(tracked: Tracked) -> None:
    for cell in PARAMS["cells"]:
        with (tracked.place.root / "models" / cell / "history.csv").open() as lines:
            rows = list(csv.DictReader(lines))
        points = tracked.points(tracked.run(cell), "val_auprc")
        assert points == [(int(float(row["step"])), float(row["val_auprc"])) for row in rows]


def test_a_second_sync_changes_nothing(tracked: Tracked) -> None:
    before = tracked.everything()
    summary = sync(tracked.place.root)
    assert summary.recorded == []
    assert tracked.everything() == before


def test_a_restored_state_is_the_run_that_it_was(tracked: Tracked) -> None:
    place, first = tracked.place, tracked.run()
    points = tracked.points(first, "val_auprc")
    params = place.root / "params.yaml"
    params.write_text(yaml.safe_dump(PARAMS | {"settings": {**PARAMS["settings"], "fusion": ["dndvi"]}}))
    place.dvc("repro")
    sync(place.root)
    second = tracked.run()
    assert second.info.run_id != first.info.run_id
    params.write_text(yaml.safe_dump(PARAMS))
    assert "is cached" in place.dvc("repro").stdout  # from the run cache: no code runs
    sync(place.root)
    assert tracked.run().info.run_id == first.info.run_id
    assert tracked.points(tracked.run(), "val_auprc") == points
    assert second.info.run_id in [run.info.run_id for run in tracked.runs()]  # history stays
    assert [len(tracked.models(run)) for run in tracked.runs()] == [1] * len(tracked.runs())
    assert all(run.info.status == "FINISHED" for run in tracked.runs())


def test_new_scores_of_the_same_model_update_its_run(tracked: Tracked) -> None:
    run, count = tracked.run(), len(tracked.runs())
    models = [model.model_id for model in tracked.models(run)]
    value = run.data.metrics["test.f1"] - 0.0625
    tracked.place.score_with(value)
    tracked.place.dvc("repro")
    sync(tracked.place.root)
    after = tracked.run()
    assert after.info.run_id == run.info.run_id
    assert len(tracked.runs()) == count
    assert after.data.metrics["test.f1"] == value  # the smaller, newer one
    assert [model.model_id for model in tracked.models(after)] == models


def test_a_killed_rerun_is_marked_and_then_finished_by_the_sync(tracked: Tracked) -> None:
    before = tracked.run()
    points = tracked.points(before, "val_auprc")
    step = json.dumps({"step": [points[0][0], {"val_auprc": points[0][1]}]})
    record(CELL, tracked.place.root, f"train@{CELL}", tracked.place.root, [step.encode()])  # and no last word
    assert tracked.run().info.status == "FAILED"
    sync(tracked.place.root)
    assert tracked.run().info.status == "FINISHED"
    assert tracked.run().info.run_id == before.info.run_id
    assert tracked.points(tracked.run(), "val_auprc") == points


def test_a_run_whose_curve_was_another_is_replaced(tracked: Tracked) -> None:
    old = tracked.run("sar-cart")
    tracked.store.log_rows(old.info.run_id, [(1, {"val_auprc": 0.123})])  # as if trained elsewhere with other numbers
    tracked.store.client.set_tag(old.info.run_id, "skred.recorded", "")
    sync(tracked.place.root)
    new = tracked.run("sar-cart")
    assert new.info.run_id != old.info.run_id
    assert (1, 0.123) not in tracked.points(new, "val_auprc")
    assert len(tracked.models(new)) == 1


def test_the_logged_model_predicts_from_raw_bands(tracked: Tracked, mlflow_at: Callable[[str], None]) -> None:
    import mlflow.pyfunc  # noqa: PLC0415  # after the fixture, which sets up how MLflow is imported

    mlflow_at(tracked.store.uri)
    loaded = mlflow.pyfunc.load_model(f"runs:/{tracked.run().info.run_id}/model")
    assert [band["name"] for band in loaded.metadata.metadata["bands"]] == ["dndvi", "post_vv"]
    assert loaded.metadata.get_input_schema().inputs[0].shape == (-1, 2, -1, -1)
    scene = read_raster(tracked.place.root / "data/composites/e/s.tif", bands=["dndvi", "post_vv"]).array
    scene[:, 5, 7] = np.nan
    probability = loaded.predict(np.stack([scene, scene[:, ::-1]]))
    model, _ = load_model(tracked.place.root / "models" / CELL)
    assert probability.shape == (2, 64, 64)
    assert probability.dtype == np.float32
    np.testing.assert_array_equal(probability[0], model.probability(list(scene)))
    assert probability[0, 5, 7] == 0
    with pytest.raises(mlflow.exceptions.MlflowException, match="shape"):
        loaded.predict(scene[None, :1])


def test_a_commit_of_the_state_replaces_one_with_changes_and_then_stays(tracked: Tracked) -> None:
    commit = tracked.place.commit("state")
    for run in tracked.runs():
        tracked.store.log_text(run.info.run_id, {}, {"git.dirty": "yes"})
    sync(tracked.place.root)
    assert (tracked.run().data.tags["git.commit"], tracked.run().data.tags["git.dirty"]) == (commit, "no")
    (tracked.place.root / "notes").write_text(commit)
    tracked.place.commit("later")
    sync(tracked.place.root)
    assert tracked.run().data.tags["git.commit"] == commit


def test_files_that_are_not_those_of_the_lock_are_not_recorded(tracked: Tracked) -> None:
    model = tracked.place.root / "models" / CELL / "history.csv"
    history, run = model.read_bytes(), tracked.run()
    tracked.store.client.set_tag(run.info.run_id, "skred.recorded", "")
    model.write_bytes(history + b"9,1,1,1\n")
    assert "not what dvc.lock names" in sync(tracked.place.root).skipped[CELL]
    model.write_bytes(history)
    assert CELL in sync(tracked.place.root).recorded


def test_an_experiment_has_runs_of_its_own(tracked: Tracked) -> None:
    root, folder = tracked.place.root, tracked.place.root / "experiments/floods"
    assert card_of(tracked.place, CELL)["simulated"] is True
    for path in (f"models/{CELL}", f"data/scores/{CELL}"):
        shutil.copytree(root / path, folder / path)
    shutil.copy(root / "dvc.lock", folder)
    summary = sync(root)
    assert summary.recorded == [f"floods/{CELL}"]
    assert "not here" in summary.skipped["floods/sar-cart"]
    (run,) = tracked.runs("skred/floods")
    assert run.data.tags["skred.key"] == tracked.run().data.tags["skred.key"]
    shutil.rmtree(folder)


def test_a_server_that_is_down_costs_the_training_one_line(tracked: Tracked) -> None:
    place = tracked.place
    environment = {"DVC_STAGE": f"train@{CELL}", "DVC_EXP_NAME": "any", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    code = (
        "from skred.tracking.live import training_run\n"
        f"with training_run('{CELL}') as tracked: tracked.step(1, {{'loss': 1.0}})\n"
        "print('trained')"
    )
    done = place.run(sys.executable, "-c", code, **environment)
    assert done.stdout == "trained\n"
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("skred: MLflow: ")


def test_two_processes_make_one_store_and_one_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    code = "import pathlib; from skred.tracking.store import Store; Store.open(pathlib.Path()).experiment('skred')"
    begun = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate(timeout=120)[1].decode() for one in begun]
    assert [one.returncode for one in begun] == [0, 0], said
    names = [found.name for found in Store.open(tmp_path).client.search_experiments()]
    assert sorted(names) == ["Default", "skred"]


def test_how_long_a_training_goes_unrecorded_is_a_number_of_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SKRED_LIVE_AFTER_S", raising=False)
    assert patience_s() == PATIENCE_S
    monkeypatch.setenv("SKRED_LIVE_AFTER_S", "120")
    assert (patience_s(), capsys.readouterr().err) == (120, "")
    monkeypatch.setenv("SKRED_LIVE_AFTER_S", "soon")
    assert patience_s() == PATIENCE_S
    assert "SKRED_LIVE_AFTER_S: got 'soon', wanted seconds" in capsys.readouterr().err


def test_a_sync_says_in_one_line_that_the_store_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dvc.lock").write_text("stages: {train@a: {cmd: x, outs: [{path: models/a, md5: b.dir}]}}")
    (tmp_path / "broken.db").write_text("no database" * 1000)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'broken.db'}")
    with pytest.raises(SkredError, match=r"MLflow: .*database"):
        sync(tmp_path)
