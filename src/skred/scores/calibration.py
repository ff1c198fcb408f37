"""Does a probability of 0.3 mean that 3 of 10 such pixels are landslide? And a correction, fitted on validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from skred.core.params import Section

Float = NDArray[np.float64]
Kind = Literal["none", "temperature", "isotonic"]
_EPS = 1e-6  # a probability of 0 or 1 has no logit, and no log loss
BINS = 10


class Calibrator(Section):
    """A rising function of the probability.

    ``temperature``: logit divided by `temperature` (Guo et al. 2017). ``isotonic``: the best rising steps (Zadrozny &
    Elkan 2002), linear between `knots` (probability, calibrated probability).
    """

    kind: Kind
    temperature: float = 1.0
    knots: tuple[tuple[float, float], ...] = ()

    def __call__(self, p: NDArray[Any]) -> Float:
        """Calibrated probabilities, same shape."""
        values = np.asarray(p, np.float64)
        if self.kind == "temperature":
            return np.asarray(special.expit(_logit(values) / self.temperature))
        if self.kind == "isotonic":
            x, y = np.array(self.knots).T
            return np.asarray(np.interp(values, x, y))
        return values


def fit_temperature(p: NDArray[Any], truth: NDArray[np.bool_]) -> Calibrator:
    """The temperature with the smallest log loss."""
    x, positive, total = _grouped(p, truth)
    logits = _logit(x)

    def loss(log_temperature: float) -> float:
        return _log_loss(special.expit(logits / np.exp(log_temperature)), positive, total)

    best = optimize.minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-4})
    return Calibrator(kind="temperature", temperature=round(float(np.exp(best.x)), 6))


def fit_isotonic(p: NDArray[Any], truth: NDArray[np.bool_]) -> Calibrator:
    """The rising function with the smallest squared error."""
    x, positive, total = _grouped(p, truth)
    y = optimize.isotonic_regression(positive / total, weights=total).x
    # of a run of equal values only the ends are needed
    ends = np.ones(len(x), bool)
    ends[1:-1] = (np.abs(np.diff(y)[1:]) > 1e-12) | (np.abs(np.diff(y)[:-1]) > 1e-12)
    knots = tuple((round(float(a), 6), round(float(b), 6)) for a, b in zip(x[ends], y[ends], strict=True))
    return Calibrator(kind="isotonic", knots=knots)


_FITS: dict[Kind, Callable[[NDArray[Any], NDArray[np.bool_]], Calibrator]] = {
    "none": lambda p, truth: Calibrator(kind="none"),
    "temperature": fit_temperature,
    "isotonic": fit_isotonic,
}


def choose_calibrator(
    p: NDArray[Any], truth: NDArray[np.bool_], blocks: NDArray[Any], kind: Kind | Literal["best"]
) -> Calibrator:
    """A calibrator fitted on validation pixels (all arrays of shape (P,)).

    ``best`` takes the kind with the smallest log loss when it is fitted on one half of the blocks and judged on the
    other. Without pixels of both kinds there is nothing to fit, and probabilities stay as they are.
    """
    if truth.all() or not truth.any():
        return Calibrator(kind="none")
    if kind != "best":
        return _FITS[kind](p, truth)
    order = np.unique(blocks, return_inverse=True)[1]
    halves = [order % 2 == side for side in (0, 1)]
    if any(truth[half].all() or not truth[half].any() for half in halves):
        return fit_temperature(p, truth)  # one number is less easily fooled
    losses = {
        name: sum(
            _log_loss(fit(p[~half], truth[~half])(p[half]), truth[half].astype(float), np.ones(half.sum()))
            for half in halves
        )
        for name, fit in _FITS.items()
    }
    return _FITS[min(losses, key=lambda name: losses[name])](p, truth)


def reliability(p: NDArray[Any], truth: NDArray[np.bool_]) -> pd.DataFrame:
    """The reliability curve over `BINS` bins of equal width: mean probability, share of landslide, pixels per bin."""
    values = np.asarray(p, np.float64)
    place = np.minimum((values * BINS + 1e-9).astype(np.int64), BINS - 1)
    pixels = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        table = pd.DataFrame(
            {
                "probability": np.bincount(place, values, BINS) / pixels,
                "observed": np.bincount(place, truth, BINS) / pixels,
                "pixels": pixels,
            }
        )
    return table[table["pixels"] > 0].reset_index(drop=True)


def calibration_scores(p: NDArray[Any], truth: NDArray[np.bool_]) -> dict[str, float | None]:
    """Expected calibration error (mean gap of the reliability curve, weighted by pixels; Naeini et al. 2015), the same
    over the pixels that have a probability of at least 0.1 (the many near 0 hide all others), and the Brier score."""
    if not len(p):
        return dict.fromkeys(("ece", "ece_from_0.1", "brier"))
    table = reliability(p, truth)
    gap = (table["probability"] - table["observed"]).abs()
    high = table["probability"] >= 1 / BINS
    return {
        "ece": float(np.average(gap, weights=table["pixels"])),
        "ece_from_0.1": float(np.average(gap[high], weights=table["pixels"][high])) if high.any() else None,
        "brier": float(np.mean((np.asarray(p, np.float64) - truth) ** 2)),
    }


def _logit(p: Float) -> Float:
    return np.asarray(special.logit(np.clip(p, _EPS, 1 - _EPS)))


def _grouped(p: NDArray[Any], truth: NDArray[np.bool_]) -> tuple[Float, Float, Float]:
    """Distinct probabilities (to a millionth), landslide pixels and all pixels of each."""
    x, which = np.unique(np.round(np.asarray(p, np.float64), 6), return_inverse=True)
    total: Float = np.bincount(which, minlength=len(x)).astype(np.float64)
    return np.asarray(x, np.float64), np.asarray(np.bincount(which, truth, len(x)), np.float64), total


def _log_loss(p: Float, positive: Float, total: Float) -> float:
    q = np.clip(p, 1e-4, 1 - 1e-4)  # one impossible landslide shall not outweigh a whole map
    return float(-(positive * np.log(q) + (total - positive) * np.log(1 - q)).sum())
