"""Radar passes of two windows to one value before and one after the event, in dB.

A track is an orbit direction and a relative orbit: passes of one track see every slope from the same side, so only
they may be compared. A pixel uses the tracks that have enough passes in both windows, so a track that stops
flying, or a pass that covers half the area, is no change of the ground.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skred.coding import DB_OFFSET, DB_STEP, NODATA, decode_power

POLARISATIONS = ("VV", "VH")
Mean = Literal["linear", "db"]


@dataclass
class WindowSums:
    """Sums over the passes of one track in one window.

    `total` is ``(2, H, W)`` float32 in the order of `POLARISATIONS`: sums of linear power, or of dB; `count` the
    valid passes, ``(H, W)`` uint16.
    """

    total: NDArray[np.float32]
    count: NDArray[np.uint16]


@dataclass
class TrackSums:
    """One track: sums before and after the event, and where it is blind (layover or radar shadow), ``(H, W)``."""

    pre: WindowSums
    post: WindowSums
    blind: NDArray[np.bool_]


@dataclass
class RadarComposite:
    """`pre_db`, `post_db`: ``(2, H, W)`` float32 in the order of `POLARISATIONS`, NaN in both where no track counts.

    `passes_pre`, `passes_post`: passes of the tracks that count, ``(H, W)`` uint16; `tracks`: how many count, uint8.
    """

    pre_db: NDArray[np.float32]
    post_db: NDArray[np.float32]
    passes_pre: NDArray[np.uint16]
    passes_post: NDArray[np.uint16]
    tracks: NDArray[np.uint8]


def sum_passes(passes: Iterable[NDArray[np.uint16]], shape: tuple[int, int], mean: Mean) -> WindowSums:
    """Sum the passes of one track in one window, one at a time, each ``(2, H, W)`` of codes (`skred.coding`).

    A pass is valid at a pixel where both polarisations have data. ``mean="linear"`` sums power, ``"db"`` sums dB.
    """
    table = _table(mean)
    total = np.zeros((len(POLARISATIONS), *shape), np.float32)
    count = np.zeros(shape, np.uint16)
    for codes in passes:
        valid = (codes != NODATA).all(axis=0)
        count += valid
        for pol, code in zip(total, codes, strict=True):
            np.add(pol, table[code], out=pol, where=valid)
    return WindowSums(total, count)


def combine(tracks: Iterable[TrackSums], shape: tuple[int, int], *, mean: Mean, min_passes: int) -> RadarComposite:
    """One value before and after from all tracks, taken one at a time.

    A pixel uses a track that has at least `min_passes` valid passes in both windows and is not blind there.
    ``mean="linear"``: mean power per track, then the mean of the tracks with equal weight (the same weights before
    and after, whatever the numbers of passes), then dB. ``mean="db"``: the mean of the dB values of all passes of
    those tracks, as Lindsay's Earth Engine scripts do; it lies below the linear mean.
    """
    total = np.zeros((2, len(POLARISATIONS), *shape), np.float32)
    passes = np.zeros((2, *shape), np.uint16)
    used = np.zeros(shape, np.uint8)
    for track in tracks:
        use = (track.pre.count >= min_passes) & (track.post.count >= min_passes) & ~track.blind
        used += use
        for window, sums in enumerate((track.pre, track.post)):
            np.add(passes[window], sums.count, out=passes[window], where=use)
            weight = np.maximum(sums.count, 1) if mean == "linear" else np.ones((), np.uint16)
            np.add(total[window], sums.total / weight.astype(np.float32), out=total[window], where=use)
    seen = used > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        db = 10.0 * np.log10(total / used) if mean == "linear" else total / passes[:, None]
    db = np.where(seen, db, np.nan).astype(np.float32)
    return RadarComposite(db[0], db[1], passes[0], passes[1], used)


def blind_to_all(blind: Iterable[NDArray[np.bool_]], seen: Iterable[NDArray[np.bool_]]) -> NDArray[np.bool_] | None:
    """Where every track that covers a pixel is blind there; None without tracks. All arrays ``(H, W)``."""
    result: NDArray[np.bool_] | None = None
    covered: NDArray[np.bool_] | None = None
    for is_blind, is_seen in zip(blind, seen, strict=True):
        blind_or_elsewhere = is_blind | ~is_seen
        result = blind_or_elsewhere if result is None else result & blind_or_elsewhere
        covered = is_blind if covered is None else covered | is_blind
    return None if result is None or covered is None else result & covered


@cache
def _table(mean: Mean) -> NDArray[np.float32]:
    # every code there is, decoded once: a look-up is some twenty times faster than 10 ** x of every pixel
    codes = np.arange(2**16, dtype=np.uint16)
    table: NDArray[Any] = decode_power(codes) if mean == "linear" else codes * DB_STEP + DB_OFFSET
    return table.astype(np.float32)
