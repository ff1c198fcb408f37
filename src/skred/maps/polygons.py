"""Numbered pixels to polygons, and what a polygon's shape says: length, width, orientation.

Outlines follow the pixels' edges and are not simplified: the corners of a staircase lie 0.7 pixels off a straight line,
so nothing below half a pixel would smooth it, and areas stay exact.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import features

from skred.core.grid import Grid


class Extent(NamedTuple):
    """The smallest rectangle, turned as needed, around a shape.

    `orientation_deg` is the azimuth of its long side from grid north, clockwise, in 0..180; NaN for a square.
    """

    length_m: float
    width_m: float
    orientation_deg: float


def outlines(codes: NDArray[Any], grid: Grid) -> dict[int, shapely.MultiPolygon]:
    """The pixels of every number above 0 as one valid MultiPolygon in metres of the grid, by number.

    Pixels that touch at a corner only become two parts: one ring through the corner would be invalid.
    """
    parts: defaultdict[int, list[shapely.Polygon]] = defaultdict(list)
    shapes = features.shapes(codes.astype(np.int32), mask=codes > 0, connectivity=4, transform=grid.transform)
    for geometry, number in shapes:
        parts[int(number)].append(shapely.geometry.shape(geometry))
    return {number: _together(polygons) for number, polygons in sorted(parts.items())}


def _together(parts: list[shapely.Polygon]) -> shapely.MultiPolygon:
    # Normalised, so that the order of rings and points does not hang on the library's version.
    return shapely.MultiPolygon([part.normalize() for part in parts]).normalize()


def extent(shape: shapely.Geometry) -> Extent:
    """Length, width and orientation of the smallest rectangle around `shape`."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    (x0, y0), (x1, y1), (x2, y2) = corners[:3]
    sides = sorted([(math.hypot(x1 - x0, y1 - y0), x1 - x0, y1 - y0), (math.hypot(x2 - x1, y2 - y1), x2 - x1, y2 - y1)])
    (width, _, _), (length, dx, dy) = sides
    square = length - width < 1e-6 * length
    azimuth = math.nan if square else round(math.degrees(math.atan2(dx, dy)) % 180.0, 1) % 180.0
    return Extent(round(length, 1), round(width, 1), azimuth)
