"""Inventories of landslides are checked and written with fixed bytes."""

import warnings

import geopandas as gpd
import pyogrio
import pytest
from shapely.geometry import MultiPolygon, Point, Polygon, box

from skred.core.errors import InputError
from skred.inventory import read_inventory, write_inventory

UTM = "EPSG:32632"


def given(path, geometries, crs=UTM, **columns):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one of these has no CRS, and is meant to
        gpd.GeoDataFrame(columns, geometry=list(geometries), crs=crs).to_file(path, driver="GPKG")
    return path


def test_a_good_inventory_keeps_date_and_confidence_and_takes_the_crs_of_the_grid(tmp_path):
    path = given(tmp_path / "a.gpkg", [box(6.3, 61.5, 6.31, 61.51)], "EPSG:4326", date=["2019-07-30"], note=["x"])
    frame = read_inventory(path, UTM, "storm")
    assert frame.crs == UTM
    assert list(frame.columns) == ["date", "geometry"]
    assert frame.geometry.iloc[0].area == pytest.approx(590_000, rel=0.05)


@pytest.mark.parametrize(
    ("geometries", "crs", "told"),
    [
        ([box(0, 0, 9, 9)], None, "no CRS"),
        ([], UTM, "no polygons"),
        ([box(0, 0, 9, 9), Point(1, 1)], UTM, "feature 2 of 2 has a geometry that is no polygon"),
        ([Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])], UTM, "invalid polygon"),
        ([Polygon()], UTM, "no geometry"),
    ],
)
def test_a_wrong_inventory_is_one_line_that_names_the_file(tmp_path, geometries, crs, told):
    path = given(tmp_path / "a.gpkg", geometries, crs)
    with pytest.raises(InputError, match=told) as caught:
        read_inventory(path, UTM, "storm")
    assert str(path) in str(caught.value)


def test_a_missing_inventory_says_what_to_put_where(tmp_path):
    with pytest.raises(InputError, match="put the inventory there"):
        read_inventory(tmp_path / "none.gpkg", UTM, "storm")
    with pytest.raises(InputError, match="--inventory"):
        read_inventory(None, UTM, "storm")


def test_a_file_that_is_no_geodata_is_one_line(tmp_path):
    (tmp_path / "a.gpkg").write_text("hello")
    with pytest.raises(InputError, match="cannot be read"):
        read_inventory(tmp_path / "a.gpkg", UTM, "storm")


def test_the_same_polygons_give_the_same_bytes_and_the_folder_does_not_matter(tmp_path):
    frame = gpd.GeoDataFrame(
        {"confidence": [0.5, 1.0]},
        geometry=[box(0, 0, 9, 9), MultiPolygon([box(20, 0, 29, 9), box(40, 0, 49, 9)])],
        crs=UTM,
    )
    write_inventory(tmp_path / "a.gpkg", frame)
    write_inventory(tmp_path / "b" / "c.gpkg", frame)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b" / "c.gpkg").read_bytes()
    assert pyogrio.read_dataframe(tmp_path / "a.gpkg").geometry.area.sum() == pytest.approx(243)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("Confidence", "perhaps", "confidence of polygon 1: got 'perhaps', wanted one of"), ("DATE", "storm", "date of")],
)
def test_a_date_or_confidence_that_means_nothing_is_refused_at_once(tmp_path, column, value, told):
    path = given(tmp_path / "a.gpkg", [box(0, 0, 9, 9)], **{column: [value]})
    with pytest.raises(InputError, match=told):
        read_inventory(path, UTM, "storm")
