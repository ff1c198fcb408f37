"""True and false positives and negatives, and the scores that follow from them.

Sums over tiles, scenes or blocks are exact, because counts add and scores are computed last. All scores are those of
the landslide class. A score that its counts do not define is None, never a made-up 0 or 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Pixels (or anything else that is counted) by prediction and truth."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def precision(self) -> float | None:
        """tp / (tp + fp); None when nothing was predicted."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """tp / (tp + fn); None when there is nothing to find."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """2 tp / (2 tp + fp + fn); None when nothing was predicted and there is nothing to find."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def iou(self) -> float | None:
        """Intersection over union, tp / (tp + fp + fn)."""
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    @property
    def mcc(self) -> float | None:
        """Matthews correlation coefficient (Matthews 1975); None when a row or column of the table is empty."""
        marginals = [self.tp + self.fp, self.tp + self.fn, self.tn + self.fp, self.tn + self.fn]
        if 0 in marginals:
            return None
        root = math.sqrt(math.prod(marginals))
        return (self.tp * self.tn - self.fp * self.fn) / root

    def scores(self) -> dict[str, float | None]:
        """All scores by name."""
        return {name: getattr(self, name) for name in ("precision", "recall", "f1", "mcc", "iou")}


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
