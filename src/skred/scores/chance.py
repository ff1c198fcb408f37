"""What chance would find: the reference landslides moved to places where they are not.

Only the scored region counts, as for the landslides themselves: a moved one must lie on its known pixels, and
detections elsewhere are not hit. It may lie where another landslide was detected: a map that is right in many places
finds much by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class Moved:
    """Counts per shift, shape (shifts,): landslides that lie in the region (at least half of their pixels), and among
    them those found and touched."""

    inside: NDArray[np.int64]
    found: NDArray[np.int64]
    touched: NDArray[np.int64]

    def __add__(self, other: Moved) -> Moved:
        return Moved(self.inside + other.inside, self.found + other.found, self.touched + other.touched)

    def summary(self) -> dict[str, float | None]:
        """Recall by chance: of all moved landslides together, and the range that holds 95 % of the shifts."""
        use = self.inside > 0
        if not use.any():
            return dict.fromkeys(("recall", "recall_low", "recall_high", "recall_touched"))
        low, high = np.quantile(self.found[use] / self.inside[use], [0.025, 0.975])
        return {
            "recall": float(self.found.sum() / self.inside.sum()),
            "recall_low": float(low),
            "recall_high": float(high),
            "recall_touched": float(self.touched.sum() / self.inside.sum()),
        }


def draw_shifts(numbers: NDArray[Any], shifts: int, seed: int) -> NDArray[np.int64]:
    """Random shifts (rows, columns), shape (shifts, 2), in any direction: further than the longest diagonal of a
    landslide's bounding box, so that none overlaps its own place, and otherwise at most half of the scene."""
    rng = np.random.default_rng(seed)
    boxes = [box for box in ndimage.find_objects(numbers) if box is not None]
    sides = [[edge.stop - edge.start for edge in box] for box in boxes]
    longest = max((float(np.hypot(*side)) for side in sides), default=1.0)
    nearest = longest + 1  # a shift is rounded to whole pixels
    far = max(min(numbers.shape) / 2, nearest + 1)
    length, angle = rng.uniform(nearest, far, shifts), rng.uniform(0, 2 * np.pi, shifts)
    return np.rint(np.stack([length * np.sin(angle), length * np.cos(angle)], axis=1)).astype(np.int64)


def move(
    predicted: NDArray[np.bool_],
    known: NDArray[np.bool_],
    numbers: NDArray[Any],
    shifts: NDArray[np.int64],
    overlap_share: float,
) -> Moved:
    """Count hits of landslides (`numbers` from 1 on, 0 elsewhere) on `predicted`, moved by each shift.

    All arrays have shape (H, W). What leaves the `known` pixels of the region is no hit: nothing is there to be hit.
    """
    height, width = predicted.shape
    predicted = predicted & known
    rows, cols = np.nonzero(numbers)
    _, which, sizes = np.unique(numbers[rows, cols], return_inverse=True, return_counts=True)
    found, touched, inside = ([np.zeros(0, np.int64)] for _ in range(3))
    for part in np.array_split(shifts, max(1, len(shifts) * len(rows) // 2_000_000)):  # bounded memory
        r, c = rows + part[:, :1], cols + part[:, 1:]
        within = (r >= 0) & (r < height) & (c >= 0) & (c < width)
        hit = np.zeros(r.shape, bool)
        hit[within] = predicted[r[within], c[within]]
        within[within] = known[r[within], c[within]]
        place = which + len(sizes) * np.arange(len(part))[:, None]
        lying, covered = (
            np.bincount(place[mask], minlength=len(part) * len(sizes)).reshape(len(part), -1) for mask in (within, hit)
        )
        stays = lying * 2 >= sizes
        inside.append(stays.sum(axis=1))
        touched.append((stays & (covered > 0)).sum(axis=1))
        found.append((stays & (covered > 0) & (covered >= overlap_share * sizes)).sum(axis=1))
    return Moved(np.concatenate(inside), np.concatenate(found), np.concatenate(touched))
