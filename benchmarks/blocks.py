"""How large a block must be: how far labels and bands stay alike, and the error of a score by the size of its blocks.

    python benchmarks/blocks.py data --cell full-unet --minus full-unet full-cart

First, for each layer of `data/patches/develop/correlogram.csv`, the distance from which on it correlates by less than
0.1. Then the standard error of MCC on the test blocks and the unseen event together (linearised over blocks, as for
intervals) with blocks of several sizes: where it no longer grows, blocks are independent enough. The same of
differences (`--minus ONE OTHER`, as often as wanted), and by how much the pipeline widens intervals for neighbours
that are alike (`skred.scores.bootstrap.widening`). docs/scores.md quotes all.
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.core.scenes import SceneFolder
from skred.patches.correlogram import range_px
from skred.patches.store import PatchFolder
from skred.scores.blocks import nearby
from skred.scores.bootstrap import Difference, Resamples, Statistic, estimate, widening
from skred.scores.files import read_scores
from skred.scores.gather import blocks_of, gather
from skred.scores.statistics import PIXEL_SCORES

SIZES_PX = (32, 64, 96, 128, 192)
NEARBY = 3  # blocks, as `scores.nearby_blocks`


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder data of a pipeline that ran")
    parser.add_argument("--cell", nargs="+", default=["full-unet"])
    parser.add_argument("--minus", nargs=2, action="append", default=[], metavar=("ONE", "OTHER"))
    args = parser.parse_args()
    out = sys.stdout
    patches = PatchFolder.open(args.data / "patches" / "develop")
    divided, unseen = (SceneFolder.open(args.data / "composites" / event) for event in ("develop", "unseen"))
    metres = divided.grid(divided.names[0]).resolution_m
    out.write("| layer | correlates by less than 0.1 from (m) |\n|---|---:|\n")
    for layer, table in pd.read_csv(patches.path / "correlogram.csv").groupby("layer", sort=False):
        far = range_px(table.reset_index(drop=True))
        text = f"{far * metres:.0f}" if far is not None else f"beyond {table['distance_px'].max() * metres:.0f}"
        out.write(f"| {layer} | {text} |\n")

    @cache
    def counted(cell: str, size: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        threshold = read_scores(args.data / "scores" / cell)["threshold"]
        probability = args.data / "probability" / cell
        parts = gather(patches, divided, [unseen], probability, threshold, block_px=size, truths={})
        blocks = blocks_of(parts).of("test", "unseen")
        return blocks.keys, blocks.pixels(threshold)

    out.write("\n| score | side of a block (m) | blocks | MCC | standard error | widened by |\n")
    out.write("|---|---:|---:|---:|---:|---:|\n")
    mcc = PIXEL_SCORES["mcc"]
    wanted: list[tuple[str, list[str], Statistic]] = [(cell, [cell], mcc) for cell in args.cell]
    wanted += [(" minus ".join(pair), pair, Difference(mcc, mcc, 4)) for pair in args.minus]
    for name, cells, statistic in wanted:
        for size in SIZES_PX:
            keys, counts = counted(cells[0], size)[0], np.hstack([counted(cell, size)[1] for cell in cells])
            found = estimate(counts, statistic, Resamples.draw(len(counts), 199, 1), "studentised")
            wider = widening(statistic, counts, nearby(keys, NEARBY))
            numbers = f"{len(counts)} | {found.value:.3f} | {found.error:.3f} | {wider:.2f}"
            out.write(f"| {name} | {size * metres:.0f} | {numbers} |\n")


if __name__ == "__main__":
    main()
