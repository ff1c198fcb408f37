"""Keys, names and values, without a store."""

from __future__ import annotations

import copy
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skred.tracking.key import run_key
from skred.tracking.live import Watcher
from skred.tracking.lock import folder_md5, locked_cells
from skred.tracking.records import hash_tags, numbers, one_line, parameters, score_metrics, step_row

ENTRY: dict[str, Any] = {
    "cmd": "python -m skred.stages.train --cell fusion-unet",
    "deps": [
        {"path": "data/patches/develop", "hash": "md5", "md5": "aa.dir", "size": 10, "nfiles": 2},
        {"path": "src/skred/core/bands.py", "hash": "md5", "md5": "bb", "size": 3},
    ],
    "params": {"params.yaml": {"settings.fusion": ["dndvi", "pre_vv"], "unet": {"epochs": 80, "loss": "bce"}}},
    "outs": [{"path": "models/fusion-unet", "hash": "md5", "md5": "cc.dir", "size": 5, "nfiles": 1}],
}


def changed(**where: Any) -> dict[str, Any]:
    entry = copy.deepcopy(ENTRY)
    entry.update(where)
    return entry


def test_the_key_does_not_depend_on_outputs_or_on_any_order() -> None:
    turned = dict(reversed(changed(deps=ENTRY["deps"][::-1]).items()))
    assert run_key(turned) == run_key(ENTRY)
    assert run_key(changed(outs=[])) == run_key(ENTRY)


@pytest.mark.parametrize(
    "other",
    [
        changed(cmd="python -m skred.stages.train --cell sar-unet"),
        changed(deps=ENTRY["deps"][:1]),
        changed(deps=[ENTRY["deps"][0], {**ENTRY["deps"][1], "md5": "b0"}]),
        changed(params={"params.yaml": {**ENTRY["params"]["params.yaml"], "unet": {"epochs": 81, "loss": "bce"}}}),
        changed(params={"params.yaml": {**ENTRY["params"]["params.yaml"], "settings.fusion": ["pre_vv", "dndvi"]}}),
    ],
)
def test_the_key_changes_with_the_command_a_hash_or_a_parameter(other: dict[str, Any]) -> None:
    assert run_key(other) != run_key(ENTRY)


def test_parameters_are_named_as_in_params_yaml() -> None:
    assert parameters(ENTRY) == {"settings.fusion": "dndvi, pre_vv", "unet.epochs": "80", "unet.loss": "bce"}
    other = {"params": {"../../params.yaml": {"a": 1}, "more.yaml": {"a": 2}}}
    assert parameters(other) == {"a": "1", "more.yaml:a": "2"}


def test_hashes_of_data_are_tags_and_those_of_sources_are_not() -> None:
    assert hash_tags(ENTRY) == {"hash.data/patches/develop": "aa.dir", "hash.models/fusion-unet": "cc.dir"}
    above = {"deps": [{"path": "../../src/skred/detectors/unet", "md5": "dd.dir"}]}
    assert hash_tags(above) == {"hash.src/skred/detectors/unet": "dd.dir"}  # MLflow refuses "../" in a tag


def test_scores_are_named_by_what_they_were_counted_on() -> None:
    scores = {
        "cell": "fusion-unet",
        "simulated": True,
        "threshold": 0.5,
        "validation": {"f1": 0.9},
        "chosen": {"epoch": 3.0},
        "f1": 0.6,
        "iou": None,
        "observable": {"f1": 0.7},
        "unseen": {"mcc": 0.5, "truth": {"f1": 0.4}},
        "control": {"false_alarms_per_100km2": 2},
    }
    assert score_metrics(scores) == {
        "test.f1": 0.6,
        "test.observable.f1": 0.7,
        "unseen.mcc": 0.5,
        "unseen.truth.f1": 0.4,
        "control.false_alarms_per_100km2": 2.0,
    }


@given(st.dictionaries(st.text(min_size=1), st.floats() | st.none() | st.booleans() | st.text() | st.integers(-9, 9)))
def test_only_finite_numbers_become_metrics(values: dict[str, Any]) -> None:
    found = numbers(values)
    wanted = [v for v in values.values() if type(v) in (int, float) and math.isfinite(v)]
    assert list(found.values()) == wanted


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_step_told_live_is_the_one_that_the_history_holds(value: float) -> None:
    written = float(f"{value:.6g}")  # as in history.csv
    assert step_row(3, {"step": 3.0, "loss": value}) == step_row(3, {"loss": written}) == (3, {"loss": written})


def test_a_folder_of_scores_counts_only_for_the_model_that_it_scored(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    evaluated = {
        "cmd": "e",
        "deps": [{"path": "models/fusion-unet", "md5": "cc.dir"}],
        "outs": [{"path": "data/scores/fusion-unet", "md5": "dd.dir"}],
    }
    stages = {"train@fusion-unet": ENTRY, "evaluate@fusion-unet": evaluated, "predict@fusion-unet": evaluated}
    lock.write_text(json.dumps({"schema": "2.0", "stages": stages}))
    (scored,) = locked_cells(lock)
    assert scored.scores is not None
    assert scored.scores.md5 == "dd.dir"
    evaluated["deps"] = [{"path": "models/fusion-unet", "md5": "old.dir"}]
    lock.write_text(json.dumps({"schema": "2.0", "stages": stages}))
    (stale,) = locked_cells(lock)
    assert stale.scores is None
    assert stale.key == scored.key
    assert stale.state != scored.state


def test_no_lock_no_cells(tmp_path: Path) -> None:
    assert list(locked_cells(tmp_path / "dvc.lock")) == []


def test_the_hash_of_a_folder_changes_with_a_byte_or_a_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = folder_md5(tmp_path)
    (tmp_path / "a").write_text("2")
    second = folder_md5(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, folder_md5(tmp_path)}) == 3


def test_a_training_started_by_hand_is_not_tracked_and_imports_nothing_for_it() -> None:
    code = (
        "import sys\n"
        "from skred.tracking.live import training_run\n"
        "with training_run('fusion-unet') as tracked: tracked.step(1, {'loss': 0.5})\n"
        "assert not {'mlflow', 'dvc', 'keras', 'rasterio'} & set(sys.modules)\n"
        "assert tracked._child is None"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DVC_STAGE"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


def test_what_is_said_of_a_store_names_no_password() -> None:
    said = one_line("(Error) cannot reach https://ada:secret@host:5000/api\nmore")
    assert "ada" not in one_line("https://ada:secret@host:5000") + one_line("postgresql://ada:s@h/db")
    assert said == "(Error) cannot reach https://host:5000/api"
    assert len(one_line("x" * 1000)) == 200


def listener(file: Path) -> subprocess.Popen[bytes]:
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    return subprocess.Popen([sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE)


def test_steps_are_told_as_they_happen_and_the_end_last(tmp_path: Path) -> None:
    watcher = Watcher(listener(tmp_path / "told"))
    watcher.step(1, {"step": 1.0, "loss": 1 / 3, "val_auprc": math.nan})
    watcher.end("FINISHED")
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert told == [{"step": [1, {"loss": 0.333333}]}, {"end": "FINISHED"}]


def test_a_child_that_gave_up_does_not_disturb_the_training() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)
    child.wait(timeout=30)
    watcher = Watcher(child)
    for number in range(3):
        watcher.step(number, {"loss": 1.0})
    watcher.end("FINISHED")
