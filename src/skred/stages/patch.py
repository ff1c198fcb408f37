"""Stage: folder of scenes -> folder of patches."""

from __future__ import annotations

import argparse
from pathlib import Path

from skred.core.params import read_section
from skred.patches.make import make_patches
from skred.patches.params import PatchParams
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--scenes", type=Path, required=True, help="folder of scenes")
    parser.add_argument("--split", choices=("blocks", "random", "scenes"), required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of patches")
    args = parser.parse_args()
    make_patches(args.scenes, args.split, read_section(args.params, "patch", PatchParams), args.out)


if __name__ == "__main__":
    run(main)
