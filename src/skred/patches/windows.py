"""Choose the windows of a divided scene: none shows a pixel of another split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skred.core.grid import Window, starts
from skred.patches.split import Split


def windows_within(mask: NDArray[np.bool_], window_px: int, stride_px: int) -> list[Window]:
    """Windows on a lattice of `stride_px` whose every pixel is True in `mask` (shape ``(H, W)``), row by row.

    The last row and column of the lattice lie flush with the end of the scene.
    """
    height, width = mask.shape
    # summed[r, c] = number of True pixels above and left of (r, c)
    summed = np.zeros((height + 1, width + 1), np.int64)
    summed[1:, 1:] = mask.cumsum(0).cumsum(1)
    n = window_px
    return [
        Window(r, c, n, n)
        for r in starts(height, n, stride_px)
        for c in starts(width, n, stride_px)
        if summed[r + n, c + n] - summed[r, c + n] - summed[r + n, c] + summed[r, c] == n * n
    ]


def windows_of_split(split: NDArray[np.uint8], code: Split, window_px: int, stride_px: int) -> list[Window]:
    """Windows for training, on a lattice of `stride_px`, or for validation and test, side by side.

    A training window lies in training pixels alone. A validation or test window may reach into the buffer, whose
    labels the caller hides: otherwise a validation block beside a test block would lose all its windows. Where a
    scene is no multiple of the window, the last ones overlap those before: `PatchFolder.distinct_pixels` tells.
    """
    if code == Split.TRAIN:
        return windows_within(split == code, window_px, stride_px)
    windows = windows_within(np.isin(split, (code, Split.BUFFER)), window_px, window_px)
    return [window for window in windows if (split[window.slices] == code).any()]
