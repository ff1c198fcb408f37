"""Read and write georeferenced rasters: Cloud Optimized GeoTIFFs with names, units, nodata, written atomically."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import MemoryFile

from skred.core.errors import InputError, SkredError
from skred.core.grid import Grid, Window


@dataclass(frozen=True)
class Raster:
    """An array of shape ``(bands, H, W)`` with its grid, band names, units, nodata value and tags."""

    array: NDArray[Any]
    grid: Grid
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    nodata: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def band(self, name: str) -> NDArray[Any]:
        """The band called `name`, shape ``(H, W)``."""
        array: NDArray[Any] = self.array[self.names.index(name)]
        return array


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well, and goes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_free(folder: Path) -> None:
    """Raises InputError unless `folder` does not exist or is an empty folder."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise InputError(f"{folder}: is there already; name another folder, or remove it if nothing in it is needed")


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A new, empty folder beside `path` that takes its name when the block ends well, and goes when it does not.

    Raises
    ------
    InputError
        `path` is there already, and is no empty folder: what is in it may be somebody's. DVC removes outputs itself.
    """
    check_free(path)
    building = path.with_name(f".{path.name}.part")
    shutil.rmtree(building, ignore_errors=True)  # of a run that was killed
    building.mkdir(parents=True)
    try:
        yield building
        building.rename(path)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def write_cog(path: Path, raster: Raster) -> None:
    """Write `raster` as a Cloud Optimized GeoTIFF: DEFLATE, 512-pixel blocks, overviews by nearest neighbour.

    Names become band descriptions, units band units, tags dataset tags. The same raster gives the same bytes.

    Raises
    ------
    ValueError
        The numbers of bands, names and units disagree, or the array does not fit its grid.
    OSError
        The disk is full or the folder cannot be written; there is no file then, or still the old one.
    """
    bands, height, width = raster.array.shape
    if (height, width) != raster.grid.shape:
        raise ValueError(f"array of {height} x {width} pixels on a grid of {raster.grid.shape}")
    if len(raster.names) != bands or len(raster.units) not in (0, bands):
        raise ValueError(f"{bands} bands, {len(raster.names)} names, {len(raster.units)} units")
    floating = np.issubdtype(raster.array.dtype, np.floating)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": bands,
        "height": height,
        "width": width,
        "dtype": raster.array.dtype.name,
        "nodata": raster.nodata,
    }
    if raster.grid.crs is not None:
        profile |= {"crs": raster.grid.crs, "transform": raster.grid.transform}
    with warnings.catch_warnings(), MemoryFile() as memory, MemoryFile(ext=".tif") as cog:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # imported images may have no place
        with memory.open(**profile) as dataset:
            dataset.write(raster.array)
            dataset.descriptions = raster.names
            if raster.units:
                dataset.units = raster.units
            dataset.update_tags(**raster.tags)
        with memory.open() as dataset:
            rasterio.shutil.copy(
                dataset,
                cog.name,
                driver="COG",
                COMPRESS="DEFLATE",
                PREDICTOR="3" if floating else "2",
                BLOCKSIZE="512",
                OVERVIEW_RESAMPLING="NEAREST",
                NUM_THREADS="ALL_CPUS",
            )
        # Not by GDAL: on a full disk it can leave a file without its last bytes, and no error.
        with atomic(path) as temporary:
            temporary.write_bytes(cog.getbuffer())


def read_raster(path: Path, *, bands: Sequence[str] | None = None, window: Window | None = None) -> Raster:
    """Read a raster, or the bands called `bands` in that order, or a window of it.

    A raster without a CRS gets a grid of 1 m pixels with its corner at (0, 0) and ``crs=None``.

    Raises
    ------
    SkredError
        The file is missing, broken, not square-pixelled and north-up, or lacks a band (named).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as dataset:
                return _read(dataset, path, bands, window)
    except RasterioIOError as error:
        raise SkredError(f"{path}: cannot be read as a raster ({error}); make it again") from error


def read_grid(path: Path) -> Grid:
    """The grid of a raster, without its pixels. Raises as `read_raster`."""
    return read_raster(path, bands=(), window=None).grid


def _read(dataset: Any, path: Path, bands: Sequence[str] | None, window: Window | None) -> Raster:
    names = tuple(name or "" for name in dataset.descriptions)
    units = tuple(unit or "" for unit in dataset.units)
    wanted = names if bands is None else tuple(bands)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise SkredError(f"{path}: has no band {', '.join(missing)}; it has {', '.join(names)}")
    index = list(range(len(names))) if bands is None else [names.index(name) for name in wanted]
    grid = Grid(None, 0.0, 0.0, 1.0, dataset.width, dataset.height)
    if dataset.crs is not None:
        t = dataset.transform
        if t.b or t.d or t.a <= 0 or abs(t.a + t.e) > 1e-9 * t.a:
            raise SkredError(f"{path}: pixels are not square and north-up (transform {tuple(t)[:6]}); reproject it")
        grid = Grid(_crs_name(dataset.crs), t.c, t.f, t.a, dataset.width, dataset.height)
    box = None
    if window is not None:
        box = ((window.row, window.row + window.height), (window.col, window.col + window.width))
        grid = grid.crop(window)
    return Raster(
        array=dataset.read([i + 1 for i in index], window=box) if index else np.empty((0, *grid.shape)),
        grid=grid,
        names=tuple(names[i] for i in index),
        units=tuple(units[i] for i in index),
        nodata=dataset.nodata,
        tags=dict(dataset.tags()),
    )


def _crs_name(crs: Any) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code is not None else str(crs.to_wkt())
