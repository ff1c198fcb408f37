import datetime as dt

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from skred.composite.labels import Inventory, rasterize, read_inventory
from skred.core.errors import InputError, SkredError
from skred.core.grid import Grid, Window

GRID = Grid("EPSG:32632", 400_000.0, 6_800_000.0, 10.0, 40, 30)
AFTER, BEFORE = dt.date(2019, 7, 29), dt.date(2019, 8, 1)


def square(col, row, side_m):
    """A square of `side_m` around the place (col, row), in pixels from the upper left corner."""
    x, y, half = GRID.west + col * 10, GRID.north - row * 10, side_m / 2
    return shapely.box(x - half, y - half, x + half, y + half)


def labels(*shapes, unknown=()):
    return rasterize(Inventory(shapes, tuple(unknown)), GRID)


def save(tmp_path, shapes, *, crs=GRID.crs, **columns):
    path = tmp_path / "inventory.gpkg"
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(path)
    return path


def read(path):
    return read_inventory(path, GRID.crs, AFTER, BEFORE)


def test_a_landslide_far_below_a_pixel_labels_the_pixel_that_it_covers_most():
    result = labels(square(5.05, 7.02, 3.0))  # of 3 m, on a corner, its centre a little to the lower right
    assert np.argwhere(result == 1).tolist() == [[7, 5]]


def test_whole_pixels_are_labelled_exactly():
    result = labels(square(10, 10, 40))
    assert (result[8:12, 8:12] == 1).all()
    assert (result == 1).sum() == 16


@settings(deadline=None, max_examples=60)
@given(
    area=st.floats(20, 9000),
    ratio=st.floats(1, 12),
    angle=st.floats(0, 180),
    x=st.floats(18, 22),
    y=st.floats(13, 17),
)
def test_every_landslide_keeps_its_area_to_half_a_pixel_and_none_vanishes(area, ratio, angle, x, y):
    grid = Grid(GRID.crs, GRID.west - 1000, GRID.north + 1000, 10.0, 240, 230)
    width = np.sqrt(area / ratio)
    shape = affinity.rotate(square(x, y, 1.0), 0)
    shape = affinity.rotate(affinity.scale(shape, width, width * ratio), angle)
    count = (rasterize(Inventory((shape,), ()), grid) == 1).sum()
    assert count >= 1
    assert abs(count * 100 - area) <= 50.001 or (count == 1 and area < 50)


def test_a_narrow_landslide_is_not_made_wider():
    diagonal = shapely.LineString([(400_050, 6_799_950), (400_250, 6_799_750)]).buffer(4, cap_style="flat")
    assert (labels(diagonal) == 1).sum() == round(diagonal.area / 100)


def test_labels_of_a_part_are_the_part_of_the_labels():
    shapes = (square(12.3, 9.1, 33), affinity.rotate(square(20.2, 14.7, 55), 30), square(15, 2, 4))
    part = Window(3, 11, 9, 12)
    whole = rasterize(Inventory(shapes, ()), GRID)
    np.testing.assert_array_equal(rasterize(Inventory(shapes, ()), GRID.crop(part)), whole[part.slices])


def test_a_landslide_outside_the_grid_labels_nothing():
    assert not labels(square(-50, 5, 40), square(5, 500, 40)).any()


def test_a_sure_landslide_lies_above_an_unsure_one():
    result = labels(square(10, 10, 20), unknown=[square(10, 10, 40)])
    assert (result == 1).sum() == 4
    assert (result == 255).sum() == 12


def test_no_landslides_are_all_zero():
    result = labels()
    assert result.dtype == np.uint8
    assert not result.any()


def test_low_confidence_and_other_dates_are_unknown(tmp_path):
    days = ["2019-07-30", "2019-07-29", "2019-08-01", "2018-05-01", None, "2019-07-30"]
    words = ["high", "certain", None, "Medium", None, " Low "]
    path = save(tmp_path, [square(5 * i + 3, 5, 20) for i in range(6)], date=days, confidence=words)
    inventory = read(path)
    assert [shape.centroid.x for shape in inventory.landslides] == pytest.approx([400_030, 400_230])
    assert len(inventory.unknown) == 4


def test_dates_may_be_real_dates(tmp_path):
    path = save(tmp_path, [square(5, 5, 20)] * 2, Date=[dt.date(2019, 7, 30), dt.date(2019, 8, 30)])
    assert (len(read(path).landslides), len(read(path).unknown)) == (1, 1)


def test_polygons_come_in_the_crs_of_the_grid(tmp_path):
    lonlat = gpd.GeoSeries([square(10, 10, 40)], crs=GRID.crs).to_crs("EPSG:4326")
    inventory = read(save(tmp_path, lonlat, crs="EPSG:4326"))
    assert inventory.landslides[0].area == pytest.approx(1600, rel=1e-3)
    assert (rasterize(inventory, GRID)[8:12, 8:12] == 1).all()


def test_a_figure_of_eight_is_mended(tmp_path):
    bow = shapely.Polygon([(400_000, 6_799_900), (400_100, 6_800_000), (400_100, 6_799_900), (400_000, 6_800_000)])
    assert (rasterize(read(save(tmp_path, [bow])), GRID) == 1).sum() == 50


def test_an_empty_inventory_is_an_inventory(tmp_path):
    assert read(save(tmp_path, [])) == Inventory((), ())


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"confidence": ["perhaps"]}, "confidence of polygon 1: got 'perhaps', wanted one of certain, high"),
        ({"date": ["last summer"]}, "date of polygon 1: got 'last summer', wanted a day such as 2019-07-30"),
        ({"date": [20190730]}, "date of polygon 1: got 20190730"),
    ],
)
def test_a_value_that_cannot_be_understood_is_named(tmp_path, columns, complaint):
    with pytest.raises(InputError, match=complaint):
        read(save(tmp_path, [square(5, 5, 20)], **columns))


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_an_inventory_without_a_crs_or_of_points_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no CRS"):
        read(save(tmp_path, [square(5, 5, 20)], crs=None))
    with pytest.raises(InputError, match="holds Point; wanted polygons"):
        read(save(tmp_path, [shapely.Point(400_000, 6_800_000)]))


def test_a_broken_inventory_is_named(tmp_path):
    path = tmp_path / "inventory.gpkg"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(SkredError, match=r"inventory\.gpkg: cannot be read as polygons"):
        read(path)
    with pytest.raises(SkredError, match=r"missing\.gpkg: cannot be read as polygons"):
        read(tmp_path / "missing.gpkg")
