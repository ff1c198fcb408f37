"""Probabilities counted in 1,000 bins, apart for landslide and no landslide.

From these 2,000 numbers follow the counts at any threshold, the precision-recall curve and its area; they add over
tiles and scenes, so no score ever needs all pixels at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skred.core.scenes import LANDSLIDE, UNKNOWN
from skred.scores.counts import Counts

BINS = 1000  # a threshold is a whole number of thousandths


@dataclass(frozen=True)
class BinCounts:
    """Pixels per probability bin, shape (BINS,) each: bin k holds probabilities from k/1000 up to (k+1)/1000."""

    positive: NDArray[np.int64]
    negative: NDArray[np.int64]

    def __add__(self, other: BinCounts) -> BinCounts:
        return BinCounts(self.positive + other.positive, self.negative + other.negative)

    @property
    def pixels(self) -> int:
        return int(self.positive.sum() + self.negative.sum())

    def at(self, threshold: float) -> Counts:
        """Counts when every probability of at least `threshold` (rounded to a thousandth) means landslide."""
        k = round(threshold * BINS)
        tp, fp = int(self.positive[k:].sum()), int(self.negative[k:].sum())
        return Counts(tp, fp, int(self.positive.sum()) - tp, int(self.negative.sum()) - fp)

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """(thresholds, precision, recall), from the highest threshold down, where anything is predicted.

        Empty when there are no landslide pixels.
        """
        tp = np.cumsum(self.positive[::-1])
        predicted = tp + np.cumsum(self.negative[::-1])
        thresholds = np.arange(BINS - 1, -1, -1) / BINS
        total = int(self.positive.sum())
        use = (predicted > 0) if total else np.zeros(BINS, bool)
        return thresholds[use], tp[use] / predicted[use], tp[use] / max(total, 1)

    def auprc(self) -> float | None:
        """Area under the precision-recall curve as average precision (steps, no interpolation).

        None when there are no landslide pixels.
        """
        _, precision, recall = self.curve()
        if not len(recall):
            return None
        return float(np.sum(np.diff(recall, prepend=0.0) * precision))


EMPTY = BinCounts(np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))


def predicted_positive(probability: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Where a probability means landslide: the same rule as `BinCounts.at`."""
    return np.asarray(bins_of(probability) >= round(threshold * BINS))


def count_bins(
    probability: NDArray[Any], labels: NDArray[np.uint8], where: NDArray[np.bool_] | None = None
) -> BinCounts:
    """Count pixels per bin; unknown labels and pixels outside `where` are left out. Shapes are equal and free.

    Raises
    ------
    ValueError
        A probability that is counted is not within 0..1.
    """
    use = labels != UNKNOWN
    if where is not None:
        use &= where
    p, truth = probability[use], labels[use] == LANDSLIDE
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError(f"probabilities from {p.min()} to {p.max()}, wanted 0 to 1")
    bins = bins_of(p)
    return BinCounts(np.bincount(bins[truth], minlength=BINS), np.bincount(bins[~truth], minlength=BINS))


def best_threshold(counts: BinCounts) -> float:
    """The threshold with the largest MCC, the middle of a plateau; the one rule for every detector.

    MCC and not F1: where the positive class is common, the best F1 of a weak detector is to call nearly everything
    positive. On validation counts only: a threshold chosen elsewhere would be a leak. 0.5 when no threshold is better
    than chance, as when there are no landslide pixels.
    """
    mcc = np.array([counts.at(k / BINS).mcc or 0.0 for k in range(1, BINS)])
    if not mcc.max() > 0:
        return 0.5
    best = np.flatnonzero(mcc >= mcc.max() - 1e-12) + 1
    return float(best[len(best) // 2]) / BINS


def bins_of(probability: NDArray[Any]) -> NDArray[np.int64]:
    """The bin of each probability; what is no number within 0..1 has no meaningful one."""
    # A float32 0.3 is 0.300000012: rounding to a millionth first puts it into bin 300 as a reader would expect.
    scaled = np.floor(np.round(probability.astype(np.float64), 6) * BINS + 1e-9)
    bins: NDArray[np.int64] = np.minimum(scaled, BINS - 1).astype(np.int64)
    return bins
