"""Intervals and tests by resampling blocks: pixels of one place are alike, blocks further apart than that are not.

Every score here is a smooth function of sums over blocks (`Statistic`), so one matrix product gives all resamples. A
resample draws as many blocks as there are, with replacement. Three kinds of interval (Efron & Tibshirani 1993):

``percentile``   quantiles of the resampled scores (chapter 13)
``bca``          the same, corrected for bias and skewness, from the scores without one block (chapter 14)
``studentised``  score ± the quantile of ``|score* - score| / error*`` times its error (chapter 12;
                 symmetric: Hall 1988), on the score's own scale (`Scale`), so that no end leaves its range; errors by
                 linearisation of the score (the infinitesimal jackknife)

Which one to trust from how many blocks on is measured by benchmarks/coverage.py and stated in docs/scores.md.

Blocks that touch may still be alike. Every interval is widened, and p raised, by as much as the error grows when
neighbours are counted together (`widening`), and never narrowed: benchmarks/blocks.py has by how much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Float = NDArray[np.float64]
Method = Literal["percentile", "bca", "studentised"]
_DEFINED = 0.9  # share of the resamples that must define a score


@dataclass(frozen=True)
class Scale:
    """A stretched scale on which a score has no ends: `out` and its derivative `slope`, and `back`."""

    out: Callable[[Float], Float]
    slope: Callable[[Float], Float]
    back: Callable[[Float], Float]


PLAIN = Scale(lambda v: v, np.ones_like, lambda z: z)
SHARE = Scale(lambda v: np.log(v / (1 - v)), lambda v: 1 / (v * (1 - v)), special.expit)  # 0 to 1
CORRELATION = Scale(np.arctanh, lambda v: 1 / (1 - v**2), np.tanh)  # -1 to 1 (Fisher 1915)
RATE = Scale(np.log, lambda v: 1 / v, np.exp)  # above 0
GAP = Scale(lambda v: np.arctanh(v / 2), lambda v: 2 / (4 - v**2), lambda z: 2 * np.tanh(z))  # of two correlations


class Statistic(Protocol):
    """A score as a function of sums over blocks."""

    @property
    def scale(self) -> Scale:
        """Where its studentised interval is symmetric."""
        ...

    def value(self, sums: Float) -> Float:
        """The score, shape (...), from sums of shape (..., m); NaN where they do not define one."""
        ...

    def gradient(self, sums: Float) -> Float:
        """Its derivative by each sum, shape (..., m)."""
        ...


@dataclass(frozen=True)
class Score:
    """A `Statistic` of few sums: its derivative is taken by central differences."""

    function: Callable[[Float], Float]
    scale: Scale = PLAIN

    def value(self, sums: Float) -> Float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.function(sums), np.float64)

    def gradient(self, sums: Float) -> Float:
        steps = np.maximum(np.abs(sums) * 1e-4, 1e-3)
        parts = []
        for i in range(sums.shape[-1]):
            step = np.zeros_like(sums)
            step[..., i] = steps[..., i]
            parts.append((self.value(sums + step) - self.value(sums - step)) / (2 * steps[..., i]))
        return np.stack(parts, axis=-1)


@dataclass(frozen=True)
class Difference:
    """Score of one detector minus that of another on the same blocks; its sums are those of both, side by side, the
    first `width` of them those of the one."""

    one: Statistic
    other: Statistic
    width: int
    scale: Scale = GAP

    def value(self, sums: Float) -> Float:
        a, b = sums[..., : self.width], sums[..., self.width :]
        return self.one.value(a) - self.other.value(b)

    def gradient(self, sums: Float) -> Float:
        a, b = sums[..., : self.width], sums[..., self.width :]
        return np.concatenate([self.one.gradient(a), -self.other.gradient(b)], axis=-1)


@dataclass(frozen=True)
class Mean:
    """The mean of one score over several detectors (training seeds) on the same blocks, their sums side by side."""

    part: Statistic
    parts: int

    @property
    def scale(self) -> Scale:
        return self.part.scale

    def value(self, sums: Float) -> Float:
        return np.asarray(np.mean([self.part.value(s) for s in np.split(sums, self.parts, axis=-1)], axis=0))

    def gradient(self, sums: Float) -> Float:
        each = [self.part.gradient(s) / self.parts for s in np.split(sums, self.parts, axis=-1)]
        return np.concatenate(each, axis=-1)


@dataclass(frozen=True)
class Estimate:
    """A score with its interval and its standard error; all NaN where it is not defined."""

    value: float
    low: float
    high: float
    error: float
    p: float  # of no difference, two-sided, from the studentised resamples; for a `Difference` only


@dataclass(frozen=True)
class OtherError:
    """A standard error of a score from another source than the blocks, such as the training seeds, and the degrees of
    freedom with which it was estimated: from few values, it may be too small by chance."""

    error: float
    freedom: float

    @classmethod
    def of_means(cls, groups: Sequence[Sequence[float]]) -> OtherError | None:
        """Of a sum or difference of means, one for each group of values; groups of one value tell nothing about their
        error. None if none does, or a value is not defined. Degrees of freedom by Satterthwaite (1946)."""
        parts = [(float(np.var(g, ddof=1)) / len(g), len(g) - 1) for g in groups if len(g) > 1]
        variance = sum(v for v, _ in parts)
        if not variance > 0:  # 0, or NaN
            return None
        return cls(math.sqrt(variance), variance**2 / sum(v**2 / n for v, n in parts))


@dataclass(frozen=True)
class Resamples:
    """How often each of n blocks is drawn in each resample, shape (replicates, n). Shared by all that is compared."""

    weights: Float

    @classmethod
    def draw(cls, blocks: int, replicates: int, seed: int) -> Resamples:
        """`replicates` resamples of `blocks` blocks; a function of its arguments alone."""
        return cls(_drawn(blocks, replicates, seed))


@lru_cache(maxsize=8)
def _drawn(blocks: int, replicates: int, seed: int) -> Float:
    rng = np.random.default_rng([seed, blocks])
    weights = rng.multinomial(blocks, np.full(blocks, 1 / blocks), replicates).astype(np.float64)
    weights.flags.writeable = False  # shared by all that ask for it
    return weights


def estimate(
    values: NDArray[Any],
    statistic: Statistic,
    resamples: Resamples,
    method: Method,
    level: float = 0.95,
    other: OtherError | None = None,
    nearby: NDArray[np.int64] | None = None,
) -> Estimate:
    """A score over blocks with its interval.

    Parameters
    ----------
    values
        What adds up, shape (blocks, m).
    level
        Share of such intervals that should hold the true score.
    other
        An error from another source than the blocks; it widens a studentised interval and raises p. Squares of the two
        errors add up (Owen 2007 on factors that cross), and where the other one is large beside that of the blocks and
        was estimated from few values, Student's t with the degrees of freedom of the sum (Satterthwaite 1946) takes
        the place of the resampled one.
    nearby
        The ways to lay larger squares over the blocks (`skred.scores.blocks.nearby`): every interval is widened about
        the score by `widening`. None where no blocks touch.
    """
    x = np.asarray(values, np.float64)
    if len(x) < 2:
        return _undefined(float(statistic.value(x.sum(axis=0))))
    total, sums = x.sum(axis=0), resamples.weights @ x
    value, scores = float(statistic.value(total)), statistic.value(sums)
    error = float(_error(statistic, total[None], x, np.ones((1, len(x))))[0])
    wider = 1.0 if nearby is None else widening(statistic, x, nearby)
    error *= wider
    freedom = math.inf
    if other is not None:
        error = math.hypot(error, other.error)
        freedom = other.freedom * (error / other.error) ** 4
    errors = _error(statistic, sums, x, resamples.weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        stretched, slope = statistic.scale.out(np.array([value])), statistic.scale.slope(np.array([value]))
        z, z_errors = statistic.scale.out(scores), statistic.scale.slope(scores) * errors
    here, z_error = float(stretched[0]), float(slope[0]) * error
    defined = np.isfinite(scores) & np.isfinite(z) & np.isfinite(z_errors) & (z_errors > 0)
    # A score that many resamples do not define has no interval that means anything.
    if not np.isfinite(here) or not (np.isfinite(z_error) and z_error > 0) or defined.mean() < _DEFINED:
        return _undefined(value)
    t = np.abs(z[defined] - here) / z_errors[defined]
    away = abs(here) / z_error
    p = max((1 + int((t >= away).sum())) / (1 + len(t)), 2 * float(stats.t.sf(away, freedom)) if other else 0.0)
    tail = (1 - level) / 2
    if method == "studentised":
        most = max(float(np.quantile(t, level)), float(stats.t.ppf((1 + level) / 2, freedom)) if other else 0.0)
        reach = most * z_error
        low, high = (float(v) for v in statistic.scale.back(np.array([here - reach, here + reach])))
    elif method == "bca":
        low, high = _stretched(
            statistic.scale, value, _bca(scores[defined], value, _without_one(statistic, x), tail), wider
        )
    else:
        ends = np.quantile(scores[defined], [tail, 1 - tail])
        low, high = _stretched(statistic.scale, value, (float(ends[0]), float(ends[1])), wider)
    return Estimate(value, low, high, error, p)


def _undefined(value: float) -> Estimate:
    return Estimate(value, np.nan, np.nan, np.nan, np.nan)


def _error(statistic: Statistic, sums: Float, x: Float, weights: Float) -> Float:
    """Standard errors, shape (replicates,): the score is linear nearby, so its variance is that of a sum of blocks."""
    n = len(x)
    with np.errstate(invalid="ignore"):
        influence = statistic.gradient(sums) @ x.T  # (replicates, n); NaN where the score is not defined
        mean = (weights * influence).sum(axis=1, keepdims=True) / n
        variance = (weights * (influence - mean) ** 2).sum(axis=1)
        return np.asarray(np.sqrt(variance * n / max(n - 1, 1)))


def widening(statistic: Statistic, values: NDArray[Any], nearby: NDArray[np.int64]) -> float:
    """How much larger the error is over larger squares (`skred.scores.blocks.nearby`) than over blocks, at least 1.

    The variance is the mean of those over the ways to lay them. That is the estimate of Conley (1999) with the kernel
    of Bartlett: the errors of two blocks count together in full if they are the same, less with each row and column
    between them, not at all from the side of a square on. How uncertain it is itself is not counted. 1 where there is
    no error.
    """
    x = np.asarray(values, np.float64)
    with np.errstate(invalid="ignore"):
        influence = statistic.gradient(x.sum(axis=0)) @ x.T
        influence = influence - influence.mean()
        alone = float(influence @ influence)
        together = float(np.mean([(np.bincount(way, influence) ** 2).sum() for way in nearby]))
    return math.sqrt(max(together / alone, 1.0)) if alone > 0 else 1.0


def _stretched(scale: Scale, value: float, ends: tuple[float, float], wider: float) -> tuple[float, float]:
    """The ends of an interval so many times further from the score, on its own scale."""
    if wider == 1:
        return ends
    with np.errstate(divide="ignore", invalid="ignore"):
        here, there = scale.out(np.array([value])), scale.out(np.array(ends))
        low, high = scale.back(here + wider * (there - here))
    return float(low), float(high)


def _without_one(statistic: Statistic, x: Float) -> Float:
    scores = statistic.value(x.sum(axis=0) - x)
    return scores[np.isfinite(scores)]


def _bca(scores: Float, value: float, without_one: Float, tail: float) -> tuple[float, float]:
    below = (np.sum(scores < value) + 0.5 * np.sum(scores == value)) / len(scores)
    bias = stats.norm.ppf(np.clip(below, 0.5 / len(scores), 1 - 0.5 / len(scores)))
    d = without_one.mean() - without_one
    spread = np.sum(d**2) ** 1.5
    skew = np.sum(d**3) / (6 * spread) if spread > 0 else 0.0
    z = bias + stats.norm.ppf([tail, 1 - tail])
    low, high = np.quantile(scores, stats.norm.cdf(bias + z / (1 - skew * z)))
    return float(low), float(high)


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979); the k-th smallest times (n - k + 1), never decreasing.

    NaN stays NaN and counts as one of the comparisons.
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values, kind="stable")  # NaN last
    scaled = values[order] * (len(values) - np.arange(len(values)))
    out = np.empty_like(values)
    out[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(v) for v in out]
