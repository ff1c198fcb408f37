"""Optical looks of one window to the greenest pixel: the largest NDVI, and the colours of that same look.

Arrays are uint16 reflectance codes (reflectance × 10,000) of shape ``(4, H, W)`` in the order of `COLOURS`, and
uint8 scene classification (SCL) of shape ``(H, W)``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skred.coding import REFLECTANCE_STEP

COLOURS = ("B02", "B03", "B04", "B08")  # blue, green, red, near infrared
RED, NIR = 2, 3
CLOUD_AND_SHADOW = frozenset({3, 8, 9, 10})  # SCL: cloud shadow, medium and high cloud, cirrus


@dataclass
class Greenest:
    """The greenest look of every pixel in one window.

    `ndvi` is the largest NDVI ``(H, W)`` float32, `colours` the reflectances of the look that had it, ``(4, H, W)``
    float32 in the order of `COLOURS`, both NaN without any clear look; `looks` counts clear looks, uint16.
    """

    ndvi: NDArray[np.float32]
    colours: NDArray[np.float32]
    looks: NDArray[np.uint16]


def ndvi(red: NDArray[Any], nir: NDArray[Any]) -> NDArray[np.float32]:
    """(NIR − red) / (NIR + red), in −1..1 (Rouse et al. 1974); NaN where both are 0."""
    red, nir = red.astype(np.float32), nir.astype(np.float32)
    total = nir + red
    nir -= red
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(nir / total, np.float32)


def grow(mask: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    """`mask` and every pixel whose centre is within `radius_px` of a masked centre, shape ``(H, W)``."""
    reach = math.floor(radius_px)
    if reach == 0 or not mask.any():
        return mask.copy()
    height = mask.shape[0]
    grown = np.zeros_like(mask)
    for rows in range(min(reach, height - 1) + 1):
        # a disk is a stack of horizontal runs: widen every row by its run, then move it up and down
        half = math.floor(math.sqrt(radius_px**2 - rows**2))
        wide = ndimage.maximum_filter1d(mask, 2 * half + 1, axis=1, mode="constant") if half else mask
        grown[rows:] |= wide[: height - rows]
        grown[: height - rows] |= wide[rows:]
    return grown


def clear_mask(scl: NDArray[Any], dropped: Collection[int], growth_px: float) -> NDArray[np.bool_]:
    """Where a look saw the ground: SCL not in `dropped`, and not near cloud or cloud shadow.

    The classification is 20 m, and clouds have soft edges, so the mask is grown by `growth_px` around those of the
    codes 3, 8, 9 and 10 that are dropped. It is not grown around no data or snow, which have sharp edges.
    """
    hidden = np.zeros(256, bool)
    hidden[list(dropped)] = True
    cloud = np.zeros(256, bool)
    cloud[list(CLOUD_AND_SHADOW & set(dropped))] = True
    codes = scl.astype(np.uint8)
    return ~(hidden[codes] | grow(cloud[codes], growth_px))


def greenest(looks: Iterable[tuple[NDArray[np.uint16], NDArray[np.bool_]]], shape: tuple[int, int]) -> Greenest:
    """The greenest pixel of looks that come one by one, each ``(dn (4, H, W), clear (H, W))``.

    Holds one look at a time. Of looks that are equally green the first counts: give them in order of time.
    A pixel that is clear but black in red and near infrared has no NDVI and counts as not clear.
    """
    best = np.full(shape, -np.inf, np.float32)
    colours = np.zeros((len(COLOURS), *shape), np.uint16)
    count = np.zeros(shape, np.uint16)
    for dn, clear in looks:
        value = ndvi(dn[RED], dn[NIR])
        valid = clear & ~np.isnan(value)
        count += valid
        greener = valid & (value > best)
        np.copyto(best, value, where=greener)
        for colour, new in zip(colours, dn, strict=True):
            np.copyto(colour, new, where=greener)
    return _finish(best, colours, count)


def greenest_of_stack(dn: NDArray[np.uint16], clear: NDArray[np.bool_]) -> Greenest:
    """`greenest` of a stack that fits in memory: `dn` ``(T, 4, H, W)``, `clear` ``(T, H, W)``, in order of time.

    The definition in three lines, which the streaming function must equal.
    """
    value = ndvi(dn[:, RED], dn[:, NIR])
    value = np.where(clear & ~np.isnan(value), value, -np.inf).astype(np.float32)
    first = value.argmax(axis=0)[None]
    colours = np.take_along_axis(dn, first[:, None], axis=0)[0]
    count = np.isfinite(value).sum(axis=0).astype(np.uint16)
    return _finish(np.take_along_axis(value, first, axis=0)[0], colours, count)


def _finish(best: NDArray[np.float32], colours: NDArray[np.uint16], count: NDArray[np.uint16]) -> Greenest:
    unseen = count == 0
    best[unseen] = np.nan
    reflectance = colours * np.float32(REFLECTANCE_STEP)
    reflectance[:, unseen] = np.nan
    return Greenest(best, reflectance, count)
