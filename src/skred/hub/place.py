"""Where the pixels of an answer lie, and which pixel of the source each of them takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely.errors import GEOSException, ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from skred.core.grid import Grid, Window
from skred.hub.errors import refuse, unsupported
from skred.hub.request import CRS84_URL, MAX_PX, ProcessRequest

Box = tuple[float, float, float, float]  # west, south, east, north

_EPSG_URL = re.compile(r"^https?://www\.opengis\.net/def/crs/EPSG/0/(\d+)$")
_EPSG = re.compile(r"^EPSG:(4326|3857|32[67](0[1-9]|[1-5]\d|60))$")  # WGS84, Web Mercator, UTM north and south
# How far a box may lie off the grid, and how far before an edge between pixels a point belongs to the next one:
# floating-point rounding, no more. So a point that lies on an edge takes the same pixel in a tile as in the whole.
_ROUNDING_PX = 1e-6


@dataclass(frozen=True, eq=False)
class Place:
    """The pixels of an answer, and what they take from the source.

    Attributes
    ----------
    crs, transform, height, width
        Where the answer lies.
    window
        The pixels to read, inside the source's grid; None where the request shows none of it.
    target
        The rows and columns of the answer that they go to.
    shown
        Which pixels of `target` can have data, shape of `target`.
    pick
        Row and column in `window` for each pixel of `target`; None where `window` is `target`, pixel by pixel.
    """

    crs: str | None
    transform: Affine
    height: int
    width: int
    window: Window | None
    target: tuple[slice, slice]
    shown: NDArray[np.bool_]
    pick: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def pixels(self) -> int:
        return self.height * self.width

    def picked(self, values: NDArray[Any]) -> NDArray[Any]:
        """What `target` takes of values of `window`."""
        return values if self.pick is None else values[self.pick]


def place(request: ProcessRequest, grid: Grid) -> Place:
    """Where a request lies on `grid`, the source's own.

    On the grid's own pixels (its CRS and resolution, corners whole pixels from its corner) the answer is a window of
    it, which may reach beyond its edges. Any other request is sampled: the centre of each of its pixels, brought into
    the grid's CRS, takes the pixel that it falls into (one on an edge the eastern or southern one). With a geometry,
    pixels whose centre lies outside have no data.

    Raises
    ------
    ServiceError
        A CRS that is not served, a geometry that cannot be read, too many pixels, or a sampling other than NEAREST of a
        request that is not on the grid's own pixels: a guess at the service's kernels would look like an answer.
    """
    bounds = request.input.bounds
    crs = _crs(bounds.properties.crs, grid)
    outline = None if bounds.geometry is None else _outline(bounds.geometry)
    if bounds.bbox is not None:
        box = bounds.bbox
    elif outline is not None:
        box = outline.bounds
    else:
        refuse("input->bounds", "must have a bbox or a geometry")
    width, height = _size(request, box)
    window = _on_grid(box, width, height, grid) if crs == grid.crs else None
    if window is not None:
        return _masked(_cut(window, grid), outline)
    _check_sampling(request, grid)
    return _masked(_sampled(crs, box, width, height, grid), outline)


def overlap(window: Window, grid: Grid) -> Window | None:
    """The part of `window` that lies on `grid`, or None."""
    top, left = max(window.row, 0), max(window.col, 0)
    bottom = min(window.row + window.height, grid.height)
    right = min(window.col + window.width, grid.width)
    return Window(top, left, bottom - top, right - left) if top < bottom and left < right else None


def _crs(url: str, grid: Grid) -> str:
    match = _EPSG_URL.match(url)
    crs = "EPSG:4326" if url == CRS84_URL else f"EPSG:{match[1]}" if match else ""
    if crs != grid.crs and not _EPSG.match(crs):
        served = "EPSG codes 4326, 3857 and of UTM zones (32601 to 32660, 32701 to 32760) as "
        unsupported(
            "input->bounds->properties->crs",
            url,
            f"{CRS84_URL}, {served}http://www.opengis.net/def/crs/EPSG/0/CODE, and its own {grid.crs}",
        )
    return crs


def _outline(geojson: dict[str, Any]) -> BaseGeometry:
    where = "input->bounds->geometry"
    wanted = "wanted a GeoJSON Polygon or MultiPolygon in the CRS of the bounds"
    try:
        outline = shape(geojson)
    except (GEOSException, KeyError, TypeError, ValueError, AttributeError, IndexError, ShapelyError) as error:
        refuse(where, f"cannot be read ({error}); {wanted}")
    if outline.geom_type not in ("Polygon", "MultiPolygon") or outline.is_empty or not outline.is_valid:
        refuse(where, f"is another kind of geometry, empty, or crosses itself; {wanted}")
    return outline


def _size(request: ProcessRequest, box: Box) -> tuple[int, int]:
    """Width and height in pixels."""
    output = request.output
    if output.width is not None and output.height is not None:
        return output.width, output.height
    west, south, east, north = box
    sizes = [round((east - west) / (output.resx or 1)), round((north - south) / (output.resy or 1))]
    for name, size in zip(("resx", "resy"), sizes, strict=True):
        if not 1 <= size <= MAX_PX:
            refuse(f"output->{name}", f"gives {size} pixels, wanted 1 to {MAX_PX}; its unit is that of the CRS")
    return sizes[0], sizes[1]


def _on_grid(box: Box, width: int, height: int, grid: Grid) -> Window | None:
    """The window that a box in the grid's CRS is, which may reach beyond the grid; None if it is not on its pixels."""
    west, south, east, north = box
    col, row = (west - grid.west) / grid.resolution_m, (grid.north - north) / grid.resolution_m
    off = (
        (east - west) / grid.resolution_m - width,
        (north - south) / grid.resolution_m - height,
        col - round(col),
        row - round(row),
    )
    return None if any(abs(px) > _ROUNDING_PX for px in off) else Window(round(row), round(col), height, width)


