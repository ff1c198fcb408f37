"""The rule to beat, ``dndvi < t and slope > s``: tuned on one half of a place, measured on the other, both ways round.

What counts: a detected object is a connected group (with corners) of at least `MIN_PX` pixels, false if no pixel of
it is a mapped landslide; a landslide is found if detected objects cover at least `OVERLAP` of its mapped pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.check_world.composites import Composited
from skred.core.scenes import LANDSLIDE
from skred.patches.split import EIGHT
from skred.scores.counts import Counts
from skred.world.noise import Float

MIN_PX = 3  # the smallest landslide of the inventory, 300 m²
OVERLAP = 0.2  # share of a landslide's area that counts as found
DNDVI = tuple(np.round(np.arange(-0.45, -0.09, 0.025), 3).tolist())  # thresholds that are tried
VH_DB = tuple(np.round(np.arange(-4.0, -1.4, 0.5), 1).tolist())
SLOPE_DEG = (0.0, 10.0, 15.0, 20.0, 25.0)


@dataclass(frozen=True)
class Found:
    """What a detector did to a part of a place: landslides by number with whether each was found, objects, pixels."""

    slides: dict[int, bool]
    objects: int
    false_objects: int
    pixels: Counts

    def __add__(self, other: Found) -> Found:
        return Found(
            self.slides | other.slides,
            self.objects + other.objects,
            self.false_objects + other.false_objects,
            self.pixels + other.pixels,
        )

    @property
    def found_share(self) -> float:
        return sum(self.slides.values()) / max(len(self.slides), 1)

    @property
    def false_share(self) -> float:
        return self.false_objects / max(self.objects, 1)

    @property
    def balance(self) -> float:
        """Harmonic mean of the share of landslides found and of objects that are true: what tuning maximises."""
        true = 1 - self.false_share if self.objects else 0.0
        return 2 * self.found_share * true / max(self.found_share + true, 1e-9)


@dataclass(frozen=True)
class RuleResult:
    """Both halves together, and the (t, s) that each half chose for the other."""

    found: Found
    chosen: tuple[tuple[float, float], ...]


def halves(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The two halves of a place (H, W): quadrants that touch at a corner belong together."""
    south, east = np.arange(shape[0]) >= shape[0] // 2, np.arange(shape[1]) >= shape[1] // 2
    return np.asarray(south[:, None] ^ east[None, :])


def judge(detected: NDArray[np.bool_], truth: Composited, where: NDArray[np.bool_]) -> Found:
    """Count what `detected` (H, W) found within the part `where` of a place.

    A landslide belongs to the part in which more of it lies.
    """
    detected = detected & where
    objects, count = ndimage.label(detected, EIGHT)
    sizes = np.bincount(objects.ravel(), minlength=count + 1)
    large = sizes >= MIN_PX
    large[0] = False
    detected = large[objects]
    hit = np.zeros(count + 1, bool)
    hit[objects[detected & (truth.slide > 0)]] = True
    top = int(truth.slide.max()) + 1
    area = np.bincount(truth.slide.ravel(), minlength=top)
    inside = np.bincount(truth.slide[where], minlength=top)
    covered = np.bincount(truth.slide[detected], minlength=top)
    mine = np.flatnonzero((area > 0) & (2 * inside > area))
    slides = {int(i): bool(covered[i] >= OVERLAP * inside[i]) for i in mine if i > 0}
    positive = truth.labels == LANDSLIDE
    tp, fp = int((detected & positive).sum()), int((detected & ~positive).sum())
    fn = int((positive & where).sum()) - tp
    pixels = Counts(tp, fp, fn, int(where.sum()) - tp - fp - fn)
    return Found(slides, int(large.sum()), int((large & ~hit).sum()), pixels)


def rule(change: Float, slope: Float, t: float, s: float) -> NDArray[np.bool_]:
    """Where a band changed to below t on ground steeper than s degrees; an unknown change detects nothing."""
    with np.errstate(invalid="ignore"):
        return np.asarray((change < t) & (slope > s))


def run_rule(truth: Composited) -> RuleResult:
    """The rule on dNDVI: tune on each half of the place, measure on the other."""
    return _run(truth, truth.bands["dndvi"], DNDVI)


def run_radar_rule(truth: Composited) -> RuleResult:
    """The same rule on the change of VH, smoothed over three pixels against speckle: a detector without optics."""
    change = truth.bands["post_vh"] - truth.bands["pre_vh"]
    known = np.isfinite(change)
    share = np.maximum(ndimage.uniform_filter(known.astype(np.float32), 3), np.float32(1e-6))
    smooth = ndimage.uniform_filter(np.where(known, change, np.float32(0)), 3) / share
    return _run(truth, np.where(known, smooth, np.float32(np.nan)), VH_DB)


def _run(truth: Composited, change: Float, thresholds: tuple[float, ...]) -> RuleResult:
    side = halves(truth.labels.shape)
    results, chosen = [], []
    for tune, test in ((side, ~side), (~side, side)):
        tried = [
            (judge(rule(change, truth.bands["slope"], t, s), truth, tune).balance, t, s)
            for t in thresholds
            for s in SLOPE_DEG
        ]
        _, t, s = max(tried)
        chosen.append((t, s))
        results.append(judge(rule(change, truth.bands["slope"], t, s), truth, test))
    return RuleResult(results[0] + results[1], tuple(chosen))
