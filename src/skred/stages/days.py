"""Stage: scores of models on composites of the first days -> scores as a function of the days after the event."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.json_file import write_json
from skred.scores.days import days_curves, days_metrics, days_table
from skred.scores.files import read_scores
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="folders of scores, one per cell and days"
    )
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file")
    parser.add_argument("--plot", type=Path, required=True, help="CSV file of the curves")
    args = parser.parse_args()
    table = days_table([read_scores(folder) for folder in args.scores])
    for path in (args.metrics, args.plot):
        path.parent.mkdir(parents=True, exist_ok=True)
    days_curves(table).to_csv(args.plot, index=False, float_format="%.6g")
    write_json(args.metrics, days_metrics(table))


if __name__ == "__main__":
    run(main)
