"""What every detector is shown: normalised bands, and one validity channel per sensor.

The same encoding serves the U-Net and the tree, so that they differ in one thing: how they learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.bands import SENSORS, Band, Sensor, band_names
from skred.core.params import Section


class Inputs(Section):
    """The bands of a setting, with the mean and standard deviation of each over the training pixels.

    Bands are clipped to their `Band.clip` range first. Values that are NaN become the training mean, which is 0 after
    normalisation; the validity channel of their sensor says that they were unknown.
    """

    bands: tuple[Band, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return band_names(self.bands)

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """Sensors among the bands, in the order of their validity channels."""
        return tuple(sensor for sensor in SENSORS if any(band.sensor == sensor for band in self.bands))

    @property
    def channels(self) -> int:
        """Channels after encoding."""
        return len(self.bands) + len(self.sensors)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels after encoding."""
        return (*self.names, *(f"{sensor}_valid" for sensor in self.sensors))

    def encode(self, values: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Raw bands (one array of shape ``(...)`` each) to channels, shape ``(..., channels)``."""
        shape = np.shape(values[0])
        out = np.empty((*shape, self.channels), np.float32)
        for i, (band, raw) in enumerate(zip(self.bands, values, strict=True)):
            normal = (np.clip(raw, *band.clip) - self.mean[i]) / self.std[i]
            out[..., i] = np.where(np.isfinite(normal), normal, 0.0)
        for j, sensor in enumerate(self.sensors):
            out[..., len(self.bands) + j] = self._valid(values, sensor)
        return out

    def has_image(self, values: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
        """Where any band from a satellite is known, shape ``(...)``: elsewhere a detector has nothing to go by.

        Terrain is always known and shows no event; a setting of terrain alone counts as seen where that is known.
        """
        looked: list[Sensor] = [s for s in self.sensors if s != "terrain"] or list(self.sensors)
        known = [np.isfinite(v) for band, v in zip(self.bands, values, strict=True) if band.sensor in looked]
        return np.asarray(np.logical_or.reduce(known))

    def _valid(self, values: Sequence[NDArray[Any]], sensor: Sensor) -> NDArray[np.bool_]:
        known = [np.isfinite(v) for band, v in zip(self.bands, values, strict=True) if band.sensor == sensor]
        return np.asarray(np.logical_and.reduce(known))


def fit_inputs(bands: Sequence[Band], values: Sequence[NDArray[Any]]) -> Inputs:
    """Mean and standard deviation of each band over its known training values.

    A band that is constant, or unknown everywhere, gets a standard deviation of 1.
    """
    means, stds = [], []
    for band, raw in zip(bands, values, strict=True):
        known = np.clip(np.asarray(raw, np.float64)[np.isfinite(raw)], *band.clip)
        mean, std = (float(known.mean()), float(known.std())) if known.size else (0.0, 1.0)
        means.append(mean)
        stds.append(std if std > 1e-6 else 1.0)
    return Inputs(bands=tuple(bands), mean=tuple(means), std=tuple(stds))
