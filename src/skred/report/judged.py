"""Detected and known landslides, each judged by the other, as outlines for the page.

Judged on pixels by the rule of the scores (`skred.scores.objects`). A detected object is a hit when at least a share of
its known pixels is landslide, a false alarm when none is, and touches a landslide when it is less. A known landslide, a
connected piece of the labels, is found when at least that share of its pixels is covered by detections.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio import features
from scipy import ndimage

from skred.core.grid import Grid
from skred.core.scenes import LANDSLIDE, NO_LANDSLIDE
from skred.maps.objects import EIGHT
from skred.maps.polygons import outlines

# columns of the layer `landslides` that a click shows, without those that all polygons of a map share
SHOWN = (
    "id",
    "area_m2",
    "probability_mean",
    "probability_max",
    "spread_mean",
    "length_m",
    "width_m",
    "orientation_deg",
    "elevation_min_m",
    "elevation_max_m",
    "slope_mean_deg",
    "observable_share",
    "split",
)


def burn(frame: gpd.GeoDataFrame, grid: Grid) -> NDArray[np.int32]:
    """The `id` of each polygon on its pixels, 0 elsewhere, shape ``(H, W)``."""
    shapes = [(shape, int(number)) for shape, number in zip(frame.geometry, frame["id"], strict=True)]
    if not shapes:
        return np.zeros(grid.shape, np.int32)
    return np.asarray(features.rasterize(shapes, out_shape=grid.shape, transform=grid.transform, dtype="int32"))


def judge_detected(
    frame: gpd.GeoDataFrame, labels: NDArray[np.uint8], grid: Grid, share: float
) -> list[dict[str, Any]]:
    """A record per polygon: its attributes, ``verdict`` (hit, touching, false alarm, not judged) and ``rings`` (see
    `rings`)."""
    numbers = burn(frame, grid)
    count = int(frame["id"].max()) if len(frame) else 0
    on_landslide = np.bincount(numbers[labels == LANDSLIDE], minlength=count + 1)
    on_nothing = np.bincount(numbers[labels == NO_LANDSLIDE], minlength=count + 1)
    records = []
    for row in frame.itertuples():
        landslide, known = on_landslide[row.id], on_landslide[row.id] + on_nothing[row.id]
        if not known:
            verdict = "not judged"
        elif not landslide:
            verdict = "false alarm"
        else:
            verdict = "hit" if landslide >= share * known else "touching"
        told = {name: _plain(getattr(row, name)) for name in SHOWN}
        records.append({**told, "verdict": verdict, "rings": rings(row.geometry, grid)})
    return records


def known_landslides(labels: NDArray[np.uint8], grid: Grid) -> tuple[NDArray[np.int32], list[list[list[int]]]]:
    """Connected known landslides: their numbers from 1 on their pixels ``(H, W)``, and the rings of each."""
    numbers, _ = ndimage.label(labels == LANDSLIDE, EIGHT)
    return numbers.astype(np.int32), [rings(shape, grid) for shape in outlines(numbers, grid).values()]


def judge_known(numbers: NDArray[np.int32], detected: NDArray[np.bool_], share: float) -> list[bool]:
    """Whether each known landslide is found: at least `share` of its pixels is detected."""
    count = int(numbers.max(initial=0))
    size = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    covered = np.bincount(numbers[detected], minlength=count + 1)[1:]
    return [bool(c >= share * s) for c, s in zip(covered, size, strict=True)]


def parts_of(numbers: NDArray[np.int32], parts: gpd.GeoDataFrame, grid: Grid) -> list[str | None]:
    """In which part (column `part`) the larger share of each object 1..n lies, as in the scores; None without parts."""
    count = int(numbers.max(initial=0))
    if parts.empty:
        return [None] * count
    names = list(parts["part"])
    codes = burn(parts.assign(id=range(1, len(names) + 1)), grid)
    inside = numbers > 0
    size = len(names) + 1
    flat = (numbers[inside] - 1).astype(np.int64) * size + codes[inside]
    owner = np.bincount(flat, minlength=count * size).reshape(count, size).argmax(axis=1)
    return [names[code - 1] if code else None for code in owner]


def rings(shape: shapely.Geometry, grid: Grid) -> list[list[int]]:
    """All rings of a MultiPolygon as flat lists ``[col, row, col, row, ...]`` of pixel corners, without the last point.

    Drawn together with the even-odd rule they give the shape with its holes.
    """
    out = []
    for polygon in shape.geoms:
        for ring in (polygon.exterior, *polygon.interiors):
            points = shapely.get_coordinates(ring)[:-1]
            cols = np.round((points[:, 0] - grid.west) / grid.resolution_m).astype(int)
            rows = np.round((grid.north - points[:, 1]) / grid.resolution_m).astype(int)
            out.append([int(value) for pair in zip(cols, rows, strict=True) for value in pair])
    return out


def _plain(value: Any) -> Any:
    if value is None or value != value:  # NaN  # noqa: PLR0124
        return None
    return value.item() if hasattr(value, "item") else value
