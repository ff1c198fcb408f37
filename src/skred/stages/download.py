"""Stage `download`: the pixels of one event, from the real image service or the offline one.

`python -m skred.stages.download --params params.yaml --event data/events/X.yaml --store data/.store --out data/raw/X`,
for simulated events with `--truth FILE.tif`, for others with landslides `--inventory FILE.gpkg`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from skred.acquire.download import download
from skred.acquire.opening import image_service
from skred.acquire.params import DownloadParams
from skred.acquire.progress import Progress
from skred.acquire.store import Store
from skred.core.errors import InputError
from skred.core.events import Event, read_event
from skred.core.params import read_section
from skred.inventory import read_inventory, write_inventory
from skred.stages.run import run


def main() -> None:
    """Read the command line and fill the folder."""
    parser = argparse.ArgumentParser(prog="skred.stages.download", description="fetch the pixels of one event")
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--event", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--truth", type=Path, help="where to write the simulated world's truth")
    parser.add_argument("--inventory", type=Path, help="polygons of the landslides of a real event")
    arguments = parser.parse_args()
    event = read_event(arguments.event)
    params = read_section(arguments.params, "download", DownloadParams)
    if event.source == "simulated":
        _simulated(event, params, arguments)
    else:
        _real(event, params, arguments)


def _real(event: Event, params: DownloadParams, arguments: argparse.Namespace) -> None:
    if arguments.truth is not None:
        raise InputError(f"{arguments.event}: --truth is for simulated events; the truth of {event.name} is not known")
    # The inventory first: better to learn that it is wrong before anything is spent.
    frame = None
    if event.role != "control":
        frame = read_inventory(arguments.inventory, str(event.area.grid.crs), event.name)
    _download(event, params, arguments, None if frame is None else partial(write_inventory, frame=frame))


def _simulated(event: Event, params: DownloadParams, arguments: argparse.Namespace) -> None:
    # Imported here, so that a real download depends on no code of the world.
    from skred.acquire.truth import world_truth  # noqa: PLC0415

    if arguments.inventory is not None:
        raise InputError(f"{arguments.event}: --inventory is for real events; a simulated one brings its own")
    # The service builds its world in a process of its own; ours, for the truth, is built beside it and not after it.
    with ThreadPoolExecutor(1) as pool:
        truth = pool.submit(world_truth, event, arguments.params)

        def writer(path: Path) -> None:
            write_inventory(path, truth.result().inventory)

        _download(event, params, arguments, None if event.role == "control" else writer)
        if arguments.truth is not None:
            truth.result().write(arguments.truth)


def _download(
    event: Event,
    params: DownloadParams,
    arguments: argparse.Namespace,
    writer: Callable[[Path], None] | None,
) -> None:
    with image_service(arguments.event, event, arguments.params, params) as service:
        download(
            event,
            service,
            params,
            store=Store(arguments.store),
            out=arguments.out,
            write_inventory=writer,
            progress=Progress(event.name),
        )


if __name__ == "__main__":
    run(main)
