"""Pixels with their probability as it is: precision against recall at every threshold, and the area below the curve.

Counts in bins (`skred.scores.bins`) are enough to choose a threshold from. For the area they are not: a network gives
up to half of the landslide pixels more than 0.999, and what lies in one bin looks equal there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.scenes import LANDSLIDE, UNKNOWN
from skred.scores.bins import predicted_positive
from skred.scores.counts import Counts

STEPS = 200  # of the curve behind an interval of its area; the area itself has them all


@dataclass(frozen=True)
class Ranked:
    """Known pixels, shape (N,) each: probability of landslide, and whether there is one."""

    p: NDArray[np.float32]
    truth: NDArray[np.bool_]

    @classmethod
    def of(cls, probability: NDArray[Any], labels: NDArray[np.uint8], where: NDArray[np.bool_] | None = None) -> Ranked:
        """The known pixels of `where` (all where it is None), arrays of one shape."""
        known = labels != UNKNOWN if where is None else where & (labels != UNKNOWN)
        return cls(np.asarray(probability[known], np.float32), labels[known] == LANDSLIDE)

    @classmethod
    def join(cls, parts: Sequence[Ranked]) -> Ranked:
        """All pixels of `parts`, in their order."""
        if not parts:
            return cls(np.zeros(0, np.float32), np.zeros(0, bool))
        return cls(np.concatenate([part.p for part in parts]), np.concatenate([part.truth for part in parts]))

    @property
    def pixels(self) -> int:
        return len(self.p)

    @property
    def landslide_pixels(self) -> int:
        return int(self.truth.sum())

    def at(self, threshold: float) -> Counts:
        """Counts at a threshold, by the rule of `predicted_positive`."""
        predicted = predicted_positive(self.p, threshold)
        tp, positive = int((predicted & self.truth).sum()), self.landslide_pixels
        fp = int(predicted.sum()) - tp
        return Counts(tp, fp, positive - tp, self.pixels - positive - fp)

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """(thresholds, precision, recall) at the probability of each landslide pixel, from the highest down: between
        two of them only precision moves. Empty where there is no landslide pixel."""
        edges = np.unique(self.p[self.truth])
        positive, negative = (_per_step(self.p[kind], edges) for kind in (self.truth, ~self.truth))
        tp = np.cumsum(positive[::-1])
        predicted = tp + np.cumsum(negative[::-1])
        return edges[::-1].astype(np.float64), tp / predicted, tp / max(self.landslide_pixels, 1)

    def auprc(self) -> float | None:
        """Area under the precision-recall curve as average precision (steps, no interpolation).

        None without a landslide pixel.
        """
        _, precision, recall = self.curve()
        return float(np.sum(np.diff(recall, prepend=0.0) * precision)) if len(recall) else None


def steps_per_block(ranked: Ranked, block: NDArray[np.int64], blocks: int, most: int = STEPS) -> NDArray[np.int64]:
    """What `skred.scores.statistics.AveragePrecision` sums: landslide pixels, then others, per block and step of the
    curve, from the lowest threshold up.

    Parameters
    ----------
    block
        The number of the block of each pixel, below `blocks`, shape (N,).
    most
        At most so many steps, each with about as many landslide pixels. 200 of them leave the area of a curve of
        thousands within 0.003.

    Returns
    -------
    Shape (blocks, 2 · steps). Pixels below the lowest landslide pixel change no step and are left out.
    """
    rising = np.sort(ranked.p[ranked.truth])
    edges = np.unique(rising[:: max(1, -(-len(rising) // most))])
    step = np.searchsorted(edges, ranked.p, side="right") - 1
    place = block * len(edges) + step
    table = [
        np.bincount(place[kind & (step >= 0)], minlength=blocks * len(edges)).reshape(blocks, -1)
        for kind in (ranked.truth, ~ranked.truth)
    ]
    return np.concatenate(table, axis=1)


def _per_step(p: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """How many lie from each edge up to the next."""
    step = np.searchsorted(edges, p, side="right") - 1
    counts: NDArray[np.int64] = np.bincount(step[step >= 0], minlength=len(edges))
    return counts
