"""GeoPackage and GeoJSON with fixed bytes: the same polygons always give the same file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

# GeoPackage files carry the time of writing; this one is the same for all.
_WRITTEN = "2000-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Layer:
    """One layer of a GeoPackage, with the QML document that QGIS draws it with."""

    frame: gpd.GeoDataFrame
    qml: str
    description: str


def write_geopackage(path: Path, layers: Mapping[str, Layer]) -> None:
    """Write layers of MultiPolygons in their order, and their styles as QGIS keeps them (table ``layer_styles``).

    A layer without rows keeps its columns and CRS. Not atomic: write into a folder that is.
    """
    path.unlink(missing_ok=True)
    with _fixed_time():
        for name, layer in layers.items():
            pyogrio.write_dataframe(
                layer.frame,
                path,
                layer=name,
                driver="GPKG",
                geometry_type="MultiPolygon",
                append=path.exists(),
                dataset_options=None if path.exists() else {"VERSION": "1.4"},
                layer_options={"DESCRIPTION": layer.description},
            )
        pyogrio.write_dataframe(
            _styles(layers),
            path,
            layer="layer_styles",
            driver="GPKG",
            append=True,
            layer_options={"FID": "id", "DESCRIPTION": "styles of QGIS"},
        )


def write_geojson(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write polygons in WGS84 degrees (RFC 7946), coordinates to a centimetre."""
    pyogrio.write_dataframe(
        frame.to_crs("EPSG:4326"),
        path,
        layer=path.stem,
        driver="GeoJSON",
        geometry_type="MultiPolygon",
        layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "7"},
    )


def _styles(layers: Mapping[str, Layer]) -> pd.DataFrame:
    # The columns that QGIS looks for, `layer_styles` of its GeoPackage provider.
    rows = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": name,
            "f_geometry_column": "geom",
            "styleName": name,
            "styleQML": layer.qml,
            "styleSLD": "",
            "useAsDefault": True,
            "description": layer.description,
            "owner": "",
            "ui": "",
            "update_time": pd.Timestamp(_WRITTEN),
        }
        for name, layer in layers.items()
    ]
    return pd.DataFrame(rows)


@contextmanager
def _fixed_time() -> Iterator[None]:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _WRITTEN})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
