"""Stage composite: a raw folder to a folder of one scene.

``python -m skred.stages.composite --params params.yaml --event data/events/X.yaml --raw data/raw/X
--out data/composites/X``
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from skred.composite.build import build
from skred.composite.params import CompositeParams
from skred.core.bands import EVENT_BANDS
from skred.core.events import read_event
from skred.core.params import read_section
from skred.core.scenes import SceneEntry, SceneIndex, write_index, write_scene
from skred.stages.run import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="skred.stages.composite", description="Raw acquisitions to one scene.")
    parser.add_argument("--params", type=Path, required=True, help="params.yaml; the section composite is read")
    parser.add_argument("--event", type=Path, required=True, help="the event's file, data/events/<event>.yaml")
    parser.add_argument("--raw", type=Path, required=True, help="folder of the download stage")
    parser.add_argument("--out", type=Path, required=True, help="folder to make; an old one is replaced")
    parser.add_argument("--post-days", type=int, help="only passes until so many days after the event")
    parser.add_argument("--without-inventory", action="store_true", help="nobody has mapped the landslides yet")
    args = parser.parse_args()
    composite(args.params, args.event, args.raw, args.out, args.post_days, mapped=not args.without_inventory)


def composite(
    params_file: Path, event_file: Path, raw: Path, out: Path, post_days: int | None = None, *, mapped: bool = True
) -> None:
    """Make the folder `out`, whole or not at all. Raises as `skred.composite.build.build`."""
    params = read_section(params_file, "composite", CompositeParams)
    event = read_event(event_file)
    scene = build(event, raw, params, post_days=post_days, mapped=mapped)
    for warning in scene.warnings:
        sys.stderr.write(f"skred: {warning}\n")
    unfinished = out.with_name(f".{out.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
    try:
        write_scene(
            unfinished,
            event.name,
            grid=scene.grid,
            bands=EVENT_BANDS,
            values=scene.values,
            quality=scene.quality,
            labels=scene.labels,
            tags={"event": event.name, "simulated": "yes" if scene.simulated else "no"},
        )
        index = SceneIndex(
            event=event.name,
            role=event.role,
            simulated=scene.simulated,
            bands=EVENT_BANDS,
            scenes=(SceneEntry(name=event.name),),
            about=scene.about if post_days is None else {**scene.about, "post_days": post_days},
        )
        write_index(unfinished, index)
        if out.exists():
            shutil.rmtree(out)
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    run(main)
