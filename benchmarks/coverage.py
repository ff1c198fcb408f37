"""How often 95 % intervals hold the true score, on blocks drawn from this project's own counts per block.

    python benchmarks/coverage.py data/scores/full-unet data/scores/full-cart ...

The scored blocks of a cell (test and unseen) are taken for the whole world, whose score is known. From it blocks are
drawn with replacement, many times, and each kind of interval is made from them as `evaluate` does. Rows: MCC of each
cell, then each difference of MCC that `compare` takes between these cells. For each kind and number of blocks: the
share of intervals that hold the true score (0.95 is wanted), their median width, and the share of draws that give an
interval at all. Below, the same over all cells and over all differences: the worst and the median of these shares.
docs/scores.md quotes that table.

With `--tile 3` whole squares of three by three neighbouring blocks are drawn as they lie, so that neighbours stay as
alike as they are, and the studentised interval is made twice: as if blocks were independent, and widened for neighbours
(`skred.scores.blocks.nearby`) as the pipeline does.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from skred.scores.blocks import nearby, read_blocks
from skred.scores.bootstrap import Difference, Resamples, estimate
from skred.scores.differences import wanted_pairs
from skred.scores.files import read_scores
from skred.scores.statistics import PIXEL_SCORES

METHODS = ("percentile", "bca", "studentised")
OF_TILES = ("blocks alone", "with neighbours")


def single_blocks(world, keys, statistic, blocks, replicates, rng):
    """The intervals of one draw of blocks, by method."""
    drawn = world[rng.integers(0, len(world), blocks)]
    resamples = Resamples.draw(blocks, replicates, 1)
    return {method: estimate(drawn, statistic, resamples, method) for method in METHODS}


def whole_tiles(side):
    """The same of squares of `side` by `side` blocks, about as many as make the number of blocks."""

    def draw(world, keys, statistic, blocks, replicates, rng):
        tiles = list(keys.groupby(["event", keys["block_row"] // side, keys["block_col"] // side]).indices.values())
        chosen = rng.integers(0, len(tiles), max(2, round(blocks * len(tiles) / len(world))))
        lines = np.concatenate([tiles[i] for i in chosen])
        places = keys.iloc[lines].assign(scene=np.repeat(np.arange(len(chosen)), [len(tiles[i]) for i in chosen]))
        resamples, near = Resamples.draw(len(lines), replicates, 1), nearby(places, side)
        found = [estimate(world[lines], statistic, resamples, "studentised", nearby=n) for n in (None, near)]
        return dict(zip(OF_TILES, found, strict=True))

    return draw


def coverage(draw, world, keys, statistic, blocks, draws, replicates):
    """For each method: (share that holds the truth, median width, share of draws with an interval)."""
    truth, rng = float(statistic.value(world.sum(axis=0).astype(float))), np.random.default_rng(1)
    drawn = [draw(world, keys, statistic, blocks, replicates, rng) for _ in range(draws)]
    found = {method: [estimates[method] for estimates in drawn] for method in drawn[0]}
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
    parser.add_argument("--tile", type=int, help="draw squares of so many blocks a side")
    args = parser.parse_args()
    draw, methods = (whole_tiles(args.tile), OF_TILES) if args.tile else (single_blocks, METHODS)
    tables, keys = {}, None
    for folder in args.cells:
        cell = read_scores(folder)
        blocks = read_blocks(folder).of("test", "unseen")
        tables[cell["setting"], cell["detector"]] = blocks.pixels(cell["threshold"])
        keys = blocks.keys  # the same for all
    mcc = PIXEL_SCORES["mcc"]
    asked = [("cells", "-".join(pair), table, mcc) for pair, table in tables.items()]
    for one, other in wanted_pairs(list(tables)):
        both = np.hstack([tables[one], tables[other]])
        asked.append(("differences", f"{'-'.join(one)} minus {'-'.join(other)}", both, Difference(mcc, mcc, 4)))
    out = sys.stdout
    head = "| MCC of | blocks | " + " | ".join(methods) + " |\n|---|---:|" + "---|" * len(methods) + "\n"
    out.write(head)
    found = {}
    for kind, name, table, statistic in asked:
        for blocks in args.blocks:
            rows = coverage(draw, table, keys, statistic, blocks, args.draws, args.replicates)
            found.setdefault((kind, blocks), []).append(rows)
            cells = [f"{held:.2f} (width {width:.2f}, {given:.0%})" for held, width, given in rows.values()]
            out.write(f"| {name} | {blocks} | " + " | ".join(cells) + " |\n")
            out.flush()
    out.write("\nHeld: worst, median. Draws with an interval: fewest, median.\n\n" + head)
    for (kind, blocks), all_rows in found.items():
        cells = []
        for method in methods:
            held, _, given = np.array([rows[method] for rows in all_rows]).T
            cells.append(f"{np.nanmin(held):.2f}, {np.nanmedian(held):.2f} ({given.min():.0%}, {np.median(given):.0%})")
        out.write(f"| {len(all_rows)} {kind} | {blocks} | " + " | ".join(cells) + " |\n")


if __name__ == "__main__":
    main()
