"""Stage: scores of all cells -> one table, differences between them, and the curves of all cells in one file each."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from skred.core.json_file import write_json
from skred.core.params import read_section
from skred.detectors.model import read_card
from skred.scores.blocks import read_blocks
from skred.scores.comparison import at_common_unit, common_unit, compare_cells, optimism_table
from skred.scores.differences import Scored, compare_pairs, record
from skred.scores.files import labelled_history, read_history, read_scores, read_table, write_csv
from skred.scores.params import ScoreParams
from skred.scores.report import rounded
from skred.scores.seeds import Seed, merged, seed_entries
from skred.stages.run import run

CURVES = ("pr", "reliability", "sizes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="folders of scores, one per cell")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model folders, for learning curves")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file")
    parser.add_argument("--differences", type=Path, required=True, help="JSON file")
    parser.add_argument("--plots", type=Path, required=True, help="folder of CSV files, a figure each")
    args = parser.parse_args()
    params = read_section(args.params, "scores", ScoreParams)

    scores = {folder: read_scores(folder) for folder in args.scores}
    # Cells of a random split stand in the table only: in the curves they would look like their blocked partners.
    shown = [folder for folder, cell in scores.items() if cell["split"] != "random"]
    objects = {folder: read_table(folder / "objects.csv") for folder in scores}
    unit = common_unit([objects[folder] for folder in shown])
    cells = [
        at_common_unit(cell, unit, objects[folder], read_table(folder / "chance.csv"), params)
        for folder, cell in scores.items()
    ]
    table = compare_cells(cells)
    judged = {folder: Scored(scores[folder], read_blocks(folder)) for folder in shown}
    compared = compare_pairs(list(judged.values()), params)  # first: it refuses cells scored on other pixels
    at_unit = {folder: table[table["unit_px"] == unit] for folder, table in objects.items()}
    seeds = [Seed(cell, at_unit[folder]) for folder, cell in judged.items()]
    for (setting, detector), more in seed_entries(seeds, params).items():
        table[setting][detector] = merged(table[setting][detector], rounded(more))

    names = {scores[folder]["cell"] for folder in shown}
    cards = {folder: read_card(folder) for folder in args.models}
    histories = [
        labelled_history(card, read_history(folder / "history.csv"))
        for folder, card in cards.items()
        if card.cell in names
    ]
    plots = {name: pd.concat([read_table(folder / f"{name}.csv") for folder in shown]) for name in CURVES}
    differences = rounded(record(list(judged.values()), compared, params))
    # Everything is computed before anything is written, the metrics last: where they are new, all is.
    for name, curves in plots.items():
        write_csv(args.plots / f"{name}.csv", curves, "%.6f")
    write_csv(args.plots / "learning.csv", pd.concat(histories))
    write_csv(args.plots / "optimism.csv", optimism_table(table))
    write_json(args.differences, differences)
    write_json(args.metrics, table)


if __name__ == "__main__":
    run(main)
