"""Training seeds of one setting and detector: means of scores with intervals over blocks and seeds, and the score of
each seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.scores.blocks import KEYS, nearby
from skred.scores.bootstrap import Mean, OtherError, Resamples, Statistic, estimate
from skred.scores.differences import Pair, Scored
from skred.scores.headline import at_the_end, most_where_none_was_seen, too_few
from skred.scores.params import ScoreParams
from skred.scores.statistics import PIXEL_SCORES, SHARE_OF, rate

Entry = dict[str, Any]
_PIXEL_SCORES = ("mcc", "f1", "precision", "recall")
_SHARES = {"recall": ("found", "landslides"), "precision": ("right", "detections")}
_RATE = "false_alarms_per_100km2"


@dataclass(frozen=True)
class Seed:
    """A cell with one of several training seeds: its counts, and those of whole objects per block (`objects.csv`) at
    the minimum mapping unit of all cells."""

    scored: Scored
    objects: pd.DataFrame


def seed_entries(cells: Sequence[Seed], params: ScoreParams) -> dict[Pair, Entry]:
    """For each setting and detector that has several seeds, what is to be added to its entry in `compare.json`: ends of
    95 % intervals of the means, which count places and seeds, or why there are none, and ``mcc_by_seed``."""
    groups: dict[Pair, list[Seed]] = {}
    for cell in cells:
        groups.setdefault(cell.scored.pair, []).append(cell)
    return {pair: _entry(group, params) for pair, group in groups.items() if len(group) > 1}


def merged(entry: Mapping[str, Any], more: Mapping[str, Any]) -> Entry:
    """`entry` with `more` added, section by section."""
    out = dict(entry)
    for key, value in more.items():
        out[key] = (
            merged(out[key], value) if isinstance(value, Mapping) and isinstance(out.get(key), Mapping) else value
        )
    return out


def _entry(group: Sequence[Seed], params: ScoreParams) -> Entry:
    scores = group[0].scored.scores
    entry = _region(group, ("test",), scores, params, whole="held_out" not in scores)
    if "unseen" in scores:
        entry["unseen"] = _region(group, ("unseen",), scores["unseen"], params, whole=False)
    if "held_out" in scores:
        entry["held_out"] = _region(group, ("test", "unseen"), scores["held_out"], params, whole=True)
    if "control" in scores:
        entry["control"] = _alarms(*_whole(group, ("control",), ["false", "area_km2"], params), params)
    return entry


def _alarms(tables: Sequence[NDArray[Any]], near: NDArray[np.int64], params: ScoreParams) -> Entry:
    false, area_km2 = np.sum(tables, axis=(0, 1))
    if area_km2 and not false:
        return {f"{_RATE}_low": 0.0, f"{_RATE}_high": most_where_none_was_seen(area_km2 / len(tables))}
    return _ends({_RATE: (tables, rate(100), near)}, too_few(len(tables[0]), None, params), params)


def _region(
    group: Sequence[Seed], roles: tuple[str, ...], section: Mapping[str, Any], params: ScoreParams, *, whole: bool
) -> Entry:
    tables = [seed.scored.blocks.of(*roles).pixels(seed.scored.scores["threshold"]) for seed in group]
    few = too_few(len(tables[0]), section["landslides"], params)
    near = nearby(group[0].scored.blocks.of(*roles).keys, params.nearby_blocks)
    entry = _ends({name: (tables, PIXEL_SCORES[name], near) for name in _PIXEL_SCORES}, few, params)
    mcc = {
        f"seed_{s.scored.scores['seed']}": _value(PIXEL_SCORES["mcc"], t) for s, t in zip(group, tables, strict=True)
    }
    entry["mcc_by_seed"] = {name: value if math.isfinite(value) else None for name, value in mcc.items()}
    if whole and "objects" in section:
        shares = {}
        for name, columns in _SHARES.items():
            counted, close = _whole(group, roles, list(columns), params)
            shares[name] = (counted, SHARE_OF, close)
        entry["objects"] = _ends(shares, few, params)
    return entry


def _whole(
    group: Sequence[Seed], roles: tuple[str, ...], columns: list[str], params: ScoreParams
) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Columns of `objects.csv` of each seed, the same blocks in the same order; and which of them lie `nearby`."""
    tables = [seed.objects[seed.objects["role"].isin(roles)].set_index(list(KEYS)) for seed in group]
    index = tables[0].index
    return [table.loc[index, columns].to_numpy() for table in tables], nearby(
        index.to_frame(index=False), params.nearby_blocks
    )


Wanted = tuple[Sequence[NDArray[Any]], Statistic, NDArray[np.int64]]  # counts of each seed, score, `nearby`


def _ends(wanted: Mapping[str, Wanted], few: str | None, params: ScoreParams) -> Entry:
    entry: Entry = {}
    reasons = [few] if few else []
    for name, (tables, statistic, near) in wanted.items():
        low, high = (None, None) if few else _interval(tables, statistic, near, params)
        entry |= {f"{name}_low": low, f"{name}_high": high}
        if low is None and not few:
            reasons.append(f"{name} {_why(tables, statistic)}")
    return entry | ({"no_interval": "; ".join(reasons)} if reasons else {})


def _why(tables: Sequence[NDArray[Any]], statistic: Statistic) -> str:
    if not all(math.isfinite(_value(statistic, table)) for table in tables):
        return "of a seed is not defined"
    if statistic is SHARE_OF:
        return f"is {at_the_end(*(int(n) for n in np.sum(tables, axis=(0, 1))))}"
    return "hangs on few blocks"


def _interval(
    tables: Sequence[NDArray[Any]], statistic: Statistic, near: NDArray[np.int64], params: ScoreParams
) -> tuple[float | None, float | None]:
    resamples = Resamples.draw(len(tables[0]), params.replicates, params.seed)
    by_seed = OtherError.of_means([[_value(statistic, table) for table in tables]])
    mean = Mean(statistic, len(tables))
    found = estimate(np.hstack(tables), mean, resamples, "studentised", other=by_seed, nearby=near)
    return (found.low, found.high) if math.isfinite(found.low) else (None, None)


def _value(statistic: Statistic, table: NDArray[Any]) -> float:
    return float(statistic.value(table.sum(axis=0).astype(float)))
