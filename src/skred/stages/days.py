"""Stage: scores of models on composites of the first days -> scores as a function of the days after the event."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.json_file import write_json
from skred.core.params import read_section
from skred.scores.comparison import at_common_unit
from skred.scores.days import days_curves, days_metrics, days_table, unit_of
from skred.scores.files import read_scores, read_table, write_csv
from skred.scores.params import ScoreParams
from skred.scores.table import read_comparison
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="folders of scores, one per cell and days"
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument(
        "--comparison", type=Path, required=True, help="JSON of all cells, for its minimum mapping unit"
    )
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file")
    parser.add_argument("--plot", type=Path, required=True, help="CSV file of the curves")
    args = parser.parse_args()
    params = read_section(args.params, "scores", ScoreParams)
    unit = unit_of(read_comparison(args.comparison))  # that of whole months: nobody can choose one on the day
    cells = [
        at_common_unit(
            read_scores(folder), unit, read_table(folder / "objects.csv"), read_table(folder / "chance.csv"), params
        )
        for folder in args.scores
    ]
    table = days_table(cells)
    write_csv(args.plot, days_curves(table))
    write_json(args.metrics, days_metrics(table))


if __name__ == "__main__":
    run(main)
