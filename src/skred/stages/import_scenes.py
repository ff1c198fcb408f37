"""Stage: folder of images and masks -> folder of scenes, by a band table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skred.importing import import_scenes
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="band table")
    parser.add_argument("--source", type=Path, required=True, help="folder of images and masks")
    parser.add_argument("--out", type=Path, required=True, help="folder of scenes")
    args = parser.parse_args()
    index = import_scenes(args.table, args.source, args.out)
    sys.stdout.write(f"{args.out}: {len(index.scenes)} scenes, bands {', '.join(band.name for band in index.bands)}\n")


if __name__ == "__main__":
    run(main)
