"""Counts per block: the basis of every score with an interval.

A block is a square of `block_px`; a landslide that crosses a border counts in the block where its larger part lies.
Blocks without a counted pixel are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.errors import InputError
from skred.core.scenes import LANDSLIDE, UNKNOWN
from skred.patches.split import EIGHT, block_ids
from skred.scores.bins import BINS, BinCounts, bins_of

KEYS = ("role", "event", "scene", "block_row", "block_col")  # what names a block
PIXELS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class BlockBins:
    """Blocks with their pixels per bin of probability: `bins` has shape (blocks, 2, BINS), landslide first."""

    keys: pd.DataFrame
    bins: NDArray[np.int32]

    def pixels(self, threshold: float) -> NDArray[np.int64]:
        """(tp, fp, fn, tn) of each block at a threshold, shape (blocks, 4)."""
        above = self.bins[:, :, round(threshold * BINS) :].sum(axis=2, dtype=np.int64)
        below = self.bins.sum(axis=2, dtype=np.int64) - above
        return np.concatenate([above, below], axis=1)

    def of(self, *roles: str) -> BlockBins:
        """The blocks of some roles."""
        chosen = self.keys["role"].isin(roles).to_numpy()
        return BlockBins(self.keys[chosen].reset_index(drop=True), self.bins[chosen])

    def total(self) -> BinCounts:
        positive, negative = self.bins.sum(axis=0, dtype=np.int64)
        return BinCounts(positive, negative)


def join(parts: Sequence[BlockBins]) -> BlockBins:
    """Blocks of several scenes, in their order."""
    keys = [part.keys for part in parts]
    empty = BlockBins(pd.DataFrame(columns=list(KEYS)), np.zeros((0, 2, BINS), np.int32))
    if not keys:
        return empty
    return BlockBins(pd.concat(keys, ignore_index=True), np.concatenate([part.bins for part in parts]))


def nearby(keys: pd.DataFrame, side: int) -> NDArray[np.int64]:
    """The ways to lay squares of `side` by `side` blocks, for `skred.scores.bootstrap.estimate`: for each way the
    number of the square of each block, shape (side², blocks).

    Columns event, scene, block_row and block_col; a block of one scene shares a square with none of another.
    """
    scene = keys.groupby(["event", "scene"], sort=False).ngroup().to_numpy()
    rows, cols = (keys[name].to_numpy(np.int64) for name in ("block_row", "block_col"))
    ways = [(scene, (rows + down) // side, (cols + right) // side) for down in range(side) for right in range(side)]
    return np.stack([np.unique(np.stack(way), axis=1, return_inverse=True)[1].ravel() for way in ways])


def block_keys(ids: NDArray[Any], per_row: int, *, role: str, event: str, scene: str) -> dict[str, Any]:
    """The `KEYS` of blocks by their number (`skred.patches.split.block_ids`), `per_row` of them in a row."""
    rows, cols = np.divmod(ids.astype(np.int64), per_row)
    return {"role": role, "event": event, "scene": scene, "block_row": rows, "block_col": cols}


def block_raster(labels: NDArray[np.uint8], block_px: int) -> NDArray[np.int32]:
    """The block of every pixel, shape (H, W); each landslide lies in one block alone."""
    blocks = block_ids((labels.shape[0], labels.shape[1]), block_px)
    objects, count = ndimage.label(labels == LANDSLIDE, EIGHT)
    if not count:
        return blocks
    inside = objects > 0
    pairs = pd.DataFrame({"object": objects[inside], "block": blocks[inside]})
    sizes = pairs.value_counts(sort=False).reset_index(name="pixels")
    # the largest part; on a tie the smaller number
    owner = sizes.sort_values(["object", "pixels", "block"], ascending=[True, False, True]).drop_duplicates("object")
    blocks = blocks.copy()
    blocks[inside] = owner.set_index("object")["block"].to_numpy()[objects[inside] - 1]
    return blocks


def count_blocks(
    probability: NDArray[np.float32],
    labels: NDArray[np.uint8],
    chosen: NDArray[np.bool_],
    blocks: NDArray[np.int32],
    per_row: int,
    *,
    role: str,
    event: str,
    scene: str,
) -> BlockBins:
    """Count the known pixels of `chosen` per block and bin. Arrays have shape (H, W); `per_row` blocks make a row."""
    use = chosen & (labels != UNKNOWN)
    ids, index = np.unique(blocks[use], return_inverse=True)
    negative = (labels[use] != LANDSLIDE).astype(np.int64)
    place = (index * 2 + negative) * BINS + bins_of(probability[use])
    bins = np.bincount(place, minlength=len(ids) * 2 * BINS).reshape(len(ids), 2, BINS)
    keys = pd.DataFrame(block_keys(ids, per_row, role=role, event=event, scene=scene), columns=list(KEYS))
    return BlockBins(keys, bins.astype(np.int32))


def write_blocks(folder: Path, blocks: BlockBins, threshold: float) -> None:
    """``blocks.csv``, counts at the threshold for people and scripts, and ``bins.npy``, all thresholds."""
    table = pd.concat([blocks.keys, pd.DataFrame(blocks.pixels(threshold), columns=list(PIXELS))], axis=1)
    table.to_csv(folder / "blocks.csv", index=False)
    np.save(folder / "bins.npy", blocks.bins, allow_pickle=False)


def read_blocks(folder: Path) -> BlockBins:
    """What `write_blocks` wrote. Raises InputError if it is not there."""
    try:
        table: Any = pd.read_csv(folder / "blocks.csv", dtype={"role": str, "event": str, "scene": str})
        bins = np.load(folder / "bins.npy", allow_pickle=False)
        return BlockBins(table[list(KEYS)], bins)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: no counts per block ({error}); run the evaluate stage") from error
