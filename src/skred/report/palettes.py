"""Colours of data layers: which values they span and in what unit. One table for pictures and legends."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Palette:
    """A colour scale from `low` to `high` in `unit`; values outside take the colour of its ends."""

    colours: str  # name of a matplotlib colour map
    low: float
    high: float
    unit: str
    below: str = ""  # what the low end means, for the legend
    above: str = ""

    def rgb(self, levels: int) -> NDArray[np.uint8]:
        """The colours of `levels` equal steps, shape ``(levels, 3)``."""
        colours = mpl.colormaps[self.colours](np.linspace(0, 1, levels))[:, :3]
        return np.asarray(np.round(colours * 255), np.uint8)

    def codes(self, values: NDArray[np.float32], levels: int) -> NDArray[np.uint8]:
        """The step of each value, 0..levels−1; `levels` where the value is NaN."""
        scaled = (np.nan_to_num(values, nan=self.low) - self.low) / (self.high - self.low) * (levels - 1)
        steps = np.clip(np.round(scaled), 0, levels - 1)
        return np.where(np.isfinite(values), steps, levels).astype(np.uint8)


DNDVI = Palette("BrBG", -0.6, 0.6, "ΔNDVI, after less before", "plants lost: landslide, mown, felled", "plants gained")
RADAR = Palette("PuOr_r", -6.0, 6.0, "dB", "darker after: smoother or wetter ground", "brighter after")
PROBABILITY = Palette("magma", 0.0, 1.0, "probability", "no landslide", "landslide")
