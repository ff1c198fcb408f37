"""Detectors and settings against each other: differences of MCC on the same blocks, with intervals and corrected p.

All cells are scored on the same pixels, so that a difference is taken block by block (paired), and its interval is that
of `skred.scores.bootstrap` over blocks. Training seeds of one setting and detector are averaged first, and the standard
error of that mean over seeds is part of the interval and of p: both speak of other places and of other seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from skred.core.errors import InputError
from skred.scores.blocks import BlockBins, nearby
from skred.scores.bootstrap import Difference, Mean, OtherError, Resamples, estimate, holm
from skred.scores.headline import too_few
from skred.scores.params import ScoreParams
from skred.scores.statistics import PIXEL_SCORES

SCORE = "mcc"
Pair = tuple[str, str]  # setting, detector


@dataclass(frozen=True)
class Scored:
    """One trained cell: its `scores.json` and its counts per block."""

    scores: Mapping[str, Any]
    blocks: BlockBins

    @property
    def pair(self) -> Pair:
        return self.scores["setting"], self.scores["detector"]


@dataclass(frozen=True)
class Compared:
    """MCC of one (setting, detector) minus that of another. The interval and p-values are None with a `reason`."""

    one: Pair
    other: Pair
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None
    error_blocks: float | None  # standard error from the blocks, with these seeds
    error_seeds: float | None  # from the training seeds, on these blocks
    seeds: tuple[tuple[float, ...], tuple[float, ...]]  # MCC of each training seed
    reason: str | None

    @property
    def name(self) -> str:
        return f"{'-'.join(self.one)} minus {'-'.join(self.other)}"

    def record(self) -> dict[str, Any]:
        """For `differences.json`."""
        names = ("difference", "low", "high", "p", "p_corrected", "error_blocks", "error_seeds")
        shown = {name: getattr(self, name) for name in names}
        counted = {"seeds": len(self.seeds[0]), "seeds_other": len(self.seeds[1])}
        return shown | counted | ({"reason": self.reason} if self.reason else {})


def roles_compared(cells: Sequence[Scored]) -> tuple[str, ...]:
    """The test blocks and the unseen events where every cell has both, otherwise the test blocks."""
    return ("test", "unseen") if all("held_out" in cell.scores for cell in cells) else ("test",)


def wanted_pairs(pairs: Sequence[Pair]) -> list[tuple[Pair, Pair]]:
    """What is compared, in this order: in each setting the U-Net with every other detector, then the others with CART;
    the U-Net of each setting with every rule, whatever the rule looks at, for it is what a network has to beat; and the
    U-Nets of the settings with each other."""
    unets = [pair for pair in pairs if pair[1] == "unet"]
    baselines = [pair for pair in pairs if pair[1] not in ("unet", "cart")]
    wanted = [(one, other) for one in unets for other in pairs if other[0] == one[0] and other != one]
    wanted += [(one, (one[0], "cart")) for one in baselines if (one[0], "cart") in pairs]
    wanted += [(one, other) for one in unets for other in baselines if other[1] == "rule"]
    wanted += combinations(unets, 2)
    return list(dict.fromkeys(wanted))


def compare_pairs(cells: Sequence[Scored], params: ScoreParams) -> list[Compared]:
    """The differences of `wanted_pairs`. p-values are corrected for the number of all of them (Holm).

    Raises
    ------
    InputError
        Two cells were not scored on the same blocks.
    """
    groups: dict[Pair, list[Scored]] = {}
    for cell in cells:
        groups.setdefault(cell.pair, []).append(cell)
    _check_same_blocks(cells)
    roles = roles_compared(cells)
    found = [
        _compare(one, other, groups[one], groups[other], roles, params) for one, other in wanted_pairs(list(groups))
    ]
    corrected = holm([math.nan if c.p is None else c.p for c in found])
    return [
        Compared(**{**c.__dict__, "p_corrected": None if math.isnan(p) else p})
        for c, p in zip(found, corrected, strict=True)
    ]


def record(cells: Sequence[Scored], compared: Sequence[Compared], params: ScoreParams) -> dict[str, Any]:
    """`metrics/differences.json`: numbers, and the few facts that `skred.scores.verdicts` needs beside them."""
    roles = roles_compared(cells)
    blocks = len(cells[0].blocks.of(*roles).bins) if cells else 0
    measured = {"where": _where(cells), "score": SCORE, "roles": " and ".join(roles), "blocks": blocks}
    return {
        "measured": measured | {"min_seeds": params.min_seeds},
        "differences": {c.name: c.record() for c in compared},
    }


def _where(cells: Sequence[Scored]) -> str:
    if not cells:
        return "Nowhere"
    simulated = {bool(cell.scores["simulated"]) for cell in cells}
    event = str(cells[0].scores.get("event", "unnamed"))
    if simulated == {True}:
        return "In the simulated world"
    return f"On real pixels ({event})" if simulated == {False} else "On simulated and real pixels"


def _check_same_blocks(cells: Sequence[Scored]) -> None:
    for cell in cells[1:]:
        same_keys = cell.blocks.keys.equals(cells[0].blocks.keys)
        if not same_keys or not np.array_equal(cell.blocks.bins.sum(axis=2), cells[0].blocks.bins.sum(axis=2)):
            raise InputError(
                f"cells {cells[0].scores['cell']} and {cell.scores['cell']} were scored on other pixels; "
                "give them patches with the same split"
            )


def _compare(
    one: Pair,
    other: Pair,
    ones: Sequence[Scored],
    others: Sequence[Scored],
    roles: tuple[str, ...],
    params: ScoreParams,
) -> Compared:
    tables = [[c.blocks.of(*roles).pixels(c.scores["threshold"]) for c in group] for group in (ones, others)]
    score = PIXEL_SCORES[SCORE]
    seeds = tuple(tuple(float(score.value(t.sum(axis=0).astype(float))) for t in group) for group in tables)
    values = np.hstack([t for group in tables for t in group])
    statistic = Difference(Mean(score, len(ones)), Mean(score, len(others)), 4 * len(ones))
    section = ones[0].scores if roles == ("test",) else ones[0].scores["held_out"]
    reason = too_few(len(values), section["landslides"], params)
    resamples = Resamples.draw(len(values), params.replicates, params.seed)
    by_seed = OtherError.of_means(seeds)
    near = nearby(ones[0].blocks.of(*roles).keys, params.nearby_blocks)
    found = estimate(values, statistic, resamples, "studentised", other=by_seed, nearby=near)
    if reason is None and not math.isfinite(found.p):
        reason = "hangs on few blocks"
    reason = _undefined([*ones, *others], [*seeds[0], *seeds[1]]) or reason
    error_seeds = by_seed.error if by_seed else None
    return Compared(
        one=one,
        other=other,
        difference=found.value if math.isfinite(found.value) else None,
        low=None if reason else found.low,
        high=None if reason else found.high,
        p=None if reason else found.p,
        p_corrected=None,
        error_blocks=None if reason else math.sqrt(found.error**2 - (error_seeds or 0) ** 2),
        error_seeds=error_seeds,
        seeds=(seeds[0], seeds[1]),
        reason=reason,
    )


def _undefined(cells: Sequence[Scored], mcc: Sequence[float]) -> str | None:
    """Why a difference has no value: a cell that detects nothing, or everything, has no MCC."""
    without = [str(cell.scores["cell"]) for cell, value in zip(cells, mcc, strict=True) if not math.isfinite(value)]
    return f"MCC of {' and '.join(without)} is not defined" if without else None
