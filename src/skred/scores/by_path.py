"""Scores of any model on any folder of scenes, outside the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skred.core.errors import InputError
from skred.core.raster import read_raster
from skred.core.scenes import UNKNOWN, SceneFolder
from skred.detectors.model import ModelCard, read_card
from skred.scores.evaluate import Tally, Where, tally
from skred.scores.report import rounded


def evaluate_by_path(model: Path, scenes: Path, probability: Path) -> dict[str, Any]:
    """Scores over every labelled pixel of a folder of scenes, and under ``by_split`` for each folder split apart.

    The threshold is the model's own, chosen on its validation pixels. False alarms are of every size, so `unit_px` is
    1: the minimum mapping unit is chosen by the pipeline and not part of a model.

    Raises
    ------
    InputError
        A folder is not what it should be, the probabilities are another model's, or no scene has labels.
    """
    card, folder = read_card(model), SceneFolder.open(scenes)
    if all((folder.labels(scene) == UNKNOWN).all() for scene in folder.names):
        raise InputError(f"{scenes}: every label is unknown, so there is nothing to score against; import with masks")
    _check_origin(card, folder, probability)
    scores: dict[str, Any] = {
        "cell": card.cell,
        "setting": card.setting,
        "detector": card.detector,
        "trained_on": card.trained_on,
        "trained_on_simulated": card.simulated,
        "scored_where_trained": folder.index.event == card.trained_on,
        "scenes": len(folder.names),
        "simulated": folder.index.simulated,
        "threshold": card.threshold,
        **_flat(tally(folder, probability, card.threshold), card.threshold),
    }
    splits = sorted({scene.split for scene in folder.index.scenes if scene.split is not None})
    if splits:
        scores["by_split"] = {
            split: _flat(tally(folder, probability, card.threshold, _scenes_of(folder, split)), card.threshold)
            for split in splits
        }
    return dict(rounded(scores))


def _check_origin(card: ModelCard, folder: SceneFolder, probability: Path) -> None:
    """`skred predict` writes into each raster which cell made it, trained on what."""
    file = probability / f"{folder.names[0]}.tif"
    made_by = read_raster(file).tags
    for tag, wanted in (("cell", card.cell), ("trained_on", card.trained_on), ("threshold", f"{card.threshold:.3f}")):
        if made_by.get(tag) != wanted:
            raise InputError(
                f"{file}: made by another model ({tag} {made_by.get(tag)!r}, the model's is {wanted!r}); "
                "predict with this model first"
            )


def _flat(result: Tally, threshold: float) -> dict[str, Any]:
    alarms = {"unit_px": 1, "false_alarms": result.false_alarms, "area_km2": result.area_km2}
    return {**result.scores(threshold), **alarms, "false_alarms_per_100km2": result.false_alarms_per_100km2()}


def _scenes_of(folder: SceneFolder, split: str) -> Where:
    chosen = {scene.name for scene in folder.index.scenes if scene.split == split}
    return lambda scene: np.full(folder.grid(scene).shape, scene in chosen)
