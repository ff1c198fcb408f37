"""What the page is made of: pictures whose values can be read back, judged polygons, charts."""

import base64
import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from pyproj import Geod, Transformer

from skred.core.grid import Grid
from skred.maps.polygons import outlines
from skred.report.charts import Axis, Series, draw
from skred.report.events import _place
from skred.report.images import palette_png, relief, true_colour
from skred.report.judged import judge_known, known_landslides, parts_of, rings
from skred.report.palettes import DNDVI, PROBABILITY, RADAR
from skred.report.scores import thinned

GRID = Grid("EPSG:32632", 350_000.0, 6_800_000.0, 10.0, 8, 6)


def image(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize("palette", [DNDVI, RADAR, PROBABILITY], ids=lambda p: p.colours)
def test_a_value_can_be_read_back_from_its_colour_to_half_a_step(palette):
    values = np.linspace(palette.low, palette.high, 48, dtype=np.float32).reshape(6, 8)
    values[0, 0] = np.nan
    picture = np.asarray(image(palette_png(values, palette, 64)).convert("RGBA"))
    colours = {tuple(rgb): i for i, rgb in enumerate(palette.rgb(64).tolist())}
    assert len(colours) == 64
    assert picture[0, 0, 3] == 0
    steps = np.array([colours[tuple(pixel[:3])] for pixel in picture.reshape(-1, 4)[1:].tolist()])
    back = palette.low + steps / 63 * (palette.high - palette.low)
    np.testing.assert_allclose(back, values.ravel()[1:], atol=0.51 / 63 * (palette.high - palette.low))


def test_true_colour_is_clear_where_unknown_and_white_from_the_given_reflectance_on():
    rgb = np.array([[[0.2, np.nan, 0.0]]] * 3, np.float32).reshape(3, 1, 3)
    assert true_colour(rgb, 0.2)[0].tolist() == [[255, 255, 255, 255], [0, 0, 0, 0], [0, 0, 0, 255]]


def test_relief_is_brighter_on_the_slope_that_faces_north_west():
    rows, cols = np.mgrid[:20, :20].astype(float)
    assert relief(10 * (rows + cols), 10.0).mean() > relief(np.zeros((20, 20)), 10.0).mean()
    assert relief(-10 * (rows + cols), 10.0).mean() < relief(np.zeros((20, 20)), 10.0).mean()


@given(hnp.arrays(bool, (6, 8)))
def test_rings_drawn_by_the_even_odd_rule_give_the_shape_back(mask):
    shapes = outlines(mask.astype(np.int32), GRID)
    for shape in shapes.values():
        area = shapely.MultiPolygon()
        for flat in rings(shape, GRID):
            area = area.symmetric_difference(shapely.Polygon(list(zip(flat[::2], flat[1::2], strict=True))))
        assert area.area == mask.sum()


def test_a_known_landslide_is_found_from_a_fifth_of_its_pixels_on():
    labels = np.zeros((6, 8), np.uint8)
    labels[0, :5] = labels[3, :5] = 1
    detected = np.zeros((6, 8), bool)
    detected[0, 0] = True
    numbers, known = known_landslides(labels, GRID)
    assert len(known) == 2
    assert judge_known(numbers, detected, 0.2) == [True, False]
    assert judge_known(numbers, detected, 0.21) == [False, False]


def test_polygons_are_judged_hit_false_alarm_or_not_at_all():
    from skred.report.judged import SHOWN, judge_detected  # noqa: PLC0415

    labels = np.zeros((6, 8), np.uint8)
    labels[0, 0] = 1
    labels[:, 6:] = 255
    labels[1, 3] = 1  # a quarter of the second polygon, as of the first
    frame = gpd.GeoDataFrame(
        {name: [1.0, 2.0, 3.0] if name != "id" else [1, 2, 3] for name in SHOWN},
        geometry=[
            shapely.MultiPolygon([shapely.box(350_000 + 10 * c, 6_799_980, 350_020 + 10 * c, 6_800_000)])
            for c in (0, 3, 6)
        ],
    )

    def verdicts(share):
        return [record["verdict"] for record in judge_detected(frame, labels, GRID, share)]

    assert verdicts(0.2) == ["hit", "hit", "not judged"]
    assert verdicts(0.3) == ["touching", "touching", "not judged"]
    labels[1, 3] = 0
    assert verdicts(0.2) == ["hit", "false alarm", "not judged"]


def test_a_piece_belongs_to_the_part_where_its_larger_share_lies():
    boxes = [shapely.box(350_000, 6_799_940, 350_030, 6_800_000), shapely.box(350_030, 6_799_940, 350_060, 6_800_000)]
    parts = gpd.GeoDataFrame({"part": ["train", "test"]}, geometry=[shapely.MultiPolygon([box]) for box in boxes])
    numbers = np.zeros((6, 8), np.int32)
    numbers[0, :4], numbers[2, 2:6], numbers[4, 6:] = 1, 2, 3
    assert parts_of(numbers, parts, GRID) == ["train", "test", None]
    assert parts_of(numbers, parts[:0], GRID) == [None] * 3


@pytest.mark.parametrize(("size_km", "metres"), [(10, 1), (40, 15)])
def test_a_position_between_the_places_of_the_lattice_is_right_also_far_from_the_meridian(size_km, metres):
    grid = Grid("EPSG:32633", 160_000.0, 7_800_000.0, 10.0, 100 * size_km, 100 * size_km)
    lattice = np.array(_place(grid)["lattice"])
    exact = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    for x, y in np.random.default_rng(2).uniform(0, 4, (50, 2)):
        i, j, u, v = int(x), int(y), x % 1, y % 1
        lon, lat = np.einsum("a,b,abk->k", [1 - v, v], [1 - u, u], lattice[j : j + 2, i : i + 2])
        true = exact.transform(grid.west + 250 * size_km * x, grid.north - 250 * size_km * y)
        assert Geod(ellps="WGS84").inv(lon, lat, *true)[2] < metres


@given(st.integers(2, 2000))
def test_a_thinned_curve_keeps_its_ends_and_is_short(n):
    recall = np.linspace(0, 1, n)
    curve = pd.DataFrame({"recall": recall, "precision": 1 - recall**2, "threshold": 1 - recall})
    short = thinned(curve)
    assert len(short) <= 121
    assert short.iloc[[0, -1]].equals(curve.iloc[[0, -1]])


def test_text_in_a_chart_is_escaped_and_points_lie_in_the_frame():
    series = [Series("a<b", [(0, 0), (1, 1)], ["low & left", "high"], bars=[None, (0.5, 1.0)])]
    chart = draw("k", 'Title "x"', Axis("recall <r>"), Axis("p"), series, summary="s", diagonal=True)
    assert "&lt;r&gt;" in chart.svg
    assert "<r>" not in chart.svg
    assert [point[:2] for point in chart.points] == [[52, 284], [448, 14]]
    assert chart.points[0][2] == "low & left"


def test_a_chart_without_any_point_still_stands():
    chart = draw("k", "T", Axis("x"), Axis("y"), [Series("none", [], [])], summary="Nothing.")
    assert chart.points == []
    assert chart.svg.startswith("<svg")
