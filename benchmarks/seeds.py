"""How often a difference between detectors is called real where there is none, with a few training seeds.

    python benchmarks/seeds.py data/scores/full-unet --runs 400

Blocks are drawn from the counts per block of a cell (test and unseen). Each seed of a detector loses some of its true
positives and gains them as misses, by a share drawn anew for each seed, so that seeds differ and detectors do not. For
each spread over seeds and number of seeds: the share of 95 % intervals of the difference that hold 0, and the shares of
p below 0.05 and below 0.005 (what the correction for ten comparisons asks of the first). docs/scores.md quotes it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from skred.scores.blocks import read_blocks
from skred.scores.bootstrap import Difference, Mean, OtherError, Resamples, estimate
from skred.scores.files import read_scores
from skred.scores.statistics import PIXEL_SCORES

MCC = PIXEL_SCORES["mcc"]


def one_seed(drawn, lost, rng):
    """The counts (tp, fp, fn, tn) of each block with a share `lost` of the true positives missed, at random pixels."""
    missed = rng.binomial(drawn[:, 0], lost)
    return drawn + missed[:, None] * np.array([-1, 0, 1, 0])


def draw_losses(rng, spread, n):
    return np.clip(rng.normal(0.35, spread, n), 0, 0.95)


def equal_loss(world, spread):
    """The loss at which one detector without seeds has the MCC that seeds of this spread have on average."""
    rng, losses = np.random.default_rng(2), np.linspace(0, 0.95, 96)
    curve = [mcc_of(world + np.outer(world[:, 0] * loss, [-1, 0, 1, 0])) for loss in losses]
    mean = np.interp(draw_losses(rng, spread, 100_000), losses, curve).mean()
    return float(np.interp(-mean, -np.array(curve), losses))


def mcc_of(table):
    return float(MCC.value(table.sum(axis=0).astype(float)))


def run(world, seeds, spread, runs, replicates):
    """(share of intervals that hold 0, p < 0.05, p < 0.005, standard deviation of MCC over seeds)."""
    rng, resamples = np.random.default_rng(1), Resamples.draw(len(world), replicates, 1)
    fixed = equal_loss(world, spread)
    held, small, tiny, sd = [], [], [], []
    for _ in range(runs):
        drawn = world[rng.integers(0, len(world), len(world))]
        losses = [[fixed] if n == 1 else draw_losses(rng, spread, n) for n in seeds]  # one alone: as CART, no seeds
        groups = [[one_seed(drawn, loss, rng) for loss in group] for group in losses]
        each = [[mcc_of(table) for table in group] for group in groups]
        statistic = Difference(Mean(MCC, seeds[0]), Mean(MCC, seeds[1]), 4 * seeds[0])
        tables = np.hstack([table for group in groups for table in group])
        found = estimate(tables, statistic, resamples, "studentised", other=OtherError.of_means(each))
        if np.isfinite(found.p):
            held.append(found.low <= 0 <= found.high)
            small.append(found.p < 0.05)
            tiny.append(found.p < 0.005)
            sd.append(np.std(each[0], ddof=1))
    return np.mean(held), np.mean(small), np.mean(tiny), np.mean(sd)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cell", type=Path, help="folder of scores")
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=999)
    args = parser.parse_args()
    blocks = read_blocks(args.cell).of("test", "unseen")
    world = blocks.pixels(read_scores(args.cell)["threshold"])
    out = sys.stdout
    out.write("| seeds | spread of MCC over seeds | intervals that hold 0 | p < 0.05 | p < 0.005 |\n")
    out.write("|---|---:|---:|---:|---:|\n")
    for seeds in ((5, 1), (5, 5)):
        for spread in (0.0, 0.08, 0.2):
            held, small, tiny, sd = run(world, seeds, spread, args.runs, args.replicates)
            out.write(f"| {seeds[0]} against {seeds[1]} | {sd:.3f} | {held:.3f} | {small:.3f} | {tiny:.3f} |\n")
            out.flush()


if __name__ == "__main__":
    main()
