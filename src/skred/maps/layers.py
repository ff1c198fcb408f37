"""The layers of a map's GeoPackage."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from skred.core.grid import Grid
from skred.maps import styles
from skred.maps.attributes import COLUMNS
from skred.maps.caveats import SCORES, errs, learnt_from, misses
from skred.maps.geopackage import Layer
from skred.maps.observing import WORDS, Seen
from skred.maps.polygons import outlines
from skred.patches.split import Split


def geopackage_layers(
    frame: gpd.GeoDataFrame,
    seen: NDArray[np.uint8],
    split: NDArray[np.uint8] | None,
    grid: Grid,
    summary: dict[str, Any],
) -> dict[str, Layer]:
    """The layers `landslides` (as given), `observable` and `aoi`, with styles and descriptions, in the file's order.

    `seen` are codes of `Seen`, `split` codes of `Split` or None where the scene was not trained on, both ``(H, W)``;
    `summary` is the scene's entry of ``summary.json``.
    """
    kind = "simulated" if summary["simulated"] else "real"
    units = "; ".join(
        f"{name}: {meaning}{f' ({unit})' if unit else ''}" for name, (_, unit, meaning) in COLUMNS.items()
    )
    told = f"Detections, {kind} pixels. {errs(summary)} {misses(summary)} {learnt_from(summary)} {units}"
    return {
        "landslides": Layer(frame, styles.landslides_qml(), told),
        "observable": Layer(
            _observable(seen, grid),
            styles.observable_qml(),
            f"Where the images could have shown a landslide, and why not elsewhere. Cloud that the mask missed counts "
            f"as observable: there nothing can be said either. {misses(summary)}",
        ),
        "aoi": Layer(
            _aoi(split, grid, summary),
            styles.aoi_qml(),
            "The area that was searched; of an event that was trained on also the outlines of its splits",
        ),
    }


def _observable(seen: NDArray[np.uint8], grid: Grid) -> gpd.GeoDataFrame:
    shapes = outlines(seen, grid)
    rows = {
        "observable": [code == Seen.FULLY for code in shapes],
        "reason": [WORDS[Seen(code)] for code in shapes],
        "area_m2": [float((seen == code).sum()) * grid.resolution_m**2 for code in shapes],
        "share": [round(float((seen == code).mean()), 4) for code in shapes],
    }
    return gpd.GeoDataFrame(rows, geometry=list(shapes.values()), crs=grid.crs)


def _aoi(split: NDArray[np.uint8] | None, grid: Grid, summary: dict[str, Any]) -> gpd.GeoDataFrame:
    parts: dict[str, Any] = {"area": shapely.MultiPolygon([shapely.box(*grid.bounds)])}
    if split is not None:
        parts |= {Split(code).name.lower(): shape for code, shape in outlines(split, grid).items()}
    told = ("event", "role", "cell", "threshold", "min_area_m2", "trained_on", "trained_on_simulated", "simulated")
    # Numbers of the whole area stand in its own row: beside a part they would read as the part's.
    beside = [pd.NA] * (len(parts) - 1)
    numbers = {
        "landslides": "Int32",
        "landslide_area_m2": "Float64",
        "observable_share": "Float64",
        **dict.fromkeys(SCORES, "Float64"),
        "days_to_last_image": "Int32",
    }
    rows: dict[str, Any] = {
        "part": list(parts),
        "part_km2": [round(shape.area / 1e6, 4) for shape in parts.values()],
        **{name: [summary[name]] * len(parts) for name in told},
        **{name: pd.array([_known(summary[name]), *beside], dtype=kind) for name, kind in numbers.items()},
    }
    return gpd.GeoDataFrame(rows, geometry=list(parts.values()), crs=grid.crs)


def _known(value: Any) -> Any:
    return pd.NA if value is None else value