def _check_sampling(request: ProcessRequest, grid: Grid) -> None:
    for data in request.input.data:
        for name, kernel in (
            ("upsampling", data.processing.upsampling),
            ("downsampling", data.processing.downsampling),
        ):
            if kernel != "NEAREST":
                unsupported(
                    f"input->data->processing->{name}",
                    kernel,
                    f"NEAREST for a request that is not on its own pixels ({grid.crs}, {grid.resolution_m:g} m, whole "
                    f"pixels from ({grid.west:.12g}, {grid.north:.12g}))",
                )


def _cut(window: Window, grid: Grid) -> Place:
    own = grid.crop(window)
    inside = overlap(window, grid)
    goes_to = inside and Window(inside.row - window.row, inside.col - window.col, inside.height, inside.width)
    target = goes_to.slices if goes_to else (slice(0), slice(0))
    shown = np.ones((inside.height, inside.width) if inside else (0, 0), bool)
    return Place(own.crs, own.transform, own.height, own.width, inside, target, shown)


def _sampled(crs: str, box: Box, width: int, height: int, grid: Grid) -> Place:
    west, south, east, north = box
    step_x, step_y = (east - west) / width, (north - south) / height
    transform = Affine(step_x, 0.0, west, 0.0, -step_y, north)
    x, y = np.meshgrid(west + (np.arange(width) + 0.5) * step_x, north - (np.arange(height) + 0.5) * step_y)
    if crs != grid.crs:  # where a point has no place in the grid's CRS, it becomes infinite
        x, y = Transformer.from_crs(crs, grid.crs, always_xy=True).transform(x, y)
    cols = np.floor((x - grid.west) / grid.resolution_m + _ROUNDING_PX)
    rows = np.floor((grid.north - y) / grid.resolution_m + _ROUNDING_PX)
    shown = (rows >= 0) & (rows < grid.height) & (cols >= 0) & (cols < grid.width)
    target = slice(0, height), slice(0, width)
    if not shown.any():
        return Place(crs, transform, height, width, None, target, shown)
    top, left = int(rows[shown].min()), int(cols[shown].min())
    window = Window(top, left, int(rows[shown].max()) - top + 1, int(cols[shown].max()) - left + 1)
    pick = np.where(shown, rows - top, 0).astype(np.intp), np.where(shown, cols - left, 0).astype(np.intp)
    return Place(crs, transform, height, width, window, target, shown, pick)


def _masked(whole: Place, outline: BaseGeometry | None) -> Place:
    """Without data outside `outline`."""
    if outline is None:
        return whole
    within = geometry_mask([outline], out_shape=whole.shape, transform=whole.transform, invert=True)
    shown = whole.shown & within[whole.target]
    return replace(whole, shown=shown, window=whole.window if shown.any() else None)
