"""One run per pipeline and state of its results: a small checkout, the real DVC, the real MLflow. One store for all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tracking_place import Place

from skred.tracking.lock import locked_study
from skred.tracking.store import PIPELINE, Store
from skred.tracking.studies import EXPERIMENT
from skred.tracking.summary import Summary
from skred.tracking.sync import sync

COMPARE = {"fusion": {"cart": {"simulated": True, "mcc": 0.5, "mcc_low": 0.4, "mcc_high": 0.6}}}
DIFFERENCES = {
    "measured": {"where": "In the simulated world", "roles": "test", "blocks": 40},
    "differences": {"a-unet minus a-cart": {"difference": 0.1, "low": 0.0, "high": 0.2, "p_corrected": 0.2}},
}
OPTIMISM = (
    "setting,detector,simulated,score,split,value\nfusion,cart,True,mcc,blocks,0.5\nfusion,cart,True,mcc,random,0.7\n"
)
DAYS = """setting,detector,simulated,days,what,value
sar,unet,True,1,MCC,0.25
sar,unet,True,7,MCC,0.5
sar,unet,True,1,landslides found,0.125
sar,unet,True,7,landslides found,0.75
sar,unet,True,7,seen,1
"""
BANDS = "band,mcc,auprc,mcc_drop,auprc_drop,mcc_drop_low,mcc_drop_high,cell,simulated\nnone,0.6,0.5,0,0,,,CELL,True\n"
IMPORTANCE = BANDS + "slope,0.4,0.4,0.2,0.1,0.1,0.3,CELL,True\npre_vv,0.55,0.45,0.05,0.05,,,CELL,True\n"
RESULTS = {
    ".": {
        "metrics/compare.json": json.dumps(COMPARE),
        "metrics/differences.json": json.dumps(DIFFERENCES),
        "plots/optimism.csv": OPTIMISM,
    },
    "experiments/days": {"metrics/days.json": '{"sar": {"unet": {"day_01": {"mcc": 0.25}}}}', "plots/days.csv": DAYS},
    "experiments/importance": {f"plots/{c}.csv": IMPORTANCE.replace("CELL", c) for c in ("sar-cart", "sar-unet")},
}
FIGURES = {
    "skred": ["comparison", "differences", "optimism"],
    "days": ["days"],
    "importance": ["importance"],
}
STAGES = {
    ".": "compare: {STAGE}",
    "experiments/days": "days: {STAGE}",
    "experiments/importance": "importance: {foreach: [sar-cart, sar-unet], do: {STAGE}}",
}


class Studied:
    """A checkout whose pipelines copy their results from folders called ``given``, with its store."""

    def __init__(self, root: Path) -> None:
        self.place = Place(root)
        self.place.run("git", "init", "-q")
        self.place.dvc("init", "-q")
        (root / ".dvc/config").write_text("[core]\n    analytics = false\n")
        (root / ".gitignore").write_text("plots/\n/mlruns/\n")
        for folder, results in RESULTS.items():
            item = "importance" in folder
            outs = ["plots/${item}.csv"] if item else list(results)
            copies = " && ".join(f"cp given/{out} {out}" for out in outs)
            stage = {"cmd": f"mkdir -p metrics plots && {copies}", "deps": [f"given/{out}" for out in outs]}
            stage["outs"] = [{out: {"cache": out.startswith("plots")}} for out in outs]
            for path, text in results.items():
                self.give(f"{folder}/given/{path}", text)
            written = STAGES[folder].replace("{STAGE}", json.dumps(stage))
            (root / folder / "dvc.yaml").write_text(f"stages: {{{written}}}")
        self.place.commit("begin")
        self.repro()
        self.first = sync(root)
        self.store = Store.open(root)

    def give(self, path: str, text: str) -> None:
        (self.place.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.place.root / path).write_text(text)

    def repro(self) -> None:
        self.place.dvc("repro", "--all-pipelines")

    def sync(self) -> Summary:
        return sync(self.place.root)

    def runs(self) -> list[Any]:
        return self.store.runs(self.store.experiment(EXPERIMENT))

    def key(self, name: str) -> str:
        """Of the state in which the pipeline called `name` is now."""
        folder = "." if name == "skred" else f"experiments/{name}"
        study = locked_study(self.place.root / folder / "dvc.lock", name if name == "skred" else f"skred/{name}")
        assert study is not None
        return study.key

    def run(self, name: str) -> Any:
        """The one run of that state."""
        (run,) = self.store.runs(self.store.experiment(EXPERIMENT), self.key(name))
        return run

    def artifact(self, run: Any, path: str) -> bytes:
        return Path(self.store.client.download_artifacts(run.info.run_id, path)).read_bytes()

    def points(self, run: Any, name: str) -> list[tuple[int, float]]:
        return [(p.step, p.value) for p in self.store.client.get_metric_history(run.info.run_id, name)]

    def everything(self) -> Any:
        files = [p for p in (self.place.root / "mlruns/artifacts").rglob("*") if p.is_file()]
        return [run.to_dictionary() for run in self.runs()], sorted((str(p), p.stat().st_mtime_ns) for p in files)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studied]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Studied(tmp_path_factory.mktemp("checkout"))


def test_each_pipeline_has_one_finished_run_after_two_syncs(studied: Studied) -> None:
    assert studied.first.recorded == ["comparisons/skred", "comparisons/days", "comparisons/importance"]
    before = studied.everything()
    second = studied.sync()
    assert (second.recorded, second.skipped) == ([], {})
    assert second.unchanged == studied.first.recorded
    assert studied.everything() == before
    for name in FIGURES:
        assert (studied.run(name).info.run_name, studied.run(name).info.status) == (name, "FINISHED")
    assert len({run.data.tags["skred.key"] for run in studied.runs()}) == len(studied.runs())


def test_the_experiments_of_the_cells_stay_as_they_are(studied: Studied) -> None:
    names = {experiment.name for experiment in studied.store.client.search_experiments()}
    assert names - {"Default"} == {EXPERIMENT}  # nothing was trained here


def test_a_run_has_the_figures_as_png_and_the_files_as_they_are(studied: Studied) -> None:
    for (name, figures), results in zip(FIGURES.items(), RESULTS.values(), strict=True):
        run = studied.run(name)
        listed = [file.path for file in studied.store.client.list_artifacts(run.info.run_id, "figures")]
        assert listed == [f"figures/{figure}.png" for figure in figures]
        for file in listed:
            picture = Image.open(io.BytesIO(studied.artifact(run, file)))
            assert picture.format == "PNG"
            colours = picture.convert("RGB").getcolors(1 << 24)
            assert colours is not None
            assert len(colours) > 10  # something is drawn
        for path, text in results.items():
            assert studied.artifact(run, path) == text.encode()


def test_the_days_are_the_steps_of_the_curves(studied: Studied) -> None:
    run = studied.run("days")
    assert studied.points(run, "sar.unet.mcc") == [(1, 0.25), (7, 0.5)]
    assert studied.points(run, "sar.unet.landslides_found") == [(1, 0.125), (7, 0.75)]
    assert studied.points(run, "sar.unet.seen") == [(7, 1.0)]


def test_a_run_names_its_pipeline_its_commit_and_the_hashes_of_the_lock(studied: Studied) -> None:
    run = studied.run("days")
    outs: Any = studied.place.lock("experiments/days")["days"]["outs"]
    assert {f"hash.{out['path']}": out["md5"] for out in outs}.items() <= run.data.tags.items()
    assert run.data.tags["pipeline"] == "days"
    assert "cell" not in run.data.tags
    assert len(run.data.tags["git.commit"]) == 40


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "plots/optimism.csv is not here"), ("changed", "plots/optimism.csv is not what dvc.lock names")],
)
def test_a_pipeline_without_its_files_is_skipped_with_the_reason(
    studied: Studied, content: str | None, reason: str
) -> None:
    run = studied.run("skred")
    studied.store.client.set_tag(run.info.run_id, "skred.recorded", "")
    file = studied.place.root / "plots/optimism.csv"
    whole = file.read_text()
    file.unlink()
    if content is not None:
        file.write_text(content)
    summary = studied.sync()
    assert list(summary.skipped) == ["comparisons/skred"]
    assert reason in summary.skipped["comparisons/skred"]
    assert summary.unchanged == ["comparisons/days", "comparisons/importance"]
    file.unlink(missing_ok=True)
    file.write_text(whole)
    assert studied.sync().recorded == ["comparisons/skred"]


def test_other_results_get_a_run_and_those_before_keep_theirs(studied: Studied) -> None:
    first = studied.run("days")
    given = "experiments/days/given/plots/days.csv"
    studied.give(given, DAYS.replace("0.75", "0.875"))
    studied.repro()
    assert studied.sync().recorded == ["comparisons/days"]
    second = studied.run("days")
    assert studied.points(second, "sar.unet.landslides_found") == [(1, 0.125), (7, 0.875)]
    assert studied.points(first, "sar.unet.landslides_found") == [(1, 0.125), (7, 0.75)]
    studied.give(given, DAYS)
    studied.repro()
    assert studied.sync().recorded == []  # the first again
    assert studied.run("days").info.run_id == first.info.run_id
    assert second.info.run_id in [run.info.run_id for run in studied.runs()]  # history stays


def test_a_sync_that_was_killed_is_completed_by_the_next(studied: Studied) -> None:
    run = studied.run("days")
    points = studied.points(run, "sar.unet.mcc")
    studied.store.client.update_run(run.info.run_id, status="RUNNING")
    assert studied.sync().recorded == ["comparisons/days"]
    again = studied.run("days")
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    assert studied.points(again, "sar.unet.mcc") == points


def test_of_two_runs_of_one_state_the_older_is_kept(studied: Studied) -> None:
    run, count = studied.run("importance"), len(studied.runs())
    experiment = studied.store.experiment(EXPERIMENT)
    studied.store.create(experiment, "importance", studied.key("importance"), PIPELINE)
    assert len(studied.runs()) == count + 1
    studied.sync()
    assert studied.run("importance").info.run_id == run.info.run_id


def test_results_of_older_code_are_skipped_with_the_reason(studied: Studied) -> None:
    given, count = "experiments/importance/given/plots/sar-unet.csv", len(studied.runs())
    new = (studied.place.root / given).read_text()
    studied.give(given, new.replace("cell,simulated", "cell,kind"))
    studied.repro()
    assert "no column simulated" in studied.sync().skipped["comparisons/importance"]
    assert len(studied.runs()) == count
    studied.give(given, new)
    studied.repro()
    assert "comparisons/importance" in studied.sync().unchanged


def test_the_key_changes_with_the_name_of_the_pipeline_and_with_a_hash(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    keys = set()
    for name, md5 in (("skred", "aa"), ("skred/days", "aa"), ("skred", "bb")):
        outs = [{"path": "plots/days.csv", "md5": md5}]
        lock.write_text(json.dumps({"stages": {"days": {"cmd": "x", "outs": outs}, "train@a": {"cmd": "y"}}}))
        study = locked_study(lock, name)
        assert study is not None
        keys.add(study.key)
    assert len(keys) == 3


def test_a_lock_without_results_of_a_pipeline_has_no_study(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    assert locked_study(lock, "skred") is None
    lock.write_text(json.dumps({"stages": {"train@a": {"cmd": "y", "outs": [{"path": "models/a", "md5": "a.dir"}]}}}))
    assert locked_study(lock, "skred") is None
