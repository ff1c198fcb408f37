"""Seconds and peak memory of the composite stage on a synthetic event.

``python benchmarks/composite.py --size 1024 --optical 26 --radar 40``
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "composite"))
from composite_raw_folder import write_event  # the same synthetic folders as in the tests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="pixels a side")
    parser.add_argument("--optical", type=int, default=26, help="acquisitions in both windows together")
    parser.add_argument("--radar", type=int, default=40, help="passes in both windows together")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = write_event(Path(name), size_px=args.size, optical=args.optical, radar=args.radar)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "skred.stages.composite", *paths.arguments()], check=True)
        seconds = time.perf_counter() - start
    # the stage is by far the largest child
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(f"{args.size}², {args.optical} optical, {args.radar} radar: {seconds:.1f} s, {peak_mib:.0f} MiB\n")


if __name__ == "__main__":
    main()
