"""`skred track`: bring the MLflow store up to date from git and DVC alone.

Each cell of each ``dvc.lock`` gets exactly one finished run per state of its inputs, whatever was run before: live
tracking, a restore from DVC's run cache, a pull, an earlier sync. A run of the same cell with other inputs stays as
history. What speaks of a whole pipeline gets one run per state in an experiment of its own (`skred.tracking.studies`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from skred.core.errors import SkredError
from skred.detectors.model import read_card
from skred.scores.files import read_scores
from skred.tracking.child import experiment_name
from skred.tracking.lock import LockedCell, Output, folder_md5, locked_cells, locked_study
from skred.tracking.pyfunc import log_model
from skred.tracking.records import (
    card_metrics,
    card_tags,
    git_tags,
    hash_tags,
    history_rows,
    one_line,
    parameters,
    score_metrics,
)
from skred.tracking.store import FINISHED, RECORDED, Store, prepare, store_errors
from skred.tracking.studies import sync_studies
from skred.tracking.summary import Summary

_MODEL, _SCORES = "skred.model", "skred.scores"  # tags: hashes of what has been recorded in full


def sync(root: Path) -> Summary:
    """Record the cells of the root pipeline and of ``experiments/*`` of the checkout `root`, and each pipeline itself.

    A cell or a pipeline whose files are not here, or are not those that its ``dvc.lock`` names, is skipped, with the
    reason.

    Raises
    ------
    SkredError
        The store cannot be reached, read or written.
    InputError
        A ``dvc.lock``, model or scores file cannot be read.
    """
    prepare()
    root = root.resolve()
    folders = [root, *sorted(lock.parent for lock in root.glob("experiments/*/dvc.lock"))]
    try:
        store = Store.open(root)
        summary = Summary(one_line(store.uri))
        git = git_tags(root)
        for folder in folders:
            cells = list(locked_cells(folder / "dvc.lock"))
            if folder != root and not any(cell.file(cell.model).is_dir() for cell in cells):
                if cells:
                    summary.skipped[experiment_name(folder)] = "has not been run here"
            elif cells:
                _sync_pipeline(store, experiment_name(folder), cells, git, summary)
        studies = [locked_study(folder / "dvc.lock", experiment_name(folder)) for folder in folders]
        sync_studies(store, [study for study in studies if study is not None], git, summary)
    except store_errors() as error:
        raise SkredError(
            f"MLflow: {one_line(error)}; mend the store or MLFLOW_TRACKING_URI, then run `skred track`"
        ) from error
    return summary


def _sync_pipeline(store: Store, name: str, cells: Sequence[LockedCell], git: dict[str, str], summary: Summary) -> None:
    experiment = store.experiment(name)
    runs = store.by_key(experiment)
    for cell in cells:
        label = f"{name.removeprefix('skred/')}/{cell.cell}" if "/" in name else cell.cell
        same = runs.get(cell.key)
        if same is not None and same.info.status == FINISHED and same.data.tags.get(RECORDED) == cell.state:
            store.tag_commit(same, git)
            summary.unchanged.append(label)
        elif (why := _absent(cell, cell.model)) is not None:
            summary.skipped[label] = why
        else:
            scores = cell.scores if cell.scores is not None and _absent(cell, cell.scores) is None else None
            _record(store, experiment, cell, scores, same)
            run = store.runs(experiment, cell.key)[0]
            store.tag_commit(run, git)
            if scores is None:
                summary.skipped[label] = "no scores of this model here; run `dvc repro` or `dvc pull`"
            else:
                store.client.set_tag(run.info.run_id, RECORDED, cell.state)
                summary.recorded.append(label)


def _absent(cell: LockedCell, output: Output) -> str | None:
    folder = cell.file(output)
    if not folder.is_dir():
        return f"{output.path} is not here; run `dvc repro`, `dvc checkout` or `dvc pull`"
    if folder_md5(folder) != output.md5:
        return f"{output.path} is not what dvc.lock names; run `dvc repro` or `dvc checkout`"
    return None


def _record(store: Store, experiment: str, cell: LockedCell, scores: Output | None, run: Any | None) -> None:
    folder = cell.file(cell.model)
    card = read_card(folder)
    params, rows = parameters(cell.train), history_rows(folder / "history.csv")
    if run is not None and store.contradicts(run, params, rows):
        store.client.delete_run(run.info.run_id)  # the same inputs gave something else, on another machine say
        run = None
    if run is None:
        run = store.create(experiment, cell.cell, cell.key)
    run_id, tags = run.info.run_id, run.data.tags
    store.log_text(run_id, params, {**card_tags(card), **hash_tags(cell.train)})
    store.log_rows(run_id, rows)
    store.log_values(run_id, card_metrics(card))
    if tags.get(_MODEL) != cell.model.md5:
        log_model(store, experiment, run, folder)
        store.client.set_tag(run_id, _MODEL, cell.model.md5)
    if scores is not None and tags.get(_SCORES) != scores.md5:
        store.log_values(run_id, score_metrics(read_scores(cell.file(scores))))
        for file in _shown(cell.file(scores)):
            store.client.log_artifact(run_id, str(file), "scores")
        store.log_text(run_id, {}, {_SCORES: scores.md5, f"hash.{scores.path}": scores.md5})
    if run.info.status != FINISHED:
        store.client.set_terminated(run_id, FINISHED)


def _shown(folder: Path) -> Iterator[Path]:
    yield from sorted(file for file in folder.iterdir() if file.suffix in (".png", ".json"))
