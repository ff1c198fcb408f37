"""Pixel and object scores with their intervals, for `scores.json`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.scores.blocks import BlockBins, nearby
from skred.scores.bootstrap import Resamples, Statistic, estimate
from skred.scores.objects import COUNTS, object_scores
from skred.scores.params import ScoreParams
from skred.scores.ranked import Ranked, steps_per_block
from skred.scores.statistics import PIXEL_SCORES, SHARE_OF, AveragePrecision, rate


def pixel_scores(
    blocks: BlockBins,
    ranked: Ranked,
    block: NDArray[np.int64],
    threshold: float,
    landslides: int,
    params: ScoreParams,
) -> dict[str, Any]:
    """Scores by name with ``<name>_low`` and ``<name>_high``; those are None, with the reason under ``no_interval``,
    where fewer than `min_blocks` blocks or `min_landslides` landslides were scored, or where the score hangs on so few
    blocks that many resamples do not define it. `ranked` are the pixels that `blocks` counts, and `block` the line of
    each in it."""
    counts, few = blocks.total(), too_few(len(blocks.bins), landslides, params)
    table = counts.at(threshold)
    scores: dict[str, Any] = {**table.scores(), "auprc": ranked.auprc()}
    near = nearby(blocks.keys, params.nearby_blocks)
    nothing = table.tp + table.fp == 0
    reasons = [few or "nothing was detected"] if few or nothing else []
    for name in list(scores):
        low = high = None
        if few is None:
            values: NDArray[Any] = blocks.pixels(threshold)
            statistic: Statistic = AveragePrecision()
            if name == "auprc":
                values = steps_per_block(ranked, block, len(blocks.bins))
            else:
                statistic = PIXEL_SCORES[name]
            low, high = _ends(values, statistic, near, params)
            if low is None and scores[name] is not None and (name == "auprc" or not nothing):
                reasons.append(f"{name} hangs on few blocks")
        scores |= {f"{name}_low": low, f"{name}_high": high}
    if reasons:
        scores["no_interval"] = "; ".join(reasons)
    return scores | {
        "pixels": counts.pixels,
        "landslide_pixels": int(counts.positive.sum()),
        "landslides": landslides,
        "blocks": len(blocks.bins),
    }


def too_few(blocks: int, landslides: int | None, params: ScoreParams) -> str | None:
    """Why there can be no interval, None where there can be; `landslides` None where there are none to find."""
    if blocks < params.min_blocks:
        return f"{blocks} blocks, wanted {params.min_blocks}"
    if landslides is not None and landslides < params.min_landslides:
        return f"{landslides} landslides, wanted {params.min_landslides}"
    return None


def _ends(
    values: NDArray[Any], statistic: Statistic, near: NDArray[np.int64], params: ScoreParams
) -> tuple[float | None, float | None]:
    resamples = Resamples.draw(len(values), params.replicates, params.seed)
    found = estimate(values, statistic, resamples, params.interval, nearby=near)
    return (found.low, found.high) if math.isfinite(found.low) else (None, None)


_OBJECT_SHARES = (("recall", "found", "landslides"), ("precision", "right", "detections"))
_RULE_OF_THREE = 3.0  # alarms: where none was seen, as many could be expected with a chance of 5 % to see none


def whole_objects(per_block: pd.DataFrame, params: ScoreParams) -> dict[str, Any]:
    """Scores of whole landslides and detections and the rate of false alarms, with intervals, from the counts per block
    of some regions at one minimum mapping unit (`objects.csv`). ``no_interval`` says why an interval is None."""
    counts = {name: int(per_block[name].sum()) for name in COUNTS}
    scores: dict[str, Any] = object_scores(counts)
    few, reasons = too_few(len(per_block), counts["landslides"], params), []
    for name, part, whole in _OBJECT_SHARES:
        low = high = None
        if few is None:
            low, high = _ends(
                per_block[[part, whole]].to_numpy(), SHARE_OF, nearby(per_block, params.nearby_blocks), params
            )
            if low is None and scores[name] is not None:
                reasons.append(f"{name} is {at_the_end(counts[part], counts[whole])}")
        scores |= {f"{name}_low": low, f"{name}_high": high}
    alarms = alarm_rate(per_block, params)
    reasons = [few] if few else reasons
    if "no_interval" in alarms and alarms["no_interval"] not in reasons:
        reasons.append(alarms["no_interval"])
    return scores | alarms | ({"no_interval": "; ".join(reasons)} if reasons else {})


def at_the_end(part: int, whole: int) -> str:
    """Why a share has no interval."""
    return f"{part} of {whole}" if part in (0, whole) else f"{part} of {whole}, in few blocks"


def most_where_none_was_seen(area_km2: float) -> float:
    """The rate per 100 km² at which no alarm would be seen with a chance of 5 %: three in the area (the rule of three;
    Hanley & Lippman-Hand 1983), if alarms come one by one."""
    return 100 * _RULE_OF_THREE / area_km2


def alarm_rate(per_block: pd.DataFrame, params: ScoreParams) -> dict[str, Any]:
    """False detections per 100 km² of known pixels with their interval, from the columns false and area_km2.

    Where there is none, the interval goes from 0 to `most_where_none_was_seen`. Otherwise ``no_interval`` says why the
    ends are None.
    """
    area = float(per_block["area_km2"].sum())
    false = int(per_block["false"].sum())
    low = high = None
    reason = too_few(len(per_block), None, params)
    if area and not false:
        low, high, reason = 0.0, most_where_none_was_seen(area), None
    elif reason is None:
        low, high = _ends(
            per_block[["false", "area_km2"]].to_numpy(), rate(100), nearby(per_block, params.nearby_blocks), params
        )
        reason = "false alarms hang on few blocks" if low is None else None
    return {
        "false_alarms_per_100km2": 100 * false / area if area else None,
        "false_alarms_per_100km2_low": low,
        "false_alarms_per_100km2_high": high,
        "false_alarms": false,
        "area_km2": area,
    } | ({"no_interval": reason} if reason else {})
