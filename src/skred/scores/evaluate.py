"""Scores of one cell from its probability rasters: each pixel once, through the split rasters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.patches.split import EIGHT, Split
from skred.patches.store import PatchFolder
from skred.scores.bins import predicted_positive
from skred.scores.gather import read_probability
from skred.scores.ranked import Ranked

Where = Callable[[str], NDArray[np.bool_] | None]  # scene -> the pixels that count, None for all


@dataclass(frozen=True)
class Tally:
    """What some scenes have: all labelled pixels, those that every setting could see, and alarm objects."""

    all: Ranked
    observable: Ranked
    area_km2: float  # of known pixels
    false_alarms: int  # connected predicted objects with known pixels, none of which is landslide

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            Ranked.join([self.all, other.all]),
            Ranked.join([self.observable, other.observable]),
            self.area_km2 + other.area_km2,
            self.false_alarms + other.false_alarms,
        )

    def scores(self, threshold: float) -> dict[str, Any]:
        """Scores by name, those of `observable` nested; None where the counts do not define one."""
        return {**_scores(self.all, threshold), "observable": _scores(self.observable, threshold)}

    def false_alarms_per_100km2(self) -> float | None:
        """None when no pixel is known."""
        return 100 * self.false_alarms / self.area_km2 if self.area_km2 else None


def _scores(pixels: Ranked, threshold: float) -> dict[str, Any]:
    return {
        **pixels.at(threshold).scores(),
        "auprc": pixels.auprc(),
        "pixels": pixels.pixels,
        "landslide_pixels": pixels.landslide_pixels,
    }


def tally(scenes: SceneFolder, probability: Path, threshold: float, where: Where = lambda scene: None) -> Tally:
    """The pixels of a folder of scenes against ``<probability>/<scene>.tif``.

    Raises
    ------
    InputError
        A probability raster is missing, has another size or place than its scene, or values outside 0 to 1.
    """
    every, observable, area_km2, alarms = [], [], 0.0, 0
    for scene, predicted, labels, chosen in _scenes(scenes, probability, where):
        every.append(Ranked.of(predicted, labels, chosen))
        observable.append(Ranked.of(predicted, labels, chosen & _seen_by_all(scenes, scene)))
        grid = scenes.grid(scene)
        area_km2 += int((chosen & (labels != UNKNOWN)).sum()) * grid.resolution_m**2 / 1e6
        alarms += _false_alarms(predicted_positive(predicted, threshold) & chosen, labels)
    return Tally(Ranked.join(every), Ranked.join(observable), area_km2, alarms)


def tally_against(truth: NDArray[np.uint8], scenes: SceneFolder, probability: Path, where: Where) -> Ranked:
    """Pixels of a one-scene folder against other labels: the simulated world's truth instead of the inventory."""
    return Ranked.join(
        [Ranked.of(predicted, truth, chosen) for _, predicted, _, chosen in _scenes(scenes, probability, where)]
    )


def pixels_of(patches: PatchFolder, code: Split) -> Where:
    """The pixels of one split, for `tally`."""
    return lambda scene: patches.split_raster(scene) == code


def _scenes(
    scenes: SceneFolder, probability: Path, where: Where
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_]]]:
    chosen = {scene: where(scene) for scene in scenes.names}
    wanted = [scene for scene, pixels in chosen.items() if pixels is None or pixels.any()]
    for scene, predicted, _, labels, _ in read_probability(scenes, probability, wanted):
        pixels = chosen[scene]
        yield scene, predicted, labels, np.ones(labels.shape, bool) if pixels is None else pixels


def _seen_by_all(scenes: SceneFolder, scene: str) -> NDArray[np.bool_]:
    sensors = {band.sensor for band in scenes.index.bands} & {"optical", "radar"}
    layers = [scenes.quality(scene, f"observable_{sensor}") > 0 for sensor in sorted(sensors)]
    return np.asarray(np.logical_and.reduce(layers)) if layers else np.ones(scenes.grid(scene).shape, bool)


def _false_alarms(predicted: NDArray[np.bool_], labels: NDArray[np.uint8]) -> int:
    objects, _ = ndimage.label(predicted, EIGHT)
    judged = np.unique(objects[predicted & (labels != UNKNOWN)])
    hits = np.unique(objects[predicted & (labels == LANDSLIDE)])
    return len(judged) - len(hits)
