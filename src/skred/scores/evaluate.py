"""Scores of one cell from its probability rasters: each pixel once, through the split rasters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.errors import InputError
from skred.core.raster import read_raster
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.patches.split import EIGHT, Split
from skred.patches.store import PatchFolder
from skred.scores.bins import EMPTY, BinCounts, count_bins, predicted_positive

Where = Callable[[str], NDArray[np.bool_] | None]  # scene -> the pixels that count, None for all


@dataclass(frozen=True)
class Tally:
    """Counts over some scenes: all labelled pixels, those that every setting could see, and alarm objects."""

    all: BinCounts
    observable: BinCounts
    area_km2: float  # of known pixels
    false_alarms: int  # connected predicted objects with known pixels, none of which is landslide

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.all + other.all,
            self.observable + other.observable,
            self.area_km2 + other.area_km2,
            self.false_alarms + other.false_alarms,
        )

    def scores(self, threshold: float) -> dict[str, Any]:
        """Scores by name, those of `observable` nested; None where the counts do not define one."""
        return {**_scores(self.all, threshold), "observable": _scores(self.observable, threshold)}

    def false_alarms_per_100km2(self) -> float | None:
        """None when no pixel is known."""
        return 100 * self.false_alarms / self.area_km2 if self.area_km2 else None


def _scores(counts: BinCounts, threshold: float) -> dict[str, Any]:
    table = counts.at(threshold)
    return {
        **table.scores(),
        "auprc": counts.auprc(),
        "pixels": counts.pixels,
        "landslide_pixels": int(counts.positive.sum()),
    }


def tally(scenes: SceneFolder, probability: Path, threshold: float, where: Where = lambda scene: None) -> Tally:
    """Count the pixels of a folder of scenes against ``<probability>/<scene>.tif``.

    Raises
    ------
    InputError
        A probability raster has another size or place than its scene.
    SkredError
        A probability raster is missing.
    """
    every, observable, area_km2, alarms = EMPTY, EMPTY, 0.0, 0
    for scene, predicted, labels, chosen in _scenes(scenes, probability, where):
        every += count_bins(predicted, labels, chosen)
        observable += count_bins(predicted, labels, chosen & _seen_by_all(scenes, scene))
        grid = scenes.grid(scene)
        area_km2 += int((chosen & (labels != UNKNOWN)).sum()) * grid.resolution_m**2 / 1e6
        alarms += _false_alarms(predicted_positive(predicted, threshold) & chosen, labels)
    return Tally(every, observable, area_km2, alarms)


def tally_against(truth: NDArray[np.uint8], scenes: SceneFolder, probability: Path, where: Where) -> BinCounts:
    """Counts of a one-scene folder against other labels: the simulated world's truth instead of the inventory."""
    counts = EMPTY
    for _, predicted, _, chosen in _scenes(scenes, probability, where):
        counts += count_bins(predicted, truth, chosen)
    return counts


def pixels_of(patches: PatchFolder, code: Split) -> Where:
    """The pixels of one split, for `tally`."""
    return lambda scene: patches.split_raster(scene) == code


def _scenes(
    scenes: SceneFolder, probability: Path, where: Where
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_]]]:
    for scene in scenes.names:
        chosen = where(scene)
        if chosen is not None and not chosen.any():
            continue
        raster = read_raster(probability / f"{scene}.tif")
        labels = scenes.labels(scene)
        if raster.grid != scenes.grid(scene):
            raise InputError(f"{probability / scene}.tif: lies on another grid than the scene; predict it again")
        if np.isnan(raster.array).any():
            raise InputError(f"{probability / scene}.tif: holds NaN; `skred predict` gives every pixel a number")
        yield scene, raster.array[0], labels, np.ones(labels.shape, bool) if chosen is None else chosen


def _seen_by_all(scenes: SceneFolder, scene: str) -> NDArray[np.bool_]:
    sensors = {band.sensor for band in scenes.index.bands} & {"optical", "radar"}
    layers = [scenes.quality(scene, f"observable_{sensor}") > 0 for sensor in sorted(sensors)]
    return np.asarray(np.logical_and.reduce(layers)) if layers else np.ones(scenes.grid(scene).shape, bool)


def _false_alarms(predicted: NDArray[np.bool_], labels: NDArray[np.uint8]) -> int:
    objects, _ = ndimage.label(predicted, EIGHT)
    judged = np.unique(objects[predicted & (labels != UNKNOWN)])
    hits = np.unique(objects[predicted & (labels == LANDSLIDE)])
    return len(judged) - len(hits)
