"""From probabilities to numbered objects, as pixels: threshold, holes, minimum mapping unit.

Pure functions on arrays of shape ``(H, W)``. Whatever area a polygon states is that of its pixels here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.scores.bins import predicted_positive

# An object's pixels belong together when they touch at a corner (as in the scores); what surrounds a hole then does
# so only along edges.
EIGHT = np.ones((3, 3), bool)
FOUR = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True)
class Objects:
    """Objects numbered 1..count in `labels` ``(H, W)`` int32, 0 elsewhere; the first is the northernmost, of equally
    northern ones the westernmost. `pixels` is the number of pixels of each, shape ``(count,)``."""

    labels: NDArray[np.int32]
    pixels: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.pixels)


def find_objects(probability: NDArray[Any], threshold: float, *, min_pixels: float, hole_pixels: float) -> Objects:
    """Connected pixels of at least `threshold`, their holes of up to `hole_pixels` filled, of at least `min_pixels`.

    NaN is no landslide. A hole is filled before objects are measured; one that is known to lie beyond the scene's
    edge is no hole.
    """
    known = np.isfinite(probability)
    mask = predicted_positive(np.where(known, probability, 0.0), threshold) & known
    mask |= _holes(mask, hole_pixels) & known
    labels, count = ndimage.label(mask, EIGHT)
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    kept = np.flatnonzero(pixels >= min_pixels)
    number = np.zeros(count + 1, np.int32)
    number[kept + 1] = np.arange(1, len(kept) + 1)  # ndimage numbers row by row: north first, then west
    return Objects(number[labels], pixels[kept].astype(np.int64))


def _holes(mask: NDArray[np.bool_], hole_pixels: float) -> NDArray[np.bool_]:
    if hole_pixels < 1 or not mask.any():
        return np.zeros_like(mask)
    padded, _ = ndimage.label(np.pad(~mask, 1, constant_values=True), FOUR)
    outside = padded[0, 0]  # the frame joins everything that reaches the edge
    size = np.bincount(padded.ravel())
    small = size <= hole_pixels
    small[[0, outside]] = False
    return np.asarray(small[padded][1:-1, 1:-1])
