"""Everything for a new event with an existing model, from download to polygons: what a duty officer runs.

The steps are the pipeline's own stages, started as DVC starts them, so a map made here is the map that it would make.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.bands import EVENT_BANDS, Band
from skred.core.errors import InputError, NoImageError
from skred.core.events import Event, read_event
from skred.core.grid import Grid
from skred.core.json_file import read_json
from skred.core.params import read_section
from skred.core.raster import atomic_folder
from skred.core.scenes import QUALITY_LAYERS, UNKNOWN, SceneEntry, SceneFolder, SceneIndex, write_index, write_scene
from skred.detectors.model import read_card
from skred.maps.caveats import errs, learnt_from, misses
from skred.maps.make import Maker
from skred.maps.params import MapParams

PARTS = ("raw", "composites", "probability", "maps")  # what is made, the map last
SENSORS = {"optical": "Sentinel-2 (optical)", "radar": "Sentinel-1 (radar)"}


@dataclass(frozen=True)
class Detection:
    """What came of it: the numbers of the map (``summary.json``) and the folder with its files."""

    summary: dict[str, Any]
    folder: Path
    missing: tuple[str, ...] = ()  # sensors that the model does not read, and that saw nothing of the event

    def lines(self) -> list[str]:
        """For a person: what was found, how much could be seen, where the files are."""
        s = self.summary
        kind = " (SIMULATED pixels)" if s["simulated"] else ""
        files = sorted(file for file in self.folder.iterdir() if file.suffix in (".gpkg", ".geojson", ".tif", ".json"))
        if s["seen_share"] == 0 and not s["landslides"]:
            told = [f"{s['event']}: no usable image{kind}. Whether anything slid cannot be said."]
        else:
            found = (
                f"{s['event']}{kind}: {s['landslides']} detections, "
                f"{s['landslide_area_m2'] / 1e4:.1f} ha of detected area, by {s['cell']}; "
                f"{100 * s['observable_share']:.0f} % of {s['area_km2']:.0f} km² was observable."
            )
            if self.missing:
                found += f" Without {_words(self.missing)}: there was no usable image of it before and after."
            told = [found, errs(s), misses(s), learnt_from(s)]
        return [*told, *(f"  {file}" for file in files)]


def detect(event_file: Path, model: Path, out: Path, *, params: Path, store: Path, scores: Path | None) -> Detection:
    """Download, composite, predict and map an event into `out`. No inventory is asked for.

    A sensor without any usable image is left out when the model does not read it. What an earlier run made in `out`
    is replaced when everything is there, and stays when a step fails.

    Parameters
    ----------
    scores
        The model's folder of scores, for the minimum mapping unit that was chosen on validation; None: the parameter
        must say it.

    Raises
    ------
    InputError
        The event or the model is not what it should be.
    NoImageError
        A sensor that the model reads saw nothing, another one did: names the models that can be used instead.
    SystemExit
        A step failed; it has said why. What was fetched stays in `store`.
    """
    event = read_event(event_file)
    # Whatever is wrong with the model is told before anything is fetched.
    cell = Maker.open(model, read_section(params, "map.polygons", MapParams), scores).card.cell
    # Beside their later places, and as deep: the map's links to the model are relative.
    parts = {name: out / f".{name}.new" for name in PARTS}
    try:
        missing = _make(event, event_file, model, parts, params=params, store=store, scores=scores)
        for name, new in parts.items():
            _swap(new, out / name)
    finally:
        for new in parts.values():
            shutil.rmtree(new, ignore_errors=True)
    folder = out / "maps" / event.name
    summary = next(s for s in read_json(folder / "summary.json", "run it again") if s["cell"] == cell)
    return Detection(summary, folder, missing)


def _make(
    event: Event,
    event_file: Path,
    model: Path,
    parts: dict[str, Path],
    *,
    params: Path,
    store: Path,
    scores: Path | None,
) -> tuple[str, ...]:
    """Fill the folders `parts`; returns the sensors that saw nothing."""
    for new in parts.values():  # of a run that was killed
        shutil.rmtree(new, ignore_errors=True)
    raw, scenes, probability, maps = (parts[name] for name in PARTS)
    told = ["--raw", str(raw)]
    common = ["--params", str(params), "--event", str(event_file)]
    try:
        kept = ["--store", str(store), "--out", str(raw)]
        _step(1, "download", *common, *kept, "--without-inventory", "--any-sensor")
        _step(2, "composite", *common, "--raw", str(raw), "--out", str(scenes), "--without-inventory")
    except NoImageError:
        # The stage has said which images are missing. The map of it is empty, and says that nothing was seen.
        _write_unseen(event, scenes)
        told = []
    missing = _unseen_sensors(scenes)
    if len(missing) < len(SENSORS):
        _check_readable(model, missing, event.name)
    elif told:
        # Some bands may be known of one window alone, such as colours after the event: a model would draw on them.
        blank(scenes)
        told = []
    _step(3, "predict", "--model", str(model), "--scenes", str(scenes), "--out", str(probability))
    unit = [] if scores is None else ["--scores", str(scores)]
    where = ["--model", str(model), "--probability", str(probability), "--scenes", str(scenes)]
    _step(4, "map", "--params", str(params), *where, *told, *unit, "--out", str(maps))
    return missing


def _swap(new: Path, path: Path) -> None:
    """Put the folder `new` in the place of `path`; without it `path` only goes."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.is_dir():
        path.rename(old)
    if new.is_dir():
        new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _unseen_sensors(scenes: Path) -> tuple[str, ...]:
    """The sensors that saw no pixel before and after the event."""
    folder = SceneFolder.open(scenes)
    return tuple(
        sensor
        for sensor in SENSORS
        if not any(folder.quality(scene, f"observable_{sensor}").any() for scene in folder.names)
    )


