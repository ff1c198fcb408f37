"""Stage: one model and some folders of scenes -> a probability raster per scene."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.scenes import SceneFolder
from skred.detectors.predict import predict_scenes
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--scenes", type=Path, nargs="+", required=True, help="folders of scenes")
    parser.add_argument("--out", type=Path, required=True, help="gets one folder per event")
    args = parser.parse_args()
    for folder in args.scenes:
        predict_scenes(args.model, folder, args.out / SceneFolder.open(folder).index.event)


if __name__ == "__main__":
    run(main)
