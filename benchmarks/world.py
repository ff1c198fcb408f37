"""Seconds to build a simulated place and to render passes of it, on one core.

``python benchmarks/world.py --size 1024`` on one core of a 2-core machine (processor time, best of three renders):
build 8.8 s; an optical pass 0.23 s before the storm and 0.25 s after; a radar pass 0.10 s.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from skred.core.events import Event, read_event
from skred.core.params import read_section
from skred.world.params import WorldParams
from skred.world.world import build_world

ROOT = Path(__file__).parents[1]
REPEATS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="pixels a side")
    args = parser.parse_args()
    table = read_event(ROOT / "data" / "events" / "develop.yaml").model_dump()
    table["area"] |= {"width_m": 10.0 * args.size, "height_m": 10.0 * args.size}
    table["simulation"] = {"seed": 730, "landslides": round(150 * (args.size / 1024) ** 2)}
    params = read_section(ROOT / "params.yaml", "world", WorldParams)
    start = time.process_time()
    world = build_world(params, Event.model_validate(table))
    lines = [f"build {time.process_time() - start:.2f} s (target 20)"]
    whole = world.grid.whole
    for sensor, render, target in (("S2", world.optical, 1.0), ("S1", world.radar, 0.5)):
        flown = [one for one in world.acquisitions() if one.sensor == sensor and one.footprint_share == 1]
        # The pass in the middle of the list, and the first after the event, whose landslides cost more.
        late = next(one for one in flown if one.day > world.event.date)
        for one in (flown[0], late):
            seconds = min(_timed(lambda one=one, render=render: render(one, whole)) for _ in range(REPEATS))
            lines.append(f"{sensor} {one.day}: {seconds:.2f} s (target {target:g})")
    sys.stdout.write(f"{args.size} x {args.size} pixels, processor seconds\n" + "\n".join(lines) + "\n")


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
