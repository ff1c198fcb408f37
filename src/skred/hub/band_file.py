"""One band of one raster file, read on a grid that its pixels fit into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.windows
from numpy.typing import NDArray

from skred.core.errors import InputError
from skred.core.grid import Grid, Window

_OFF_GRID_PX = 1e-3  # of a fine pixel: what rounded coordinates in files amount to
_REFLECTANCE = ("B02", "B03", "B04", "B08")


class NotOnGridError(Exception):
    """A file's pixels do not fit into a grid; the text says why."""


@dataclass(frozen=True)
class BandFile:
    """Where a band is, and how its stored values become the service's: ``stored x scale + offset``."""

    path: Path
    index: int
    grid: Grid
    scale: float
    offset: float
    nodata: float | None

    def place(self, grid: Grid) -> tuple[int, int, int]:
        """First row and column of the file on `grid`, and how many pixels of `grid` a side of its pixel is.

        Raises
        ------
        NotOnGridError
            Another CRS, or pixels that are no whole number of the grid's.
        """
        if self.grid.crs != grid.crs:
            raise NotOnGridError(f"has the CRS {self.grid.crs}, another file {grid.crs}")
        times = self.grid.resolution_m / grid.resolution_m
        col = (self.grid.west - grid.west) / grid.resolution_m
        row = (grid.north - self.grid.north) / grid.resolution_m
        if any(abs(number - round(number)) > _OFF_GRID_PX for number in (times, col, row)):
            raise NotOnGridError(
                f"has pixels of {self.grid.resolution_m:g} m from ({self.grid.west:g}, {self.grid.north:g}), "
                f"another file has them of {grid.resolution_m:g} m from ({grid.west:g}, {grid.north:g})"
            )
        return round(row), round(col), round(times)

    def read(self, window: Window, grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Values (0 where there are none) and where there are some, both of shape ``(H, W)``.

        A coarse pixel is repeated (nearest neighbour), so classes stay classes.
        """
        first_row, first_col, times = self.place(grid)
        rows = (np.arange(window.row, window.row + window.height) - first_row) // times
        cols = (np.arange(window.col, window.col + window.width) - first_col) // times
        inside_rows = (rows >= 0) & (rows < self.grid.height)
        inside_cols = (cols >= 0) & (cols < self.grid.width)
        values = np.zeros((window.height, window.width), np.float32)
        valid = np.zeros(values.shape, bool)
        if inside_rows.any() and inside_cols.any():
            rows, cols = rows[inside_rows], cols[inside_cols]
            part = rasterio.windows.Window(cols[0], rows[0], cols[-1] - cols[0] + 1, rows[-1] - rows[0] + 1)
            # Opened for each reading: a dataset must not be shared between threads.
            with rasterio.open(self.path) as dataset:
                stored = dataset.read(self.index, window=part)
            stored = stored[np.ix_(rows - rows[0], cols - cols[0])]
            known = np.isfinite(stored)
            if self.nodata is not None:
                known &= stored != self.nodata
            inside = np.ix_(inside_rows, inside_cols)
            values[inside] = np.where(known, stored * self.scale + self.offset, 0.0)
            valid[inside] = known
        return values, valid


def open_band(path: Path, index: int, name: str, said: Mapping[str, Any]) -> tuple[BandFile, dict[str, str]]:
    """Band `index` (from 1) of a file, and the file's tags.

    `said` is what the STAC item says about the band: ``scale``, ``offset``, ``nodata`` (or ``raster:scale``,
    ``raster:offset`` in STAC 1.1); what it leaves out comes from the file.

    Raises
    ------
    InputError
        The file has no such band, no place on Earth, pixels that are not square and north up, or stores reflectance
        as whole numbers and nobody says their scale.
    """
    with rasterio.open(path) as dataset:
        if not 1 <= index <= dataset.count:
            raise InputError(f"{path}: has {dataset.count} bands, but the item says that {name} is band {index}")
        a, skew, west, turn, e, north = tuple(dataset.transform)[:6]
        if dataset.crs is None or dataset.crs.to_epsg() is None or skew or turn or a <= 0 or abs(a + e) > 1e-9 * a:
            raise InputError(f"{path}: wanted a CRS with an EPSG code and square pixels, north up")
        grid = Grid(f"EPSG:{dataset.crs.to_epsg()}", west, north, a, dataset.width, dataset.height)
        told = {key: said.get(key, said.get(f"raster:{key}")) for key in ("scale", "offset", "nodata")}
        scale = dataset.scales[index - 1] if told["scale"] is None else float(told["scale"])
        offset = dataset.offsets[index - 1] if told["offset"] is None else float(told["offset"])
        whole = np.issubdtype(np.dtype(dataset.dtypes[index - 1]), np.integer)
        nodata = dataset.nodatavals[index - 1] if told["nodata"] is None else float(told["nodata"])
        tags = dict(dataset.tags())
    if name in _REFLECTANCE and whole and told["scale"] is None and scale == 1.0:
        raise InputError(
            f"{path}: {name} is stored as whole numbers and nobody says their scale; write the scale (0.0001 for "
            "Sentinel-2 L2A) and offset into the item's bands, or into the file"
        )
    return BandFile(path, index, grid, scale, offset, nodata), tags
