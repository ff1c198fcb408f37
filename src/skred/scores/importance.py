"""How much a trained detector leans on each band: its score when the band shows another place (Breiman 2001).

Whole blocks of a band change places, so that the band keeps its texture and its values; single pixels would also break
the neighbourhood that a network looks at. Bands that say the same share their importance. What is known of a place
stays known and what is unknown stays unknown: otherwise bands with cloud in them would seem to matter more than others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.core.scenes import SceneFolder
from skred.detectors.model import Model
from skred.scores.blocks import BlockBins, block_raster, count_blocks, join, nearby
from skred.scores.bootstrap import Difference, Mean, OtherError, Resamples, estimate
from skred.scores.params import ImportanceParams
from skred.scores.ranked import Ranked
from skred.scores.statistics import PIXEL_SCORES


def shuffle_blocks(values: NDArray[np.float32], block_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """`values`, shape (H, W), with its whole blocks in another order; what is left at the edges stays, and so does a
    pixel that is unknown here or where its new value comes from (NaN)."""
    rows, cols = values.shape[0] // block_px, values.shape[1] // block_px
    inner = values[: rows * block_px, : cols * block_px]
    blocks = inner.reshape(rows, block_px, cols, block_px).swapaxes(1, 2).reshape(-1, block_px, block_px)
    mixed = blocks[rng.permutation(len(blocks))].reshape(rows, cols, block_px, block_px).swapaxes(1, 2)
    out = values.copy()
    moved = mixed.reshape(inner.shape)
    known = np.isfinite(moved) & np.isfinite(inner)
    out[: rows * block_px, : cols * block_px] = np.where(known, moved, inner)
    return out


def band_importance(model: Model, scenes: SceneFolder, threshold: float, params: ImportanceParams) -> pd.DataFrame:
    """MCC and AUPRC of all labelled pixels: as they are (band ``none``), and with each band shuffled (mean of repeats).

    Columns: band, mcc, auprc, mcc_drop, auprc_drop, and ``mcc_drop_low`` and ``mcc_drop_high``, a 95 % interval over
    blocks (the places) and repeats (the orders); empty where there is none.
    """
    mcc = PIXEL_SCORES["mcc"]
    blocks, whole = _predicted(model, scenes, None, params.block_px, np.random.default_rng(params.seed))
    base, near = blocks.pixels(threshold), nearby(blocks.keys, params.nearby_blocks)
    resamples = Resamples.draw(len(base), params.replicates, params.seed)
    base_mcc, base_auprc = _mcc(whole, threshold), _auprc(whole)
    rows = [{"band": "none", "mcc": base_mcc, "auprc": base_auprc, "mcc_drop": 0.0, "auprc_drop": 0.0}]
    for i, band in enumerate(model.inputs.names):
        mixed = [
            _predicted(model, scenes, i, params.block_px, np.random.default_rng([params.seed, i, repeat]))
            for repeat in range(params.repeats)
        ]
        each, auprc = [_mcc(one, threshold) for _, one in mixed], float(np.mean([_auprc(one) for _, one in mixed]))
        found = estimate(
            np.hstack([base, *(counts.pixels(threshold) for counts, _ in mixed)]),
            Difference(mcc, Mean(mcc, len(mixed)), base.shape[1]),
            resamples,
            "studentised",
            other=OtherError.of_means([each]),
            nearby=near,
        )
        mean = float(np.mean(each))
        unmoved = all(np.array_equal(counts.pixels(threshold), base) for counts, _ in mixed)
        low, high = (np.nan, np.nan) if unmoved else (found.low, found.high)  # rounding is no interval
        row = {"band": band, "mcc": mean, "auprc": auprc, "mcc_drop": base_mcc - mean, "auprc_drop": base_auprc - auprc}
        rows.append(row | {"mcc_drop_low": low, "mcc_drop_high": high})
    return pd.DataFrame(rows)


def _predicted(
    model: Model, scenes: SceneFolder, shuffled: int | None, block_px: int, rng: np.random.Generator
) -> tuple[BlockBins, Ranked]:
    parts, ranked = [], []
    for scene in scenes.names:
        values = list(scenes.bands(scene, model.inputs.names))
        if shuffled is not None:
            values[shuffled] = shuffle_blocks(values[shuffled], block_px, rng)
        labels = scenes.labels(scene)
        names = {"role": "all", "event": scenes.index.event, "scene": scene}
        every, blocks = np.ones(labels.shape, bool), block_raster(labels, block_px)
        p = model.probability(values)
        parts.append(count_blocks(p, labels, every, blocks, -(-labels.shape[1] // block_px), **names))
        ranked.append(Ranked.of(p, labels))
    return join(parts), Ranked.join(ranked)


def _mcc(pixels: Ranked, threshold: float) -> float:
    return pixels.at(threshold).mcc or 0.0


def _auprc(pixels: Ranked) -> float:
    return pixels.auprc() or 0.0
