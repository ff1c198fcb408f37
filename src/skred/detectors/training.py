"""What a detector learns from, and the validation pixels on which everything is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.scenes import LANDSLIDE, UNKNOWN, SceneFolder
from skred.detectors.base import Detector, Sliding
from skred.detectors.inputs import Inputs
from skred.detectors.model import sweep
from skred.patches.split import Split
from skred.patches.store import PatchFolder
from skred.scores.bins import EMPTY, BinCounts, count_bins

Report = Callable[[int, dict[str, float]], None]  # step number, values: called while training goes on


@dataclass(frozen=True)
class _Scene:
    channels: NDArray[np.float32]  # (H, W, C)
    seen: NDArray[np.bool_]  # (H, W), where there is an image
    labels: NDArray[np.uint8]  # (H, W), 0, 1 or unknown
    where: NDArray[np.bool_]  # (H, W), validation pixels


@dataclass(frozen=True)
class Validation:
    """The validation pixels of the whole scenes. Best epoch, best depth and threshold are chosen on the same pixels,
    predicted as `predict` does: windows would hide landslides that cross a border of a block."""

    scenes: tuple[_Scene, ...]

    @classmethod
    def open(cls, patches: PatchFolder, scenes: SceneFolder, inputs: Inputs) -> Validation:
        """The validation pixels of `patches`, read from the scenes that they were cut from.

        Raises
        ------
        InputError
            There is no landslide among them: nothing could be chosen.
        """
        held = []
        for scene in patches.about.scenes:
            where = patches.split_raster(scene) == Split.VAL
            if where.any():
                values = list(scenes.bands(scene, inputs.names))
                held.append(_Scene(inputs.encode(values), inputs.has_image(values), scenes.labels(scene), where))
        if not any(((s.labels == LANDSLIDE) & s.where).any() for s in held):
            raise InputError(f"{patches.path}: no landslide among the validation pixels; use another patch.seed")
        return cls(tuple(held))

    def counts(self, detector: Detector, sliding: Sliding) -> BinCounts:
        """Counts of the validation pixels by probability, each pixel once."""
        counts = EMPTY
        for scene in self.scenes:
            probability = sweep(detector, sliding, scene.channels, scene.where)
            counts += count_bins(np.where(scene.seen, probability, np.float32(0.0)), scene.labels, scene.where)
        return counts

    def pixels(
        self, features: Features | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_]]:
        """For detectors that judge pixel by pixel: channels (P, C), or `features` of them, labels (P,) and whether
        there is an image (P,): where there is none the probability is 0. Unknown labels are left out."""
        x, y, seen = [], [], []
        for scene in self.scenes:
            known = scene.where & (scene.labels != UNKNOWN)
            channels = scene.channels if features is None else features(scene.channels[None])[0]
            x.append(channels[known])
            y.append((scene.labels[known] == LANDSLIDE).astype(np.uint8))
            seen.append(scene.seen[known])
        return np.concatenate(x), np.concatenate(y), np.concatenate(seen)


Features = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (N, H, W, C) -> (N, H, W, F)


@dataclass(frozen=True)
class Training:
    """What a detector learns from, what it chooses on, and whom it tells of each step."""

    patches: PatchFolder
    inputs: Inputs
    validation: Validation
    report: Report

    def encoded(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Channels of patches, shape (len(rows), H, W, channels)."""
        return self.inputs.encode([band[rows] for band in self.patches.x(self.inputs.names)])

    def labelled(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The labelled pixels of patches, each place once, shape (len(rows), H, W)."""
        known: NDArray[np.bool_] = self.patches.distinct_pixels(rows) & (self.patches.y()[rows] != UNKNOWN)
        return known

    def pixels(self, features: Features | None = None) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Channels (P, C), or `features` of them, and labels (P,) of the labelled training pixels, each once."""
        rows = self.patches.rows("train")
        known, x = self.labelled(rows), self.encoded(rows)
        y = (self.patches.y()[rows][known] == LANDSLIDE).astype(np.uint8)
        return (x if features is None else features(x))[known], y
