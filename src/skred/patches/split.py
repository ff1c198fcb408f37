"""Divide a scene into train, validation and test so that nothing leaks from one to another.

Pure functions on arrays of shape ``(H, W)``. A split raster holds the codes of `Split`.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.scenes import LANDSLIDE, UNKNOWN


class Split(IntEnum):
    """Codes of a split raster. BUFFER is neither trained on nor scored; OUTSIDE is its nodata code, on no pixel."""

    OUTSIDE = 0
    TRAIN = 1
    VAL = 2
    TEST = 3
    BUFFER = 4


EIGHT = np.ones((3, 3), bool)  # pixels that touch at a corner belong together


def block_ids(shape: tuple[int, int], block_px: int) -> NDArray[np.int32]:
    """Number of the block of every pixel, counted row by row; the last row and column of blocks may be smaller."""
    height, width = shape
    per_row = -(-width // block_px)
    rows, cols = np.arange(height) // block_px, np.arange(width) // block_px
    ids: NDArray[np.int32] = (rows[:, None] * per_row + cols[None, :]).astype(np.int32)
    return ids


def assign_at_random(n_blocks: int, shares: tuple[float, float], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A split for each block: `shares` of them validation and test (rounded, at least one each if above 0)."""
    counts = [max(1, round(share * n_blocks)) if share > 0 else 0 for share in shares]
    codes = np.full(n_blocks, Split.TRAIN, np.uint8)
    order = rng.permutation(n_blocks)
    codes[order[: counts[0]]] = Split.VAL
    codes[order[counts[0] : sum(counts)]] = Split.TEST
    return codes


def imbalance(
    labels: NDArray[np.uint8],
    training_labels: NDArray[np.uint8],
    split: NDArray[np.uint8],
    shares: tuple[float, float],
) -> float:
    """How far train, validation and test are from being a fair sample of the landslides: the largest of three faults.

    - the share of the landslides that a split misses or has too many, by area, ``|got / wanted - 1|``;
    - the same by number, where a landslide counts for the split in which all its pixels lie;
    - the share of the largest landslide in the area of its split: sizes are heavy-tailed, and a split that is one
      large landslide says nothing about the others.

    Relative to the share, so that small validation counts as much as large train. For train a landslide must still be
    one in `training_labels`. To be taken after borders are settled and the buffer is laid: what the buffer swallows
    counts as missing, so a division with a small imbalance is also one that leaves much to train on.
    """
    objects, count = ndimage.label(labels == LANDSLIDE, EIGHT)
    inside = objects > 0
    visible = np.where((split == Split.TRAIN) & (training_labels != LANDSLIDE), np.uint8(Split.BUFFER), split)[inside]
    pixels = np.bincount((objects[inside] - 1) * len(Split) + visible, minlength=count * len(Split))
    pixels = pixels.reshape(count, len(Split))
    whole = pixels == pixels.sum(axis=1, keepdims=True)
    wanted = {Split.TRAIN: 1 - sum(shares), Split.VAL: shares[0], Split.TEST: shares[1]}
    faults = []
    for code, share in wanted.items():
        area, largest = pixels[:, code].sum(), pixels[:, code].max(initial=0)
        for got in (area / max(pixels.sum(), 1), whole[:, code].sum() / max(count, 1)):
            faults.append(float(abs(got / share - 1) if share else got))
        faults.append(float(largest / max(area, 1)))
    return max(faults)


def settle_borders(labels: NDArray[np.uint8], split: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give each landslide that crosses a border to the split where its larger part lies.

    Returns the labels for training, in which such landslides are unknown, and the split raster for scoring.
    On a tie the split with the smaller code wins.
    """
    labels, split = labels.copy(), split.copy()
    objects, count = ndimage.label(labels == LANDSLIDE, EIGHT)
    codes = len(Split)
    table = np.bincount(objects.ravel() * codes + split.ravel(), minlength=(count + 1) * codes).reshape(-1, codes)
    crossing = (table[1:] > 0).sum(axis=1) > 1
    owner = table[1:].argmax(axis=1).astype(np.uint8)
    inside = objects > 0
    number = objects[inside] - 1
    labels[inside] = np.where(crossing[number], UNKNOWN, labels[inside])
    split[inside] = np.where(crossing[number], owner[number], split[inside])
    return labels, split


def lay_buffer(split: NDArray[np.uint8], buffer_px: int) -> NDArray[np.uint8]:
    """Turn training pixels within `buffer_px` of validation or test, and validation pixels within `buffer_px` of
    test, into buffer (distance in whole pixels along rows and columns, the larger of the two)."""

    def near(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if buffer_px == 0 or not mask.any():
            return np.zeros_like(mask)
        grown = ndimage.maximum_filter(mask.astype(np.uint8), size=2 * buffer_px + 1, mode="constant", cval=0)
        return np.asarray(grown > 0)

    out = split.copy()
    held_out = np.isin(split, (Split.VAL, Split.TEST))
    out[near(held_out) & (split == Split.TRAIN)] = Split.BUFFER
    out[near(split == Split.TEST) & (split == Split.VAL)] = Split.BUFFER
    return out
