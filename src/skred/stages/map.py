"""Stage: probabilities of one cell -> a folder of maps per event."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.params import read_section
from skred.core.scenes import SceneFolder
from skred.manifest import read_manifest
from skred.maps.make import Maker, make_maps
from skred.maps.params import MapParams
from skred.patches.store import PatchFolder
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True, help="params.yaml; the section map.polygons is read")
    parser.add_argument("--model", type=Path, required=True, help="model folder; its threshold is used")
    parser.add_argument("--probability", type=Path, required=True, help="one folder of rasters per event")
    parser.add_argument("--scenes", type=Path, nargs="+", required=True, help="folders of scenes")
    parser.add_argument("--raw", type=Path, nargs="*", default=[], help="folders of the download, for the images' days")
    parser.add_argument("--patches", type=Path, help="what the model was trained on, to say each polygon's split")
    parser.add_argument("--scores", type=Path, help="the model's scores, for its minimum mapping unit")
    parser.add_argument("--out", type=Path, required=True, help="gets one folder per event")
    args = parser.parse_args()

    maker = Maker.open(args.model, read_section(args.params, "map.polygons", MapParams), args.scores)
    manifests = {manifest.event: manifest for manifest in map(read_manifest, args.raw)}
    patches = None if args.patches is None else PatchFolder.open(args.patches)
    for folder in args.scenes:
        scenes = SceneFolder.open(folder)
        event = scenes.index.event
        make_maps(
            maker,
            scenes,
            args.probability / event,
            args.out / event,
            manifest=manifests.get(event),
            patches=patches if patches is not None and patches.about.event == event else None,
        )


if __name__ == "__main__":
    run(main)
