"""A folder of patches on disk: one memory-mapped file a band, so that a setting opens its own bands and no others.

``x/<band>.npy``      float32 (N, H, W), NaN where unknown
``y.npy``             uint8 (N, H, W): 0, 1, 255 unknown
``index.csv``         one row per patch: scene, row, col, height, width, block, split, share of landslide pixels
``correlogram.csv``   of spatial blocks: how alike labels and bands are at a distance (`skred.patches.correlogram`)
``<scene>.split.tif`` uint8 codes of `skred.patches.split.Split`
``patches.json``      bands, what was divided and how
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skred.core.bands import Band, select
from skred.core.errors import InputError
from skred.core.json_file import read_json
from skred.core.params import Section, parse
from skred.core.raster import read_raster
from skred.patches.params import SplitKind

INDEX_COLUMNS = ("scene", "row", "col", "height", "width", "block", "split", "landslide_share")


class PatchIndex(Section):
    """`patches.json`."""

    event: str
    simulated: bool
    split: SplitKind
    bands: tuple[Band, ...]
    scenes: tuple[str, ...]


@dataclass(frozen=True)
class PatchFolder:
    """An opened folder of patches."""

    path: Path
    about: PatchIndex
    index: pd.DataFrame

    @classmethod
    def open(cls, path: Path) -> PatchFolder:
        """Raises InputError if `path` is no whole folder of patches."""
        file = path / "patches.json"
        hint = f"{path} is no folder of patches; run the patch stage"
        about = parse(PatchIndex, read_json(file, hint), file=file)
        try:
            index = pd.read_csv(path / "index.csv")
        except (OSError, ValueError) as error:
            raise InputError(f"{path / 'index.csv'}: missing or not readable: {hint}") from error
        return cls(path, about, index)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Numbers of the patches of a split ("train", "val", "test")."""
        rows: NDArray[np.int64] = np.flatnonzero(self.index["split"].to_numpy() == split)
        return rows

    def x(self, names: Sequence[str]) -> list[NDArray[np.float32]]:
        """Memory maps of the named bands, each of shape (N, H, W)."""
        bands = select(self.about.bands, names, where=str(self.path))
        return [np.load(self.path / "x" / f"{band.name}.npy", mmap_mode="r") for band in bands]

    def y(self) -> NDArray[np.uint8]:
        """Labels of all patches, memory-mapped, shape (N, H, W)."""
        labels: NDArray[np.uint8] = np.load(self.path / "y.npy", mmap_mode="r")
        return labels

    def split_raster(self, scene: str) -> NDArray[np.uint8]:
        """The split raster of a scene, shape (H, W)."""
        split: NDArray[np.uint8] = read_raster(self.path / f"{scene}.split.tif").array[0]
        return split

    def distinct_pixels(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which pixels of the patches `rows` are their scene's first sight of that place, shape (len(rows), H, W).

        Overlapping patches show a pixel more than once; a pixel-wise learner must not count it twice.
        """
        distinct: dict[int, NDArray[np.bool_]] = {}
        for _, group in self.index.iloc[rows].groupby("scene", sort=False):
            seen = np.zeros(((group["row"] + group["height"]).max(), (group["col"] + group["width"]).max()), bool)
            for place in group.itertuples():
                window = seen[place.row : place.row + place.height, place.col : place.col + place.width]
                distinct[place.Index] = ~window
                window[:] = True
        return np.stack([distinct[row] for row in rows])
