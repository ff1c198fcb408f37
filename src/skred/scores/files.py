"""Files of scores and curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from skred.core.errors import InputError
from skred.core.json_file import read_json, write_json
from skred.core.raster import atomic
from skred.detectors.model import ModelCard
from skred.scores.blocks import write_blocks
from skred.scores.ranked import Ranked
from skred.scores.report import Evaluated


def read_scores(folder: Path) -> dict[str, Any]:
    """`scores.json` of a cell. Raises InputError if there is none."""
    scores: dict[str, Any] = read_json(folder / "scores.json", "run the evaluate stage")
    return scores


_POINTS = 400  # of a curve to draw, evenly over recall; a line for each landslide pixel would show no more


def write_curve(path: Path, card: ModelCard, pixels: Ranked) -> None:
    """The precision-recall curve as CSV, from the highest threshold down: cell, setting, detector, simulated,
    threshold, recall, precision."""
    thresholds, precision, recall = pixels.curve()
    table = pd.DataFrame({"threshold": thresholds, "recall": recall, "precision": precision})
    shown = table[~(table["recall"] * _POINTS).astype(int).duplicated(keep="last") | (table.index == 0)]
    _labelled(card, shown).to_csv(path, index=False, float_format="%.6f")


def write_tables(folder: Path, card: ModelCard, evaluated: Evaluated) -> None:
    """What `scores.json` was summed from: counts per block (`skred.scores.blocks`, ``objects.csv`` at every minimum
    mapping unit), each detection, recall by chance at every unit, by class of area, reliability curves, the calibrator.
    """
    write_blocks(folder, evaluated.blocks, card.threshold)
    evaluated.objects.blocks.to_csv(folder / "objects.csv", index=False, float_format="%.6f")
    evaluated.objects.detections.to_csv(folder / "detections.csv", index=False, float_format="%.4f")
    evaluated.objects.chance.to_csv(folder / "chance.csv", index=False, float_format="%.6f")
    _labelled(card, evaluated.objects.sizes).to_csv(folder / "sizes.csv", index=False)
    _labelled(card, evaluated.reliability).to_csv(folder / "reliability.csv", index=False, float_format="%.6f")
    write_json(folder / "calibrator.json", evaluated.calibrator.model_dump(mode="json"))


def write_csv(path: Path, table: pd.DataFrame, float_format: str = "%.6g") -> None:
    """A table as CSV, whole or not at all."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format=float_format)


def read_table(path: Path) -> pd.DataFrame:
    """A table that `write_tables` wrote. Raises InputError if it cannot be read."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); run the evaluate stage") from error


def read_history(path: Path) -> pd.DataFrame:
    """`history.csv` of a model. Raises InputError if it cannot be read."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); train the model again") from error


def labelled_history(card: ModelCard, history: pd.DataFrame) -> pd.DataFrame:
    """A history with its cell in front, the same columns for every detector: step, val_auprc, loss, pixels."""
    return _labelled(card, history.reindex(columns=["step", "val_auprc", "loss", "pixels"]))


def _labelled(card: ModelCard, table: pd.DataFrame) -> pd.DataFrame:
    labels = pd.DataFrame(
        {"cell": card.cell, "setting": card.setting, "detector": card.detector, "simulated": card.simulated},
        index=table.index,
    )
    return pd.concat([labels, table], axis=1)