def _check_readable(model: Path, missing: tuple[str, ...], event: str) -> None:
    """Raises NoImageError when the model reads one of the `missing` sensors, which it has learnt to rely on."""
    lacking = tuple(sensor for sensor in missing if sensor in read_card(model).inputs.sensors)
    if not lacking:
        return
    cards = sorted(model.parent.glob("*/model.json"))
    others = [str(card.parent) for card in cards if not set(missing) & set(read_card(card.parent).inputs.sensors)]
    instead = f"use a model without it: {', '.join(others)}" if others else "train a model without it, or wait"
    raise NoImageError(
        f"event {event}: no usable image of {_words(lacking)} before and after it, which {model} reads; {instead}"
    )


def _words(sensors: tuple[str, ...]) -> str:
    return " and ".join(SENSORS[sensor] for sensor in sensors)


def _step(number: int, stage: str, *arguments: str) -> None:
    sys.stderr.write(f"skred: step {number} of 4, {stage}\n")
    sys.stderr.flush()
    done = subprocess.run([sys.executable, "-m", f"skred.stages.{stage}", *arguments], check=False)
    if done.returncode == NoImageError.exit_code:
        raise NoImageError(f"{stage}: no image")
    if done.returncode:
        raise SystemExit(done.returncode)


def blank(scenes: Path) -> None:
    """Make every band of a folder of scenes unknown; its quality layers, which say why, stay."""
    folder = SceneFolder.open(scenes)
    for scene in folder.names:
        grid = folder.grid(scene)
        _write_blank(
            scenes,
            scene,
            grid,
            folder.index.bands,
            np.stack([folder.quality(scene, name) for name in QUALITY_LAYERS]),
            simulated=folder.index.simulated,
        )


def _write_unseen(event: Event, out: Path) -> None:
    """A folder of scenes without any image."""
    grid = event.area.grid
    if grid.crs is None:
        raise InputError(f"event {event.name}: its area has no CRS")
    simulated = event.source == "simulated"
    nothing = np.zeros((len(QUALITY_LAYERS), *grid.shape), np.uint8)
    with atomic_folder(out) as building:
        _write_blank(building, event.name, grid, EVENT_BANDS, nothing, simulated=simulated)
        days = {
            name: {"first": window.first.isoformat(), "last": window.last.isoformat(), "optical_looks": 0}
            for name, window in (("pre", event.pre), ("post", event.post))
        }
        index = SceneIndex(
            event=event.name,
            role=event.role,
            simulated=simulated,
            bands=EVENT_BANDS,
            scenes=(SceneEntry(name=event.name),),
            about={"title": event.title, "date": event.date.isoformat(), "source": event.source, **days},
        )
        write_index(building, index)


def _write_blank(
    folder: Path, scene: str, grid: Grid, bands: tuple[Band, ...], quality: NDArray[np.uint8], *, simulated: bool
) -> None:
    write_scene(
        folder,
        scene,
        grid=grid,
        bands=bands,
        values=np.full((len(bands), *grid.shape), np.nan, np.float32),
        quality=quality,
        labels=np.full(grid.shape, UNKNOWN, np.uint8),
        tags={"event": scene, "simulated": "yes" if simulated else "no"},
    )
