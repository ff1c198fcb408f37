"""Thresholded pixels to objects and polygons: nothing lost, nothing gained, every polygon valid."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from skred.core.grid import Grid
from skred.maps.objects import EIGHT, find_objects
from skred.maps.polygons import extent, outlines

GRID = Grid("EPSG:32632", 350_000.0, 6_800_000.0, 10.0, 12, 12)


def objects(text, *, min_pixels=1, hole_pixels=0):
    rows = text.split()
    mask = np.array([[c == "#" for c in row] for row in rows])
    return find_objects(mask * 0.8, 0.5, min_pixels=min_pixels, hole_pixels=hole_pixels)


def test_pixels_that_touch_at_a_corner_are_one_object_and_a_valid_polygon_in_two_parts():
    found = objects("##.. ##.. ..## ..##")
    assert found.pixels.tolist() == [8]
    [shape] = outlines(found.labels, GRID).values()
    assert shape.is_valid
    assert len(shape.geoms) == 2
    assert shape.area == 800


def test_objects_smaller_than_the_mapping_unit_go_and_the_others_are_numbered_from_the_north():
    found = objects("..#. .... ##.. ##.. ...# ...# ..##", min_pixels=4)
    assert found.pixels.tolist() == [4, 4]
    assert found.labels[2, 0] == 1
    assert found.labels[6, 3] == 2
    assert found.labels[0, 2] == 0


def test_a_hole_of_one_pixel_is_filled_and_a_larger_one_stays_a_hole():
    assert objects("### #.# ###", hole_pixels=1).pixels.tolist() == [9]
    large = objects("#### #..# ####", hole_pixels=1)
    assert large.pixels.tolist() == [10]
    [shape] = outlines(large.labels, GRID).values()
    assert len(shape.geoms[0].interiors) == 1


def test_a_bay_at_the_edge_of_the_scene_is_no_hole():
    assert objects("#.# ###", hole_pixels=1).pixels.tolist() == [5]


def test_an_unknown_probability_is_no_landslide_and_is_not_filled():
    probability = np.full((3, 3), 0.9)
    probability[1, 1] = np.nan
    assert find_objects(probability, 0.5, min_pixels=1, hole_pixels=4).pixels.tolist() == [8]


def test_a_probability_that_equals_the_threshold_counts():
    found = find_objects(np.array([[0.3, 0.299]], np.float32), 0.3, min_pixels=1, hole_pixels=0)
    assert found.labels.tolist() == [[1, 0]]


masks = hnp.arrays(bool, (12, 12))


@given(masks, st.integers(1, 6))
@settings(max_examples=60)
def test_polygons_are_valid_and_have_exactly_the_area_of_the_pixels_that_remain(mask, min_pixels):
    found = find_objects(mask * 1.0, 0.5, min_pixels=min_pixels, hole_pixels=0)
    shapes = outlines(found.labels, GRID)
    assert list(shapes) == list(range(1, found.count + 1))
    assert all(shape.is_valid and shape.geom_type == "MultiPolygon" for shape in shapes.values())
    assert [shape.area for shape in shapes.values()] == (found.pixels * 100.0).tolist()
    components, _ = ndimage.label(mask, EIGHT)
    sizes = np.bincount(components.ravel())[1:]
    assert sorted(found.pixels) == sorted(sizes[sizes >= min_pixels])


@given(st.floats(5, 400), st.floats(1, 100), st.floats(0, 179.9))
@settings(max_examples=40)
def test_length_width_and_orientation_of_a_turned_rectangle_are_recovered(width, longer, azimuth):
    length = width + longer
    box = shapely.box(-width / 2, -length / 2, width / 2, length / 2)  # its long side points north
    turned = shapely.affinity.rotate(box, -azimuth, origin=(0, 0))
    found = extent(turned)
    assert (found.length_m, found.width_m) == pytest.approx((length, width), abs=0.06)
    assert abs((found.orientation_deg - azimuth + 90) % 180 - 90) < 0.11
    assert 0 <= found.orientation_deg < 180


def test_a_square_has_no_orientation():
    assert math.isnan(extent(shapely.box(0, 0, 30, 30)).orientation_deg)
