"""Stage: scores of all cells -> one table, and the curves of all cells in one file each."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from skred.core.json_file import write_json
from skred.detectors.model import read_card
from skred.scores.files import labelled_history, read_history, read_scores
from skred.scores.report import compare_cells
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="folders of scores, one per cell")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model folders, for learning curves")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file")
    parser.add_argument("--curves", type=Path, required=True, help="CSV of precision-recall curves")
    parser.add_argument("--learning", type=Path, required=True, help="CSV of learning curves")
    args = parser.parse_args()

    scores = {folder: read_scores(folder) for folder in args.scores}
    table = compare_cells(list(scores.values()))
    # Cells of a random split stand in the table only: in the curves they would look like their blocked partners.
    shown = {folder: cell["cell"] for folder, cell in scores.items() if cell["split"] != "random"}
    curves = pd.concat([pd.read_csv(folder / "pr.csv") for folder in shown])
    cards = {folder: read_card(folder) for folder in args.models}
    histories = [
        labelled_history(card, read_history(folder / "history.csv"))
        for folder, card in cards.items()
        if card.cell in shown.values()
    ]
    for path in (args.metrics, args.curves, args.learning):
        path.parent.mkdir(parents=True, exist_ok=True)
    curves.to_csv(args.curves, index=False, float_format="%.6f")
    pd.concat(histories).to_csv(args.learning, index=False, float_format="%.6g")
    write_json(args.metrics, table)


if __name__ == "__main__":
    run(main)
