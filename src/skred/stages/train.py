"""Stage: patches -> one trained model (one cell)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skred.core.params import read_section
from skred.detectors.base import params_model
from skred.detectors.cells import Setting
from skred.detectors.train import Recipe, train_cell, with_seed
from skred.stages.run import run
from skred.tracking.live import training_run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--cell", required=True)
    parser.add_argument("--setting", required=True)
    parser.add_argument("--detector", required=True)
    parser.add_argument("--seed", type=int, help="instead of the one in the detector's section")
    parser.add_argument("--patches", type=Path, required=True)
    parser.add_argument("--scenes", type=Path, required=True, help="scenes that the patches were cut from")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    args = parser.parse_args()
    section = read_section(args.params, args.detector, params_model(args.detector))
    if args.seed is not None:
        section = with_seed(section, args.seed)
    recipe = Recipe(
        cell=args.cell,
        setting=args.setting,
        bands=read_section(args.params, f"settings.{args.setting}", Setting),
        detector=args.detector,
        params=section,
    )
    with training_run(args.cell) as tracked:

        def report(step: int, row: dict[str, float]) -> None:
            _print(step, row)
            tracked.step(step, row)

        card = train_cell(recipe, args.patches, args.scenes, args.out, report)
        tracked.trained(card)
    sys.stdout.write(f"{args.cell}: threshold {card.threshold:.3f}, validation {card.validation}\n")


def _print(step: int, row: dict[str, float]) -> None:
    sys.stdout.write(f"step {step}: " + ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "step") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run(main)
