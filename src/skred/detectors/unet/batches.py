"""Batches for training: which windows, which crop of them, turned and flipped how; all by seed."""

from __future__ import annotations

import math

import keras
import numpy as np
from numpy.typing import NDArray

from skred.core.scenes import LANDSLIDE, UNKNOWN
from skred.detectors.training import Training
from skred.detectors.unet.params import Params


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras ships no types
    """Random windows of the training patches, `windows_per_epoch` an epoch; epoch and batch number fix the draw.

    A share `landslide_share` of each batch is drawn from the windows that hold a landslide, the rest from all.
    """

    def __init__(self, training: Training, params: Params) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._params = params
        self._inputs = training.inputs
        self._x = training.patches.x(training.inputs.names)
        self._y = training.patches.y()
        self._rows = training.patches.rows("train")
        shares = training.patches.index["landslide_share"].to_numpy()[self._rows]
        self._with_landslide = self._rows[shares > 0]
        self.epoch = 0

    def __len__(self) -> int:
        return math.ceil(self._params.windows_per_epoch / self._params.batch)

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        p = self._params
        rng = np.random.default_rng([p.seed, self.epoch, number])
        from_landslides = round(p.landslide_share * p.batch) if len(self._with_landslide) else 0
        rows = (
            np.concatenate(
                [rng.choice(self._with_landslide, from_landslides), rng.choice(self._rows, p.batch - from_landslides)]
            )
            if from_landslides
            else rng.choice(self._rows, p.batch)
        )
        x, y = zip(*(self._one(int(row), rng) for row in rows), strict=True)
        return np.stack(x), np.stack(y)

    def on_epoch_end(self) -> None:
        self.epoch += 1

    def _one(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        height, width = self._y.shape[1:]
        size = min(self._params.crop_px, height, width)
        top, left = rng.integers(height - size + 1), rng.integers(width - size + 1)
        cut = (row, slice(top, top + size), slice(left, left + size))
        x, y = self._inputs.encode([band[cut] for band in self._x]), _target(self._y[cut])
        if not self._params.augment:
            return x, y
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        return _turned(x, turns, flip), _turned(y, turns, flip)


def _target(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 2): 1 where landslide, 1 where known."""
    return np.stack([labels == LANDSLIDE, labels != UNKNOWN], axis=-1).astype(np.float32)


def _turned(array: NDArray[np.float32], turns: int, flip: bool) -> NDArray[np.float32]:
    turned = np.rot90(array, turns)
    return np.ascontiguousarray(turned[:, ::-1] if flip else turned)
