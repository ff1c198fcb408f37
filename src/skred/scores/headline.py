"""Pixel and object scores with their intervals, for `scores.json`."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from skred.scores.blocks import BlockBins
from skred.scores.bootstrap import Resamples, Statistic, estimate
from skred.scores.params import ScoreParams
from skred.scores.statistics import PIXEL_SCORES, SHARE_OF, AveragePrecision, rate


def pixel_scores(blocks: BlockBins, threshold: float, landslides: int, params: ScoreParams) -> dict[str, Any]:
    """Scores by name with ``<name>_low`` and ``<name>_high``; those are None, with the reason under ``no_interval``,
    where fewer than `min_blocks` blocks or `min_landslides` landslides were scored, or where the score hangs on so few
    blocks that many resamples do not define it."""
    counts, few = blocks.total(), too_few(len(blocks.bins), landslides, params)
    scores: dict[str, Any] = {**counts.at(threshold).scores(), "auprc": counts.auprc()}
    reasons = [few] if few else []
    for name in list(scores):
        low = high = None
        if few is None:
            low, high = _ends(*_summed(blocks, threshold, name), params)
            if low is None and scores[name] is not None:
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


def _summed(blocks: BlockBins, threshold: float, name: str) -> tuple[NDArray[Any], Statistic]:
    if name != "auprc":
        return blocks.pixels(threshold), PIXEL_SCORES[name]
    used = blocks.bins.any(axis=(0, 1))  # empty bins are no step of the curve
    return blocks.bins[:, :, used].reshape(len(blocks.bins), -1), AveragePrecision()


def _ends(values: NDArray[Any], statistic: Statistic, params: ScoreParams) -> tuple[float | None, float | None]:
    resamples = Resamples.draw(len(values), params.replicates, params.seed)
    found = estimate(values, statistic, resamples, params.interval)
    return (found.low, found.high) if math.isfinite(found.low) else (None, None)


def object_intervals(per_block: pd.DataFrame, landslides: int, params: ScoreParams) -> dict[str, float | None]:
    """Ends of the intervals of recall and precision of whole objects, from counts per block."""
    out: dict[str, float | None] = {}
    for name, part, whole in (("recall", "found", "landslides"), ("precision", "right", "detections")):
        low = high = None
        if too_few(len(per_block), landslides, params) is None:
            low, high = _ends(per_block[[part, whole]].to_numpy(), SHARE_OF, params)
        out |= {f"{name}_low": low, f"{name}_high": high}
    return out


def alarm_rate(per_block: pd.DataFrame, params: ScoreParams) -> dict[str, Any]:
    """False detections per 100 km² of known pixels with their interval, from the columns false and area_km2."""
    area = float(per_block["area_km2"].sum())
    false = int(per_block["false"].sum())
    low = high = None
    if too_few(len(per_block), None, params) is None:
        low, high = _ends(per_block[["false", "area_km2"]].to_numpy(), rate(100), params)
    return {
        "false_alarms_per_100km2": 100 * false / area if area else None,
        "false_alarms_per_100km2_low": low,
        "false_alarms_per_100km2_high": high,
        "false_alarms": false,
        "area_km2": area,
    }
