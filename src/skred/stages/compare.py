"""Stage: scores of all cells -> one table, and the curves of all cells in one file each."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from skred.detectors.model import read_card
from skred.scores.files import labelled_history, read_history, read_scores, write_json
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

    table = compare_cells([read_scores(folder) for folder in args.scores])
    curves = pd.concat([pd.read_csv(folder / "pr.csv") for folder in args.scores])
    histories = [labelled_history(read_card(m), read_history(m / "history.csv")) for m in args.models]
    for path in (args.metrics, args.curves, args.learning):
        path.parent.mkdir(parents=True, exist_ok=True)
    curves.to_csv(args.curves, index=False, float_format="%.6f")
    pd.concat(histories).to_csv(args.learning, index=False, float_format="%.6g")
    write_json(args.metrics, table)


if __name__ == "__main__":
    run(main)
