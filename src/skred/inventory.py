"""Inventories: polygons of known landslides, checked when they come from a person, written with fixed bytes."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from skred.core.errors import InputError
from skred.core.raster import atomic

LAYER = "landslides"
COLUMNS = ("date", "confidence")  # of a given inventory, where it has them, in capitals or not
SURE = frozenset({"high", "medium", "certain"})
UNSURE = frozenset({"low", "uncertain"})

# GeoPackage files carry the time of writing; this one is the same for all.
_WRITTEN = "2000-01-01T00:00:00.000Z"


def read_inventory(path: Path | None, crs: str, event: str) -> gpd.GeoDataFrame:
    """The polygons of a given inventory in `crs`, with the columns of `COLUMNS` that it has.

    Raises
    ------
    InputError
        There is no file, or it holds no layer, no CRS, no polygons, a geometry that is empty or invalid, or a date or
        confidence that cannot be understood.
    """
    if path is None:
        raise InputError(
            f"event {event}: no inventory given; add `--inventory FILE.gpkg`, the polygons of the landslides that were "
            "mapped (with a CRS, optional columns date and confidence)"
        )
    if not path.is_file():
        raise InputError(
            f"{path}: not found; put the inventory there, the polygons of the landslides that were mapped "
            "(GeoPackage with a CRS, optional columns date and confidence)"
        )
    try:
        frame = pyogrio.read_dataframe(path)
    except (DataSourceError, DataLayerError) as error:
        raise InputError(f"{path}: cannot be read ({' '.join(str(error).split())}); wanted a GeoPackage") from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{path}: has no geometries; wanted polygons of landslides")
    if frame.crs is None:
        raise InputError(f"{path}: has no CRS; assign the one that its coordinates are in")
    if frame.empty:
        raise InputError(f"{path}: has no polygons; an event without landslides has role control and no inventory")
    _check_geometries(path, frame)
    frame = small_letters(frame)
    is_unsure(frame, path)
    days(frame, path)
    kept = frame[[name for name in COLUMNS if name in frame.columns] + [frame.geometry.name]]
    if "date" in kept.columns:
        kept = kept.assign(date=kept["date"].astype("string"))
    if kept.geometry.name != "geometry":
        kept = kept.rename_geometry("geometry")
    return kept.to_crs(crs).reset_index(drop=True)


def small_letters(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """`frame` with those of `COLUMNS` that it has in small letters: QGIS and people write ``Date`` too."""
    return frame.rename(columns={name: name.lower() for name in frame.columns if name.lower() in COLUMNS})


def is_unsure(frame: gpd.GeoDataFrame, path: Path) -> NDArray[np.bool_]:
    """Which polygons of the file `path` its column `confidence` calls low or uncertain; none without the column.

    Raises
    ------
    InputError
        A confidence is neither a word of `SURE` or `UNSURE` nor missing.
    """
    if "confidence" not in frame:
        return np.zeros(len(frame), bool)
    words = [None if pd.isna(value) else str(value).strip().lower() for value in frame["confidence"]]
    for number, word in enumerate(words, start=1):
        if word is not None and word not in SURE | UNSURE:
            raise InputError(
                f"{path}: confidence of polygon {number}: got {word!r}, "
                f"wanted one of {', '.join(sorted(SURE | UNSURE))}, or nothing"
            )
    return np.array([word in UNSURE for word in words], bool)


def days(frame: gpd.GeoDataFrame, path: Path) -> list[dt.date | None]:
    """The column `date` of the file `path`, None where a polygon or the whole file has none.

    Raises
    ------
    InputError
        A date cannot be understood.
    """
    found: list[dt.date | None] = []
    for number, value in enumerate(frame["date"] if "date" in frame else [None] * len(frame), start=1):
        if pd.isna(value):
            found.append(None)
            continue
        # a plain number would pass as nanoseconds since 1970
        day = pd.NaT if isinstance(value, (int, float)) else pd.to_datetime(value, errors="coerce", utc=True)
        if pd.isna(day):
            raise InputError(f"{path}: date of polygon {number}: got {value!r}, wanted a day such as 2019-07-30")
        found.append(day.date())
    return found


def write_inventory(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write polygons as a GeoPackage; the same polygons give the same bytes. An empty frame keeps its columns."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _WRITTEN})
    content = io.BytesIO()
    try:
        pyogrio.write_dataframe(
            frame,
            content,
            layer=LAYER,
            driver="GPKG",
            geometry_type="Polygon" if set(frame.geom_type) <= {"Polygon"} else "MultiPolygon",
            promote_to_multi=not set(frame.geom_type) <= {"Polygon"},
            dataset_options={"VERSION": "1.4"},
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    # Not by GDAL: on a full disk it can leave a file without its last pages, and no error.
    with atomic(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _check_geometries(path: Path, frame: Any) -> None:
    for wrong, what, mend in (
        (frame.geometry.isna() | frame.geometry.is_empty, "no geometry", "remove it"),
        (~frame.geom_type.isin(["Polygon", "MultiPolygon"]), "a geometry that is no polygon", "draw its outline"),
        (~frame.geometry.is_valid, "an invalid polygon", "mend it, in QGIS with 'Fix geometries'"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(f"{path}: feature {row + 1} of {len(frame)} has {what}; {mend}")
