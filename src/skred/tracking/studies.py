"""What speaks of a whole pipeline and not of one cell: its comparison, optimism, days after the event, importance.

Each pipeline gets one finished run per state of these results, in an MLflow experiment of their own, so that the
experiment of the cells keeps one run per cell. A run of other results stays as history.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from skred.core.errors import InputError
from skred.tracking.forests import comparison_figure, differences_figure
from skred.tracking.lock import LockedStudy, Output, content_md5
from skred.tracking.pictures import days_figure, importance_figure, optimism_figure, save
from skred.tracking.store import FINISHED, PIPELINE, RECORDED, Store
from skred.tracking.summary import Summary

EXPERIMENT = "skred/comparisons"


def sync_studies(store: Store, studies: Sequence[LockedStudy], git: Mapping[str, str], summary: Summary) -> None:
    """Record the results of whole pipelines.

    A pipeline is recorded whole or not at all: one of whose files one is not here, is not what its ``dvc.lock`` names
    or was written by older code is skipped, with the reason.
    """
    if not studies:
        return
    experiment = store.experiment(EXPERIMENT)
    runs = store.by_key(experiment)
    for study in studies:
        label = f"{EXPERIMENT.removeprefix('skred/')}/{_short(study)}"
        same = runs.get(study.key)
        if same is not None and same.info.status == FINISHED and same.data.tags.get(RECORDED) == study.state:
            store.tag_commit(same, git)
            summary.unchanged.append(label)
            continue
        try:
            _record(store, experiment, study, same, git)
        except InputError as error:
            summary.skipped[label] = str(error)
        else:
            summary.recorded.append(label)


def study_figures(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Figure]:
    """The figures that the results of a pipeline give, by name; `tables` are what `LockedStudy.outs` names, by stage
    and path.

    Raises
    ------
    InputError
        A table is not what its stage writes today.
    """
    found: dict[str, Figure | None] = {}
    compare, days, importance = (tables.get(stage, {}) for stage in ("compare", "days", "importance"))
    cells = compare.get("metrics/compare.json", {})
    found["comparison"] = comparison_figure(cells)
    found["differences"] = differences_figure(compare.get("metrics/differences.json", {}))
    if "plots/optimism.csv" in compare:
        found["optimism"] = optimism_figure(compare["plots/optimism.csv"])
    if "plots/days.csv" in days:
        found["days"] = days_figure(days["plots/days.csv"])
    found["importance"] = importance_figure(importance)
    return {name: figure for name, figure in found.items() if figure is not None}


def days_rows(curves: pd.DataFrame) -> list[tuple[int, dict[str, float]]]:
    """The points of ``days.csv`` with the days as steps: ``sar.unet.mcc``, ``sar.unet.landslides_found`` and so on."""
    rows: dict[int, dict[str, float]] = {}
    for row in curves.dropna(subset="value").sort_values("days", kind="stable").to_dict("records"):
        name = f"{row['setting']}.{row['detector']}.{str(row['what']).lower().replace(' ', '_')}"
        rows.setdefault(int(row["days"]), {})[name] = float(row["value"])
    return list(rows.items())


def _record(store: Store, experiment: str, study: LockedStudy, run: Any | None, git: Mapping[str, str]) -> None:
    # Read once: a pipeline that runs meanwhile cannot give us one file of its results and another one's hash.
    contents = {stage: {out.path: _content(study, out) for out in outs} for stage, outs in study.outs.items()}
    tables = {stage: {path: _table(path, raw) for path, raw in files.items()} for stage, files in contents.items()}
    figures = study_figures(tables)
    run = store.create(experiment, _short(study), study.key, PIPELINE) if run is None else run
    run_id = run.info.run_id
    with tempfile.TemporaryDirectory() as temporary:
        for path, raw in (item for files in contents.values() for item in files.items()):
            file = Path(temporary, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(raw)
        Path(temporary, "figures").mkdir()
        for name, figure in figures.items():
            save(figure, Path(temporary, "figures", f"{name}.png"))
        store.client.log_artifacts(run_id, temporary)
    if "plots/days.csv" in tables.get("days", {}):
        store.log_rows(run_id, days_rows(tables["days"]["plots/days.csv"]))
    store.log_text(run_id, {}, {f"hash.{out.path}": out.md5 for out in study.files})
    store.tag_commit(run, git)
    store.client.set_terminated(run_id, FINISHED)
    store.client.set_tag(run_id, RECORDED, study.state)


def _content(study: LockedStudy, out: Output) -> bytes:
    file = study.folder / out.path
    if not file.is_file():
        raise InputError(f"{out.path} is not here; run `dvc repro`, `dvc checkout` or `dvc pull`")
    content = file.read_bytes()
    if content_md5(content) != out.md5:
        raise InputError(f"{out.path} is not what dvc.lock names; run `dvc repro` or `dvc checkout`")
    return content


def _table(path: str, content: bytes) -> Any:
    try:
        return json.loads(content) if path.endswith(".json") else pd.read_csv(BytesIO(content))
    except ValueError as error:
        raise InputError(f"{path} cannot be read ({error}); run `dvc repro`") from error


def _short(study: LockedStudy) -> str:
    return study.name.removeprefix("skred/")
