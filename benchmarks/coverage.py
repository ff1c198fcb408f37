"""How often 95 % intervals hold the true score, on blocks drawn from this project's own counts per block.

    python benchmarks/coverage.py data/scores/full-unet data/scores/full-cart ...

The scored blocks of a cell (test and unseen) are taken for the whole world, whose score is known. From it blocks are
drawn with replacement, many times, and each kind of interval is made from them as `evaluate` does. Rows: MCC of each
cell, then each difference of MCC that `compare` takes between these cells. For each kind and number of blocks: the
share of intervals that hold the true score (0.95 is wanted), their median width, and the share of draws that give an
interval at all. Below, the same over all cells and over all differences: the worst and the median of these shares.
docs/scores.md quotes that table.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from skred.scores.blocks import read_blocks
from skred.scores.bootstrap import Difference, Resamples, estimate
from skred.scores.differences import wanted_pairs
from skred.scores.files import read_scores
from skred.scores.statistics import PIXEL_SCORES

METHODS = ("percentile", "bca", "studentised")


def coverage(world, statistic, blocks, draws, replicates, seed):
    """For each method: (share that holds the truth, median width, share of draws with an interval)."""
    truth = float(statistic.value(world.sum(axis=0).astype(float)))
    resamples, rng = Resamples.draw(blocks, replicates, seed), np.random.default_rng(seed)
    found = {method: [] for method in METHODS}
    for _ in range(draws):
        drawn = world[rng.integers(0, len(world), blocks)]
        for method in METHODS:
            found[method].append(estimate(drawn, statistic, resamples, method))
    rows = {}
    for method, estimates in found.items():
        good = [e for e in estimates if np.isfinite(e.low)]
        held = np.mean([e.low <= truth <= e.high for e in good]) if good else np.nan
        rows[method] = held, np.median([e.high - e.low for e in good]) if good else np.nan, len(good) / draws
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path, nargs="+", help="folders of scores")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=499)
    parser.add_argument("--blocks", type=int, nargs="+", default=[10, 30, 100, 250])
    args = parser.parse_args()
    tables = {}
    for folder in args.cells:
        cell = read_scores(folder)
        blocks = read_blocks(folder).of("test", "unseen")
        tables[cell["setting"], cell["detector"]] = blocks.pixels(cell["threshold"])
    mcc = PIXEL_SCORES["mcc"]
    asked = [("cells", "-".join(pair), table, mcc) for pair, table in tables.items()]
    for one, other in wanted_pairs(list(tables)):
        both = np.hstack([tables[one], tables[other]])
        asked.append(("differences", f"{'-'.join(one)} minus {'-'.join(other)}", both, Difference(mcc, mcc, 4)))
    out = sys.stdout
    head = "| MCC of | blocks | " + " | ".join(METHODS) + " |\n|---|---:|" + "---|" * len(METHODS) + "\n"
    out.write(head)
    found = {}
    for kind, name, table, statistic in asked:
        for blocks in args.blocks:
            rows = coverage(table, statistic, blocks, args.draws, args.replicates, seed=1)
            found.setdefault((kind, blocks), []).append(rows)
            cells = [f"{held:.2f} (width {width:.2f}, {given:.0%})" for held, width, given in rows.values()]
            out.write(f"| {name} | {blocks} | " + " | ".join(cells) + " |\n")
            out.flush()
    out.write("\nHeld: worst, median. Draws with an interval: fewest, median.\n\n" + head)
    for (kind, blocks), all_rows in found.items():
        cells = []
        for method in METHODS:
            held, _, given = np.array([rows[method] for rows in all_rows]).T
            cells.append(f"{np.nanmin(held):.2f}, {np.nanmedian(held):.2f} ({given.min():.0%}, {np.median(given):.0%})")
        out.write(f"| {len(all_rows)} {kind} | {blocks} | " + " | ".join(cells) + " |\n")


if __name__ == "__main__":
    main()
