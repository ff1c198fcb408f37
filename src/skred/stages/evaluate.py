"""Stage: probabilities of one cell -> its scores, counts per block, curves and figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.json_file import write_json
from skred.core.params import read_section
from skred.core.raster import atomic_folder
from skred.core.scenes import SceneFolder
from skred.detectors.model import read_card
from skred.patches.store import PatchFolder
from skred.scores.figures import draw_curve, draw_history, draw_map, draw_reliability, draw_sizes
from skred.scores.files import read_history, write_curve, write_tables
from skred.scores.params import ScoreParams
from skred.scores.report import evaluate_cell
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--probability", type=Path, required=True, help="one folder of rasters per event")
    parser.add_argument("--patches", type=Path, required=True, help="patches whose split rasters divide --scenes")
    parser.add_argument("--scenes", type=Path, required=True, help="scenes that are divided")
    parser.add_argument("--whole", type=Path, nargs="*", default=[], help="scenes of unseen and control events")
    parser.add_argument("--truth", type=Path, nargs="*", default=[], help="what really happened, simulated events only")
    parser.add_argument("--out", type=Path, required=True, help="folder of scores")
    args = parser.parse_args()

    params = read_section(args.params, "scores", ScoreParams)
    card = read_card(args.model)
    patches, scenes = PatchFolder.open(args.patches), SceneFolder.open(args.scenes)
    whole = [SceneFolder.open(folder) for folder in args.whole]
    truths = {path.stem: path for path in args.truth}
    evaluated = evaluate_cell(card, args.probability, patches, scenes, whole, truths, params)

    with atomic_folder(args.out) as building:
        write_json(building / "scores.json", evaluated.scores)
        write_curve(building / "pr.csv", card, evaluated.test)
        write_tables(building, card, evaluated)
        history = read_history(args.model / "history.csv")
        draw_curve(building / "pr.png", evaluated)
        draw_history(building / "learning.png", card, history)
        draw_reliability(building / "reliability.png", evaluated)
        if len(evaluated.objects.sizes):
            draw_sizes(building / "sizes.png", evaluated, params.overlap_share)
        shown = next((folder for folder in whole if folder.index.role == "unseen"), None)
        if shown is not None:
            draw_map(building / "map.png", card, shown, args.probability / shown.index.event)


if __name__ == "__main__":
    run(main)
