"""Polygons of known landslides: checked when they come from a person, written as a GeoPackage with fixed bytes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from skred.errors import InputError
from skred.raster import atomic

LAYER = "landslides"
COLUMNS = ("date", "confidence")  # of a given inventory, where it has them

# GeoPackage files carry the time of writing; this one is the same for all.
_WRITTEN = "2000-01-01T00:00:00.000Z"


def read_inventory(path: Path | None, crs: str, event: str) -> gpd.GeoDataFrame:
    """The polygons of a given inventory in `crs`, with the columns of `COLUMNS` that it has.

    Raises
    ------
    InputError
        There is no file, or it holds no layer, no CRS, no polygons, or a geometry that is empty or invalid.
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
    kept = frame[[name for name in COLUMNS if name in frame.columns] + [frame.geometry.name]]
    if "date" in kept.columns:
        kept = kept.assign(date=kept["date"].astype("string"))
    if kept.geometry.name != "geometry":
        kept = kept.rename_geometry("geometry")
    return kept.to_crs(crs).reset_index(drop=True)


def write_inventory(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write polygons as a GeoPackage; the same polygons give the same bytes. An empty frame keeps its columns."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _WRITTEN})
    try:
        with atomic(path) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The filename extension")  # of the temporary name
            pyogrio.write_dataframe(
                frame,
                temporary,
                layer=LAYER,
                driver="GPKG",
                geometry_type="Polygon" if set(frame.geom_type) <= {"Polygon"} else "MultiPolygon",
                promote_to_multi=not set(frame.geom_type) <= {"Polygon"},
                dataset_options={"VERSION": "1.4"},
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _check_geometries(path: Path, frame: Any) -> None:
    for wrong, what, mend in (
        (frame.geometry.isna() | frame.geometry.is_empty, "no geometry", "remove it"),
        (~frame.geom_type.isin(["Polygon", "MultiPolygon"]), "a geometry that is no polygon", "draw its outline"),
        (~frame.geometry.is_valid, "an invalid polygon", "mend it, in QGIS with 'Fix geometries'"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(f"{path}: feature {row + 1} of {len(frame)} has {what}; {mend}")
