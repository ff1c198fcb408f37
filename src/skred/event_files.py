"""Make a new event's file, and the lines that let the pipeline run it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skred.core.errors import InputError
from skred.core.events import Event
from skred.core.params import parse
from skred.core.raster import atomic

_FILE = """\
# An event: what happened, where, when, and where its pixels come from.
name: {name}  # must be the name of this file
title: {title}
role: {role}  # develop: split into train, validation and test | unseen: never trained on | control: no landslides
source: {source}  # simulated: the offline image service renders it | sentinelhub: the real service, with an account
date: {date}  # day of the storm, UTC
pre:  # window of images before, first and last day included
  first: {pre_first}
  last: {pre_last}
post:  # and after
  first: {post_first}
  last: {post_last}
area:
  center_lonlat: [{lon:.12g}, {lat:.12g}]  # degrees, WGS84
  width_m: {size_m:.12g}  # metres, east to west
  height_m: {size_m:.12g}  # metres, north to south
  resolution_m: 10  # metres per pixel, UTM
"""
_SIMULATION = """\
simulation:
  seed: {seed}  # another seed is another place
  landslides: {landslides}  # that the storm triggers
"""


def new_event(
    *,
    name: str,
    title: str,
    role: str,
    source: str,
    date: dt.date,
    center_lonlat: tuple[float, float],
    size_m: float,
    window_days: int,
    simulation: Mapping[str, int],
) -> Event:
    """An event with equal windows on both sides of its day, which itself belongs to neither.

    Raises
    ------
    InputError
        Any value is out of range; the line names its key.
    """
    if window_days < 1:
        raise InputError(f"--window-days: got {window_days}, wanted at least 1")
    day, length = dt.timedelta(days=1), dt.timedelta(days=window_days)
    data: dict[str, Any] = {
        "name": name,
        "title": title,
        "role": role,
        "source": source,
        "date": date,
        "pre": {"first": date - length, "last": date - day},
        "post": {"first": date + day, "last": date + length},
        "area": {"center_lonlat": center_lonlat, "width_m": size_m, "height_m": size_m},
    }
    if source == "simulated":
        data["simulation"] = dict(simulation)
    return parse(Event, data, file=Path(f"{name}.yaml"))


def write_event(folder: Path, event: Event) -> Path:
    """Write `event` as a new file of `folder`, with its comments.

    Raises
    ------
    InputError
        There is such a file already: an event is never overwritten.
    """
    path = folder / f"{event.name}.yaml"
    if path.exists():
        raise InputError(f"{path}: is there already; edit it, or choose another name")
    lon, lat = event.area.center_lonlat
    text = _FILE.format(
        name=event.name,
        title=_quoted(event.title),
        role=event.role,
        source=event.source,
        date=event.date,
        pre_first=event.pre.first,
        pre_last=event.pre.last,
        post_first=event.post.first,
        post_last=event.post.last,
        lon=lon,
        lat=lat,
        size_m=event.area.width_m,
    )
    if event.simulation is not None:
        text += _SIMULATION.format(seed=event.simulation.seed, landslides=event.simulation.landslides)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def pipeline_lines(event: Event) -> str:
    """What a person adds to params.yaml and dvc.yaml so that the pipeline runs `event`."""
    name = event.name
    parts = []
    if event.source == "simulated":
        parts.append(f"params.yaml, under `simulated:`:\n  - {name}")
    else:
        parts.append(f"dvc.yaml, under `stages:` (as in experiments/jolster-2019/dvc.yaml):\n{_stages(event)}")
    if event.role == "develop":
        parts.append(
            f"params.yaml, under `patches:`:\n  {name}: {{scenes: {name}, split: blocks}}\n"
            f"and in dvc.yaml, stages train, predict and evaluate: data/composites/{name} in the place of "
            "data/composites/develop; cells then name these patches"
        )
    else:
        truth = ""
        if event.source == "simulated" and event.role == "unseen":
            truth = f",\n  to `--truth` of evaluate:                data/truth/{name}.tif (and to its deps)"
        parts.append(
            f"dvc.yaml, stages predict and evaluate, under `deps:`:\n        - data/composites/{name}\n"
            f"and in their `cmd:`\n  to `--scenes` of predict, `--whole` of evaluate: data/composites/{name}{truth}"
        )
    return "\n\n".join(parts)


def _stages(event: Event) -> str:
    name = event.name
    inventory = f" --inventory data/external/{name}/landslides.gpkg" if event.role != "control" else ""
    dep = f"\n      - data/external/{name}/landslides.gpkg" if event.role != "control" else ""
    return f"""\
  download-{name}:
    cmd: >-
      python -m skred.stages.download --params params.yaml --event data/events/{name}.yaml --store data/.store
      --out data/raw/{name}{inventory}
    deps:
      - data/events/{name}.yaml{dep}
      - ${{src}}/acquire
      - ${{src}}/core
      - ${{src}}/inventory.py
      - ${{src}}/manifest.py
      - ${{src}}/stages/download.py
      - ${{src}}/stages/run.py
    params:
      - download
    outs:
      - data/raw/{name}

  composite-{name}:
    cmd: >-
      python -m skred.stages.composite --params params.yaml --event data/events/{name}.yaml --raw data/raw/{name}
      --out data/composites/{name}
    deps:
      - data/events/{name}.yaml
      - data/raw/{name}
      - requirements.txt
      - ${{src}}/coding.py
      - ${{src}}/composite
      - ${{src}}/core
      - ${{src}}/inventory.py
      - ${{src}}/manifest.py
      - ${{src}}/stages/composite.py
      - ${{src}}/stages/run.py
    params:
      - composite
    outs:
      - data/composites/{name}"""
