"""How large a block must be: how far labels and bands stay alike, and the error of a score by the size of its blocks.

    python benchmarks/blocks.py data --cell full-unet

First, for each layer of `data/patches/develop/correlogram.csv`, the distance from which on it correlates by less than
0.1. Then the standard error of MCC on the test blocks and the unseen event together (linearised over blocks, as for
intervals) with blocks of several sizes: where it no longer grows, blocks are independent enough. docs/scores.md quotes
both.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from skred.core.scenes import SceneFolder
from skred.patches.correlogram import range_px
from skred.patches.store import PatchFolder
from skred.scores.bootstrap import Resamples, estimate
from skred.scores.files import read_scores
from skred.scores.gather import blocks_of, gather
from skred.scores.statistics import PIXEL_SCORES

SIZES_PX = (32, 64, 96, 128, 192)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder data of a pipeline that ran")
    parser.add_argument("--cell", nargs="+", default=["full-unet"])
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
    out.write("\n| cell | side of a block (m) | blocks | MCC | standard error |\n|---|---:|---:|---:|---:|\n")
    for cell in args.cell:
        threshold = read_scores(args.data / "scores" / cell)["threshold"]
        for size in SIZES_PX:
            parts = gather(
                patches, divided, [unseen], args.data / "probability" / cell, threshold, block_px=size, truths={}
            )
            counts = blocks_of(parts).of("test", "unseen").pixels(threshold)
            found = estimate(counts, PIXEL_SCORES["mcc"], Resamples.draw(len(counts), 199, 1), "studentised")
            out.write(f"| {cell} | {size * metres:.0f} | {len(counts)} | {found.value:.3f} | {found.error:.3f} |\n")


if __name__ == "__main__":
    main()
