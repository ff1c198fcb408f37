"""`scores.json` of a cell: from tallies to the numbers that are compared, and the combined table of all cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skred.core.errors import InputError
from skred.core.raster import read_raster
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.detectors.model import ModelCard
from skred.patches.split import Split
from skred.patches.store import PatchFolder
from skred.scores.bins import EMPTY, BinCounts
from skred.scores.evaluate import Tally, pixels_of, tally, tally_against

_DIGITS = 6  # more would only record rounding


@dataclass(frozen=True)
class Evaluated:
    """The scores of a cell, and the counts of its test split for curves."""

    scores: dict[str, Any]
    test: BinCounts


def evaluate_cell(
    card: ModelCard,
    probability: Path,
    patches: PatchFolder,
    divided: SceneFolder,
    whole: Sequence[SceneFolder],
    truths: Mapping[str, Path],
) -> Evaluated:
    """Scores of one cell.

    Parameters
    ----------
    probability
        Folder with one folder of probability rasters per event.
    patches, divided
        The folder of patches whose split rasters divide the folder of scenes `divided`.
    whole
        Other events, counted whole: role `unseen` gives scores, role `control` false alarms; the counts of several
        events of one role add up.
    truths
        For simulated events, the raster of what really happened, by name of the event.

    Raises
    ------
    InputError
        An event of `whole` has another role, or simulated and real events of one role would be added.
    """
    test = tally(divided, probability / divided.index.event, card.threshold, pixels_of(patches, Split.TEST))
    scores: dict[str, Any] = {
        "cell": card.cell,
        "setting": card.setting,
        "detector": card.detector,
        "split": patches.about.split,
        "simulated": divided.index.simulated,
        "trained_on_simulated": card.simulated,
        "training": _training(patches),
        "threshold": card.threshold,
        "validation": dict(card.validation),
        "chosen": dict(card.chosen),
        **test.scores(card.threshold),
    }
    for role, folders in _by_role(whole).items():
        tallies = [tally(folder, probability / folder.index.event, card.threshold) for folder in folders]
        result = sum(tallies[1:], tallies[0])
        if role == "control":
            scores["control"] = {"simulated": folders[0].index.simulated, **_control(result, card.threshold)}
            continue
        scores["unseen"] = {"simulated": folders[0].index.simulated, **result.scores(card.threshold)}
        if all(folder.index.event in truths for folder in folders):
            everything = EMPTY
            for folder in folders:
                event = folder.index.event
                everything += tally_against(_truth(truths[event]), folder, probability / event, lambda scene: None)
            scores["unseen"]["truth"] = _against_truth(everything, card.threshold)
    if divided.index.event in truths:
        truth = _truth(truths[divided.index.event])
        where = pixels_of(patches, Split.TEST)
        counts = tally_against(truth, divided, probability / divided.index.event, where)
        scores["truth"] = _against_truth(counts, card.threshold)
    return Evaluated(rounded(scores), test.all)


def _training(patches: PatchFolder) -> dict[str, int]:
    """How much there was to learn from: distinct labelled training pixels, and the landslide pixels among them."""
    rows = patches.rows("train")
    labels = patches.y()[rows][patches.distinct_pixels(rows)]
    return {"pixels": int((labels != UNKNOWN).sum()), "landslide_pixels": int((labels == LANDSLIDE).sum())}


def _by_role(folders: Sequence[SceneFolder]) -> dict[str, list[SceneFolder]]:
    roles: dict[str, list[SceneFolder]] = {}
    for folder in folders:
        role, event = folder.index.role, folder.index.event
        if role not in ("unseen", "control"):
            raise InputError(f"{folder.path}: role {role} of {event}; wanted an event of role unseen or control")
        others = roles.setdefault(role, [])
        if any(other.index.simulated != folder.index.simulated for other in others):
            raise InputError(f"{folder.path}: simulated and real events of role {role} do not add up; score them apart")
        others.append(folder)
    return roles


def _control(result: Tally, threshold: float) -> dict[str, Any]:
    counts = result.all.at(threshold)
    return {
        "false_alarms_per_100km2": result.false_alarms_per_100km2(),
        "false_alarms": result.false_alarms,
        "false_alarm_pixels": counts.fp,
        "area_km2": result.area_km2,
    }


def _truth(path: Path) -> Any:
    return read_raster(path).array[0]


def _against_truth(counts: BinCounts, threshold: float) -> dict[str, Any]:
    table = counts.at(threshold)
    return {name: getattr(table, name) for name in ("precision", "recall", "f1", "mcc")}


_MARKS = ("simulated", "trained_on_simulated", "training")
_COMPARED = ("threshold", "precision", "recall", "f1", "mcc", "iou", "auprc", "pixels", "landslide_pixels")


def compare_cells(cells: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """``{setting: {detector: {...}}}`` from the `scores.json` of all cells.

    A cell trained on a random split stands under ``random`` of the same setting and detector.

    Raises
    ------
    InputError
        Two cells with the same setting, detector and kind of split; or a random one without its blocked partner.
    """
    table: dict[str, dict[str, dict[str, Any]]] = {}
    ordinary = [cell for cell in cells if cell["split"] != "random"]
    for cell in ordinary:
        row = table.setdefault(cell["setting"], {})
        if cell["detector"] in row:
            raise InputError(f"cell {cell['cell']}: {cell['setting']} with {cell['detector']} is there twice")
        row[cell["detector"]] = {
            **{key: cell[key] for key in (*_MARKS, *_COMPARED)},
            **{key: cell[key] for key in ("observable", "unseen", "control", "truth") if key in cell},
        }
    for cell in cells:
        if cell["split"] == "random":
            partner = table.get(cell["setting"], {}).get(cell["detector"])
            if partner is None or "random" in partner:
                raise InputError(f"cell {cell['cell']}: wanted exactly one blocked and one random cell of its kind")
            partner["random"] = {key: cell[key] for key in (*_MARKS, *_COMPARED)}
    return table


def rounded(value: Any) -> Any:
    """`value` with every float, however deep, rounded to what is recorded."""
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value
