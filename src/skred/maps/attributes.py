"""What each polygon says about itself: the columns of the layer `landslides`."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from skred.core.grid import Grid
from skred.maps.caveats import NOT_A_CHANCE
from skred.maps.objects import Objects
from skred.maps.observing import Seen
from skred.maps.polygons import extent, outlines
from skred.patches.split import Split

# name -> (dtype, unit, meaning): the schema, which stands when there are no landslides
COLUMNS: dict[str, tuple[str, str, str]] = {
    "id": ("int32", "1", "number within the map, from north to south"),
    "area_m2": ("float64", "m²", "area of the pixels"),
    "probability_mean": ("float64", "1", f"mean over the polygon: {NOT_A_CHANCE}"),
    "probability_max": ("float64", "1", f"largest in the polygon: {NOT_A_CHANCE}"),
    "spread_mean": ("float64", "1", "mean standard deviation between the members of an ensemble; empty without one"),
    "length_m": ("float64", "m", "long side of the smallest rectangle around the polygon"),
    "width_m": ("float64", "m", "its short side"),
    "orientation_deg": ("float64", "degree", "azimuth of the long side from grid north, 0 to 180; empty for a square"),
    "elevation_min_m": ("float64", "m", "lowest ground"),
    "elevation_max_m": ("float64", "m", "highest ground"),
    "slope_mean_deg": ("float64", "degree", "mean slope"),
    "observable_share": ("float64", "1", "share of the area that every sensor of the setting saw before and after"),
    "days_to_last_image": ("Int32", "days", "days from the event to the last image that can have been used"),
    "split": ("object", "", "where the polygon's larger part lies: train, val, test, buffer; empty: not trained on"),
    "event": ("object", "", "name of the event"),
    "cell": ("object", "", "name of the model: setting and detector"),
    "setting": ("object", "", "the bands that the model reads"),
    "detector": ("object", "", "what learnt"),
    "model_sha256": ("object", "", "hash of the model's files"),
    "trained_on": ("object", "", "event that the model learnt from"),
    "trained_on_simulated": ("bool", "", "whether the landslides that it learnt from are simulated"),
    "threshold": ("float64", "1", "probability from which on a pixel counts, chosen on validation"),
    "min_area_m2": ("float64", "m²", "minimum mapping unit: smaller ones are left out"),
    "simulated": ("bool", "", "whether the pixels are simulated"),
}


def landslides(
    objects: Objects,
    grid: Grid,
    *,
    probability: NDArray[Any],
    spread: NDArray[Any] | None,
    elevation: NDArray[Any] | None,
    slope: NDArray[Any] | None,
    seen: NDArray[np.uint8],
    split: NDArray[np.uint8] | None,
    same_for_all: dict[str, Any],
) -> gpd.GeoDataFrame:
    """One row per object, columns of `COLUMNS` and a MultiPolygon. Layers have shape ``(H, W)``.

    `same_for_all` holds the columns that do not differ between polygons.
    """
    shapes = outlines(objects.labels, grid)
    extents = [extent(shape) for shape in shapes.values()]
    table: dict[str, Any] = {
        "id": np.arange(1, objects.count + 1),
        "area_m2": objects.pixels * grid.resolution_m**2,
        "probability_mean": _over(np.mean, probability, objects).round(3),
        "probability_max": _over(np.max, probability, objects).round(3),
        "spread_mean": _over(np.mean, spread, objects).round(4),
        "length_m": [e.length_m for e in extents],
        "width_m": [e.width_m for e in extents],
        "orientation_deg": [e.orientation_deg for e in extents],
        "elevation_min_m": _over(np.min, elevation, objects).round(1),
        "elevation_max_m": _over(np.max, elevation, objects).round(1),
        "slope_mean_deg": _over(np.mean, slope, objects).round(1),
        "observable_share": _over(np.mean, (seen == Seen.FULLY).astype(np.float64), objects).round(3),
        "split": _splits(objects, split),
        **{name: [value] * objects.count for name, value in same_for_all.items()},
    }
    frame = pd.DataFrame({name: pd.Series(table[name], dtype=kind) for name, (kind, _, _) in COLUMNS.items()})
    return gpd.GeoDataFrame(frame, geometry=list(shapes.values()), crs=grid.crs)


def _over(statistic: Any, layer: NDArray[Any] | None, objects: Objects) -> NDArray[np.float64]:
    """A statistic of the known pixels of every object; NaN where none is known or there is no layer."""
    if layer is None or not objects.count:
        return np.full(objects.count, np.nan)
    known = np.where(np.isfinite(layer), objects.labels, 0)
    numbers = np.arange(1, objects.count + 1)
    out = ndimage.labeled_comprehension(layer.astype(np.float64), known, numbers, statistic, np.float64, np.nan)
    return np.asarray(out)


def _splits(objects: Objects, split: NDArray[np.uint8] | None) -> list[str | None]:
    if split is None:
        return [None] * objects.count
    inside = objects.labels > 0
    flat = (objects.labels[inside] - 1).astype(np.int64) * len(Split) + split[inside]
    owner = np.bincount(flat, minlength=objects.count * len(Split)).reshape(-1, len(Split)).argmax(axis=1)
    return [Split(code).name.lower() for code in owner]
