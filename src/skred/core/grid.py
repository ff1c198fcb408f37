"""The pixel grid of an event, and windows on it.

Rows run south, columns run east; a window is (row, col, height, width) in whole pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from affine import Affine
from pyproj import Transformer

from skred.core.errors import InputError


class Window(NamedTuple):
    """A rectangle of pixels: first row, first column, height, width."""

    row: int
    col: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in an array of shape ``(..., H, W)``: ``array[..., *window.slices]``."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)


@dataclass(frozen=True)
class Grid:
    """Where the pixels of an array of shape ``(height, width)`` lie.

    `crs` is an authority code such as ``"EPSG:32632"``, or None for images without a place.
    `west` and `north` are the outer corner of pixel (0, 0) in metres of `crs`.
    """

    crs: str | None
    west: float
    north: float
    resolution_m: float
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def transform(self) -> Affine:
        """Affine transform from (col, row) to (x, y), as rasterio wants it."""
        return Affine(self.resolution_m, 0.0, self.west, 0.0, -self.resolution_m, self.north)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in metres of `crs`."""
        return (
            self.west,
            self.north - self.height * self.resolution_m,
            self.west + self.width * self.resolution_m,
            self.north,
        )

    @property
    def area_km2(self) -> float:
        return self.width * self.height * self.resolution_m**2 / 1e6

    @property
    def whole(self) -> Window:
        return Window(0, 0, self.height, self.width)

    def crop(self, window: Window) -> Grid:
        """The grid of `window` of this grid."""
        return Grid(
            self.crs,
            self.west + window.col * self.resolution_m,
            self.north - window.row * self.resolution_m,
            self.resolution_m,
            window.width,
            window.height,
        )

    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in WGS84 degrees: the box around the grid's outline.

        Raises
        ------
        InputError
            The grid has no CRS.
        """
        if self.crs is None:
            raise InputError("this grid has no CRS, so its place on Earth is unknown; give the images a CRS")
        to_lonlat = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        return to_lonlat.transform_bounds(*self.bounds)


def utm_crs(lon: float, lat: float) -> str:
    """The UTM zone (WGS84) of a place, with the exceptions for south-western Norway and Svalbard."""
    zone = int((lon + 180) // 6) % 60 + 1
    if 56 <= lat < 64 and 3 <= lon < 12:
        zone = 32
    if lat >= 72 and 0 <= lon < 42:
        zone = 31 + 2 * int((lon + 3) // 12)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def utm_grid(center_lonlat: tuple[float, float], width_m: float, height_m: float, resolution_m: float) -> Grid:
    """A UTM grid around a place, its corner snapped to whole multiples of `resolution_m`.

    Parameters
    ----------
    center_lonlat
        (longitude, latitude) in WGS84 degrees.
    width_m, height_m
        Size in metres, rounded up to whole pixels.
    """
    crs = utm_crs(*center_lonlat)
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*center_lonlat)
    width, height = math.ceil(width_m / resolution_m), math.ceil(height_m / resolution_m)
    west = round((x - width * resolution_m / 2) / resolution_m) * resolution_m
    north = round((y + height * resolution_m / 2) / resolution_m) * resolution_m
    return Grid(crs, float(west), float(north), float(resolution_m), width, height)


def tiles(height: int, width: int, tile_px: int) -> list[Window]:
    """Windows of at most `tile_px` a side that cover an array exactly once, row by row."""
    return [
        Window(row, col, min(tile_px, height - row), min(tile_px, width - col))
        for row in range(0, height, tile_px)
        for col in range(0, width, tile_px)
    ]


def starts(length: int, window: int, stride: int) -> list[int]:
    """First pixels of windows along one axis, `stride` apart, the last one flush with the end.

    Empty when the axis is shorter than one window.
    """
    if length < window:
        return []
    first = list(range(0, length - window + 1, stride))
    return first if first[-1] == length - window else [*first, length - window]
