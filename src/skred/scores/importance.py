"""How much a trained detector leans on each band: its score when the band shows another place (Breiman 2001).

Whole blocks of a band change places, so that the band keeps its texture and its values; single pixels would also break
the neighbourhood that a network looks at. Bands that say the same share their importance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.core.scenes import SceneFolder
from skred.detectors.model import Model
from skred.scores.bins import EMPTY, BinCounts, count_bins


def shuffle_blocks(values: NDArray[np.float32], block_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """`values`, shape (H, W), with its whole blocks in another order; what is left at the edges stays."""
    rows, cols = values.shape[0] // block_px, values.shape[1] // block_px
    inner = values[: rows * block_px, : cols * block_px]
    blocks = inner.reshape(rows, block_px, cols, block_px).swapaxes(1, 2).reshape(-1, block_px, block_px)
    mixed = blocks[rng.permutation(len(blocks))].reshape(rows, cols, block_px, block_px).swapaxes(1, 2)
    out = values.copy()
    out[: rows * block_px, : cols * block_px] = mixed.reshape(inner.shape)
    return out


def band_importance(
    model: Model, scenes: SceneFolder, threshold: float, *, block_px: int, repeats: int, seed: int
) -> pd.DataFrame:
    """MCC and AUPRC of all labelled pixels: as they are (band ``none``), and with each band shuffled (mean).

    Columns: band, mcc, auprc, mcc_drop, auprc_drop, and mcc_drop_smallest and mcc_drop_largest over the repeats.
    """
    whole = _counts(model, scenes, [], block_px, np.random.default_rng(seed))
    base = _scores(whole, threshold)
    rows = [{"band": "none", "mcc": base[0], "auprc": base[1], "mcc_drop": 0.0, "auprc_drop": 0.0}]
    for i, band in enumerate(model.inputs.names):
        each = np.array(
            [
                _scores(_counts(model, scenes, [i], block_px, np.random.default_rng([seed, i, repeat])), threshold)
                for repeat in range(repeats)
            ]
        )
        mcc, auprc = each.mean(axis=0)
        drop = base[0] - each[:, 0]
        row = {"band": band, "mcc": mcc, "auprc": auprc, "mcc_drop": base[0] - mcc, "auprc_drop": base[1] - auprc}
        rows.append(row | {"mcc_drop_smallest": drop.min(), "mcc_drop_largest": drop.max()})
    return pd.DataFrame(rows)


def _counts(
    model: Model, scenes: SceneFolder, shuffled: Sequence[int], block_px: int, rng: np.random.Generator
) -> BinCounts:
    counts = EMPTY
    for scene in scenes.names:
        values = list(scenes.bands(scene, model.inputs.names))
        for i in shuffled:
            values[i] = shuffle_blocks(values[i], block_px, rng)
        counts += count_bins(model.probability(values), scenes.labels(scene))
    return counts


def _scores(counts: BinCounts, threshold: float) -> tuple[float, float]:
    return counts.at(threshold).mcc or 0.0, counts.auprc() or 0.0
