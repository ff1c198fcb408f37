"""The scores as functions of sums over blocks, for `skred.scores.bootstrap`.

Sums of pixels are (tp, fp, fn, tn); of bins, positives then negatives per bin; of rates, (events, cases).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skred.scores.bootstrap import CORRELATION, RATE, SHARE, Float, Scale, Score, Statistic


def _precision(sums: Float) -> Float:
    tp, fp, _, _ = np.moveaxis(sums, -1, 0)
    return np.asarray(tp / (tp + fp))


def _recall(sums: Float) -> Float:
    tp, _, fn, _ = np.moveaxis(sums, -1, 0)
    return np.asarray(tp / (tp + fn))


def _f1(sums: Float) -> Float:
    tp, fp, fn, _ = np.moveaxis(sums, -1, 0)
    return np.asarray(2 * tp / (2 * tp + fp + fn))


def _iou(sums: Float) -> Float:
    tp, fp, fn, _ = np.moveaxis(sums, -1, 0)
    return np.asarray(tp / (tp + fp + fn))


def _mcc(sums: Float) -> Float:
    tp, fp, fn, tn = np.moveaxis(sums, -1, 0)
    # two roots: the product of four counts of pixels would lose digits
    return np.asarray((tp * tn - fp * fn) / (np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))))


PIXEL_SCORES: dict[str, Statistic] = {
    "precision": Score(_precision, SHARE),
    "recall": Score(_recall, SHARE),
    "f1": Score(_f1, SHARE),
    "mcc": Score(_mcc, CORRELATION),
    "iou": Score(_iou, SHARE),
}


SHARE_OF = Score(lambda sums: np.asarray(sums[..., 0] / sums[..., 1]), SHARE)  # of sums (events, cases): a recall


def rate(per: float) -> Statistic:
    """Events per `per` cases, from sums (events, cases), such as alarms per 100 km²."""
    return Score(lambda sums: np.asarray(per * sums[..., 0] / sums[..., 1]), RATE)


@dataclass(frozen=True)
class AveragePrecision:
    """Area under the precision-recall curve, from sums of shape (..., 2 · bins): positives, then negatives per bin."""

    scale: Scale = SHARE

    def value(self, sums: Float) -> Float:
        positive, tp, predicted, total = _cumulated(sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.where(positive > 0, positive * tp / predicted, 0.0)
            return np.asarray(steps.sum(axis=-1) / total)

    def gradient(self, sums: Float) -> Float:
        """One more positive in bin j adds its own step, raises the precision of every lower threshold by
        ``fp / predicted²``, and thins all steps; one more negative lowers these precisions by ``tp / predicted²``."""
        positive, tp, predicted, total = _cumulated(sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(predicted > 0, tp / predicted, 0.0)
            up = np.where(positive > 0, positive * (predicted - tp) / predicted**2, 0.0)
            down = np.where(positive > 0, positive * tp / predicted**2, 0.0)
            area = (positive * precision).sum(axis=-1) / total
            # thresholds run down along the axis: bin j matters to itself and to all lower thresholds, which come after
            lower_up, lower_down = (np.cumsum(part[..., ::-1], axis=-1)[..., ::-1] for part in (up, down))
            by_positive = (precision + lower_up - area[..., None]) / total[..., None]
            by_negative = -lower_down / total[..., None]
        return np.concatenate([by_positive[..., ::-1], by_negative[..., ::-1]], axis=-1)


def _cumulated(sums: Float) -> tuple[Float, Float, Float, Float]:
    """From the highest threshold down: positives, true positives, predicted; and all positives."""
    positive, negative = (half[..., ::-1] for half in np.split(sums, 2, axis=-1))
    tp = np.cumsum(positive, axis=-1)
    return positive, tp, tp + np.cumsum(negative, axis=-1), tp[..., -1]
