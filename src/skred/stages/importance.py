"""Stage: one model and a folder of scenes -> how much the model leans on each band."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.params import read_section
from skred.core.raster import atomic
from skred.core.scenes import SceneFolder
from skred.detectors.model import load_model
from skred.scores.importance import band_importance
from skred.scores.params import ImportanceParams
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--scenes", type=Path, required=True, help="folder of scenes with labels")
    parser.add_argument("--out", type=Path, required=True, help="CSV file")
    args = parser.parse_args()
    params = read_section(args.params, "importance", ImportanceParams)
    model, card = load_model(args.model)
    table = band_importance(model, SceneFolder.open(args.scenes), card.threshold, params)
    with atomic(args.out) as temporary:
        table.assign(cell=card.cell, simulated=card.simulated).to_csv(temporary, index=False, float_format="%.6f")


if __name__ == "__main__":
    run(main)
