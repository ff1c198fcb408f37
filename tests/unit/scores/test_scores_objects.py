"""Whole landslides and detections: by hand on tiny scenes, by brute force on random ones, and by properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from score_toys import PARAMS
from skimage.measure import label as other_label

from skred.core.errors import InputError
from skred.core.grid import Grid
from skred.core.raster import Raster, write_cog
from skred.scores.blocks import block_raster
from skred.scores.chance import draw_shifts, move
from skred.scores.confounders import false_by_confounder, pixels_by_confounder, read_confounders
from skred.scores.gather import CODES, ScenePart
from skred.scores.object_report import _per_block, report_objects
from skred.scores.objects import (
    COUNTS,
    SIZE_NAMES,
    at_unit,
    best_unit,
    boundary_distance_px,
    count_objects,
    count_per_block,
    find_objects,
    object_scores,
    recall_by_size,
)


def objects(predicted, labels, unit=1, share=0.2, regions=None, blocks=None):
    regions = np.ones(labels.shape, np.uint8) if regions is None else regions
    blocks = np.zeros(labels.shape, np.int32) if blocks is None else blocks
    return at_unit(find_objects(predicted, labels, regions, blocks), unit, share)


def picture(text):
    return np.array([[int(c) for c in row] for row in text.split()], np.uint8)


def test_found_touched_split_merged_and_false_by_hand():
    labels = picture("1111100000 0000000000 0110011000 0110011000 0000000000 1111111110 0000000000")
    predicted = picture("1001000001 0000000000 0000000000 0011110000 0000000000 1000000000 0000000110") > 0
    scene = objects(predicted, labels)
    assert scene.landslides["covered"].tolist() == [2, 1, 1, 1]
    assert scene.landslides["found"].tolist() == [True, True, True, False]  # 2/5, 1/4, 1/4, 1/9
    counts = count_objects([scene], 1)
    assert counts == {
        "landslides": 4, "found": 3, "touched": 4, "split": 1,
        "detections": 6, "right": 4, "touching": 4, "merging": 1, "false": 2,
    }  # fmt: skip
    scores = object_scores(counts)
    assert scores["recall"] == 0.75
    assert scores["precision"] == pytest.approx(4 / 6)
    assert scores["f1"] == pytest.approx(2 * 0.75 * (4 / 6) / (0.75 + 4 / 6))


def test_a_minimum_mapping_unit_drops_small_detections_but_no_landslide():
    labels = picture("1000000000 0000000000 0011100000")
    predicted = picture("1000000011 0000000000 0011100000") > 0
    assert [count_objects([objects(predicted, labels, unit)], 1)["found"] for unit in (1, 2, 3, 4)] == [2, 1, 1, 0]
    assert [count_objects([objects(predicted, labels, unit)], 1)["false"] for unit in (1, 2, 3)] == [1, 1, 0]
    assert {count_objects([objects(predicted, labels, unit)], 1)["landslides"] for unit in (1, 9)} == {2}


@st.composite
def scenes(draw):
    shape = draw(st.tuples(st.integers(4, 40), st.integers(4, 40)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    field = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    labels = (field > np.quantile(field, 0.8)).astype(np.uint8)
    labels[rng.random(shape) < 0.05] = 255
    other = field + ndimage.gaussian_filter(rng.normal(size=shape), 1) * draw(st.floats(0, 2))
    return other > np.quantile(other, draw(st.floats(0.5, 0.99))), labels


@settings(max_examples=40)
@given(scenes(), st.integers(1, 6), st.floats(0.05, 1))
def test_counts_are_those_of_a_loop_over_all_objects(drawn, unit, share):
    predicted, labels = drawn
    truth, found = other_label(labels == 1, connectivity=2), other_label(predicted, connectivity=2)
    kept = [found == d for d in range(1, found.max() + 1) if (found == d).sum() >= unit]
    slides = [truth == n for n in range(1, truth.max() + 1)]
    union = np.any(kept, axis=0) if kept else np.zeros(labels.shape, bool)
    known = [d for d in kept if (labels[d] != 255).any()]
    wanted = {
        "landslides": len(slides),
        "found": sum((s & union).sum() >= share * s.sum() for s in slides),
        "touched": sum((s & union).any() for s in slides),
        "split": sum(sum((s & d).any() for d in kept) > 1 for s in slides),
        "detections": len(known),
        "right": sum(
            (labels[d] == 1).any() and (labels[d] == 1).sum() >= share * (labels[d] != 255).sum() for d in known
        ),
        "touching": sum((labels[d] == 1).any() for d in known),
        "merging": sum(sum((s & d).any() for s in slides) > 1 for d in known),
        "false": sum(not (labels[d] == 1).any() for d in known),
    }
    assert count_objects([objects(predicted, labels, unit, share)], 1) == wanted


@settings(max_examples=30)
@given(scenes(), st.integers(3, 20))
def test_blocks_and_regions_add_up_to_the_whole(drawn, size):
    predicted, labels = drawn
    rows, cols = np.indices(labels.shape)
    blocks, regions = (rows // size * 100 + cols // size).astype(np.int32), (1 + cols % 2).astype(np.uint8)
    whole = count_objects([objects(predicted, labels)], 1)
    by_block = count_per_block(objects(predicted, labels, blocks=blocks), 1)
    assert {name: int(by_block[name].sum()) for name in COUNTS} == whole
    parts = objects(predicted, labels, regions=regions)
    one, two = count_objects([parts], 1), count_objects([parts], 2)
    assert {name: one[name] + two[name] for name in COUNTS} == whole
    assert count_objects([objects(predicted, labels)] * 2, 1) == {name: 2 * n for name, n in whole.items()}


def whole_part(predicted, labels, regions, size):
    """A scene as `gather` gives it, in blocks of `size`."""
    blocks = block_raster(labels, size)
    found = find_objects(predicted, labels, regions, blocks)
    grid = Grid("EPSG:32632", 0.0, 0.0, 10.0, labels.shape[1], labels.shape[0])
    p, per_row = predicted.astype(np.float32), -(-labels.shape[1] // size)
    return ScenePart("e", "s", grid, p, None, labels, regions, blocks, per_row, found, None, {})


@settings(max_examples=15)
@given(scenes(), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_no_object_is_lost_in_the_table_of_blocks(drawn, size, seed):
    predicted, labels = drawn
    rng = np.random.default_rng(seed)
    regions = np.kron(rng.integers(0, 5, (14, 14)), np.ones((3, 3))).astype(np.uint8)[
        : labels.shape[0], : labels.shape[1]
    ]
    labels = np.where(rng.random(labels.shape) < 0.5, 255, labels).astype(np.uint8)  # whole blocks are unknown
    part = whole_part(predicted, labels, regions, size)
    scene = at_unit(part.objects, 1, 0.2)
    table = _per_block([part], [scene], 1)
    for region, code in CODES.items():
        rows = table[table["role"] == region]
        assert {name: int(rows[name].sum()) for name in COUNTS} == count_objects([scene], code)


def test_a_detection_counts_in_a_block_where_something_is_known():
    labels = np.full((4, 12), 255, np.uint8)
    labels[0, 3] = labels[2, 3] = 0
    predicted = np.zeros(labels.shape, bool)
    predicted[0, 3:12] = True  # most of it lies in blocks without a known pixel
    part = whole_part(predicted, labels, np.full(labels.shape, CODES["test"], np.uint8), 4)
    table = _per_block([part], [at_unit(part.objects, 1, 0.2)], 1)
    assert table[["block_row", "block_col", "detections", "false"]].to_numpy().tolist() == [[0, 0, 1, 1]]


@settings(max_examples=30)
@given(scenes())
def test_perfect_and_empty_predictions_and_no_landslides_at_all(drawn):
    _, labels = drawn
    known = np.where(labels == 255, 0, labels).astype(np.uint8)
    if known.any():
        perfect = object_scores(count_objects([objects(known == 1, known)], 1))
        assert (perfect["recall"], perfect["precision"], perfect["f1"]) == (1, 1, 1)
        assert boundary_distance_px(objects(known == 1, known), 1) == [0] * perfect["landslides"]
        empty = object_scores(count_objects([objects(np.zeros(known.shape, bool), known)], 1))
        assert (empty["recall"], empty["precision"], empty["f1"]) == (0, None, None)
    nothing = object_scores(count_objects([objects(known == 1, np.zeros_like(known))], 1))
    assert nothing["recall"] is None
    assert nothing["precision"] in (0, None)


@settings(max_examples=30)
@given(scenes(), st.integers(0, 2**32 - 1))
def test_what_is_predicted_on_unknown_pixels_alone_changes_nothing(drawn, seed):
    predicted, labels = drawn
    far = np.pad(labels, ((0, 12), (0, 0)), constant_values=255)
    more = np.pad(predicted, ((0, 12), (0, 0)))
    more[-8:] = np.random.default_rng(seed).random((8, labels.shape[1])) < 0.4
    assert count_objects([objects(more, far)], 1) == count_objects([objects(predicted, labels)], 1)


def test_an_object_belongs_where_its_larger_part_lies_and_keeps_its_body():
    labels = picture("0111110000")
    regions = picture("1122222222")
    scene = objects(labels > 0, labels, regions=regions)
    assert (count_objects([scene], 1)["landslides"], count_objects([scene], 2)["landslides"]) == (0, 1)
    assert scene.landslides["pixels"].tolist() == [5]


def test_size_classes_are_closed_below_and_open_above():
    labels = np.zeros((40, 130), np.uint8)
    for row, pixels in enumerate((9, 10, 24, 25, 49, 50, 99, 100)):
        labels[row * 3, :pixels] = 1
    found = objects(labels > 0, labels)
    by_size = recall_by_size([found], 1, 0.01)
    assert [by_size[name]["landslides"] for name in SIZE_NAMES] == [1, 2, 2, 2, 1]
    assert all(row["found"] == row["landslides"] == row["touched"] for row in by_size.values())


def test_the_distance_of_two_outlines_by_hand():
    labels, predicted = np.zeros((12, 12), np.uint8), np.zeros((12, 12), bool)
    labels[2:5, 2:5] = 1
    predicted[2:5, 3:6] = True  # moved by one pixel: of 8 outline pixels each, some coincide
    truth_edge = {(r, c) for r in (2, 3, 4) for c in (2, 3, 4)} - {(3, 3)}
    other_edge = {(r, c + 1) for r, c in truth_edge}

    def nearest(a, b):
        return [min(np.hypot(r - s, c - d) for s, d in b) for r, c in a]

    wanted = np.mean(nearest(truth_edge, other_edge) + nearest(other_edge, truth_edge))
    assert boundary_distance_px(objects(predicted, labels), 1) == [pytest.approx(wanted)]


def test_the_distance_of_outlines_counts_both_directions():
    """A landslide of one pixel in a detection of nine: 1 px from the one, 1 px or its diagonal from the eight."""
    labels, predicted = np.zeros((9, 9), np.uint8), np.zeros((9, 9), bool)
    labels[4, 4], predicted[3:6, 3:6] = 1, True
    assert boundary_distance_px(objects(predicted, labels), 1) == [pytest.approx((1 + 4 + 4 * 2**0.5) / 9)]
    (turned,) = boundary_distance_px(objects(labels > 0, predicted.astype(np.uint8), share=0.1), 1)
    assert turned == pytest.approx((1 + 4 + 4 * 2**0.5) / 9)


def test_the_distance_in_a_report_is_in_metres():
    labels = np.zeros((32, 32), np.uint8)
    labels[4:9, 4:9] = labels[20:24, 16:28] = 1
    moved = np.roll(labels, 1, axis=1) > 0  # pixels of 10 m
    regions = np.full(labels.shape, CODES["test"], np.uint8)
    px = boundary_distance_px(objects(moved, labels), 1)
    section = report_objects([whole_part(moved, labels, regions, 16)], False, PARAMS).sections["test"]
    assert len(px) == 2
    assert section["boundary_distance_m"] == pytest.approx(10 * np.mean(px))


def test_a_detection_on_unknown_pixels_alone_is_neither_false_nor_right():
    labels = picture("1100000000 0000000000 0000002222 0000002222") * np.uint8(1)
    labels[labels == 2] = 255
    predicted = picture("1100001100 0000000000 0000000000 0000000111") > 0
    scene = objects(predicted, labels)
    assert scene.detections["false"].tolist() == [False, True, False]
    assert scene.detections["right"].tolist() == [True, False, False]


def test_the_minimum_mapping_unit_of_a_report_is_chosen_on_validation():
    """On validation one of the landslides is found by a pixel alone; on test single pixels are false alarms."""
    labels = picture("1000000000 0000000000 0001110000 0000000000 0111000000 0000000000 0000000000")
    predicted = picture("1000000000 0000000000 0001110000 0000000000 0111000000 0000000000 0101010101") > 0
    labels, predicted = np.pad(labels, ((0, 3), (0, 0))), np.pad(predicted, ((0, 3), (0, 0)))
    regions = np.full(labels.shape, CODES["validation"], np.uint8)
    regions[4:] = CODES["test"]
    part = whole_part(predicted, labels, regions, 4)
    best = {
        region: best_unit({u: count_objects([at_unit(part.objects, u, 0.2)], CODES[region]) for u in (1, 3)})
        for region in ("validation", "test")
    }
    assert best == {"validation": 1, "test": 3}
    report = report_objects([part], False, PARAMS)
    assert report.unit_px == 1
    assert report.sections["test"]["false_alarms"] == 5


def test_recall_by_size_tells_found_from_touched():
    labels = np.zeros((12, 60), np.uint8)
    labels[0, :10] = labels[3, :10] = labels[6, :50] = labels[9, :10] = 1
    predicted = np.zeros(labels.shape, bool)
    predicted[0, :2] = predicted[3, 0] = predicted[6, 0] = True  # a fifth, a tenth, a fiftieth, nothing
    by_size = recall_by_size([objects(predicted, labels)], 1, 0.01)
    assert by_size["0.1-0.25_ha"] == {"landslides": 3, "found": 1, "touched": 2}
    assert by_size["0.5-1_ha"] == {"landslides": 1, "found": 0, "touched": 1}


def test_the_best_unit_is_the_smallest_of_equals():
    def counts(found, right, detections):
        return dict.fromkeys(COUNTS, 0) | {
            "landslides": 10, "found": found, "detections": detections, "right": right,
        }  # fmt: skip

    assert best_unit({1: counts(9, 9, 90), 3: counts(8, 8, 12), 5: counts(8, 8, 12), 9: counts(1, 1, 1)}) == 3
    assert best_unit({1: counts(0, 0, 0), 3: counts(0, 0, 0)}) == 1


@settings(max_examples=30)
@given(scenes(), st.integers(0, 1000))
def test_moved_out_of_the_scene_nothing_is_hit_and_unmoved_everything_as_before(drawn, seed):
    predicted, labels = drawn
    scene = objects(predicted, labels)
    height, width = labels.shape
    out = np.array([[height + 1, 0], [0, -width - 1], [-height, width]])
    everywhere = np.ones(labels.shape, bool)
    gone = move(predicted, everywhere, scene.landslide_raster, out, 0.2)
    assert (gone.inside.sum(), gone.found.sum(), gone.touched.sum()) == (0, 0, 0)
    assert gone.summary()["recall"] is None
    still = move(predicted, everywhere, scene.landslide_raster, np.zeros((1, 2), int), 0.2)
    counts = count_objects([scene], 1)
    assert (still.inside[0], still.found[0], still.touched[0]) == tuple(
        counts[name] for name in ("landslides", "found", "touched")
    )


@settings(max_examples=30)
@given(scenes(), st.integers(-10, 10), st.integers(-10, 10), st.integers(0, 2**32 - 1))
def test_a_move_is_what_a_moved_raster_gives_on_the_known_pixels(drawn, down, right, seed):
    predicted, labels = drawn
    known = np.random.default_rng(seed).random(labels.shape) < 0.8
    numbers = objects(predicted, labels).landslide_raster
    padded = np.pad(numbers, 12)
    moved = np.roll(padded, (down, right), (0, 1))[12:-12, 12:-12]
    found = touched = inside = 0
    for number in np.unique(numbers[numbers > 0]):
        body, size = moved == number, (numbers == number).sum()
        body &= known
        if body.sum() * 2 >= size:
            inside += 1
            touched += (body & predicted).any()
            found += (body & predicted).any() and (body & predicted).sum() >= 0.2 * size
    got = move(predicted, known, numbers, np.array([[down, right]]), 0.2)
    assert (got.inside[0], got.found[0], got.touched[0]) == (inside, found, touched)


def test_shifts_are_longer_than_any_landslide_and_repeat_themselves():
    numbers = np.zeros((100, 80), int)
    numbers[10:30, 5] = 1
    numbers[50, 50:60] = 2
    numbers[60:75, 20:35] = 3 * np.eye(15, dtype=int)  # the diagonal of its box is longest
    shifts = draw_shifts(numbers, 500, 3)
    length = np.hypot(*shifts.T)
    assert length.min() > np.hypot(15, 15)
    assert length.max() <= 40.8
    for number in (1, 2, 3):
        own = numbers == number
        assert move(own, np.ones(own.shape, bool), own.astype(int), shifts, 0.01).touched.sum() == 0
    np.testing.assert_array_equal(shifts, draw_shifts(numbers, 500, 3))
    assert (np.abs(shifts.mean(axis=0)) < 4).all()  # no favoured direction


def test_a_prediction_without_skill_finds_what_chance_finds():
    rng = np.random.default_rng(0)
    labels = np.zeros((300, 300), np.uint8)
    for row, col in rng.integers(0, 290, (120, 2)):
        labels[row : row + 4, col : col + 4] = 1
    predicted = ndimage.binary_dilation(rng.random(labels.shape) < 0.01, iterations=2)
    scene = objects(predicted, labels)
    counts = count_objects([scene], 1)
    shifts, everywhere = draw_shifts(scene.landslide_raster, 200, 1), np.ones(labels.shape, bool)
    chance = move(predicted, everywhere, scene.landslide_raster, shifts, 0.2).summary()
    assert chance["recall_low"] <= counts["found"] / counts["landslides"] <= chance["recall_high"]


def test_false_alarms_are_told_apart_by_what_they_lie_on(tmp_path):
    labels = picture("1100000000 0000000000 0000000000 0000000000")
    predicted = picture("1100000011 0000000000 0111000000 0000000111") > 0
    codes = picture("2200000000 0000000000 0122000000 0000000000")
    path = tmp_path / "truth.tif"
    grid = Grid("EPSG:32632", 0.0, 40.0, 10.0, 10, 4)
    bands = np.stack([labels, codes])
    write_cog(path, Raster(bands, grid, ("landslide", "confounder"), (), None, {"confounders": "1=mown,2=felled"}))
    confounders = read_confounders(path)
    assert false_by_confounder(objects(predicted, labels), 1, confounders, 0.2) == {"mown": 0, "felled": 1, "none": 2}
    assert sum(false_by_confounder(objects(predicted, labels, unit=3), 1, confounders, 0.2).values()) == 2
    barely = read_confounders(path)
    barely.codes[2, 1:3] = 0  # of the detection's three pixels one is left on a felled stand
    assert false_by_confounder(objects(predicted, labels), 1, barely, 0.3)["felled"] == 1
    assert false_by_confounder(objects(predicted, labels), 1, barely, 0.4)["felled"] == 0
    known = labels == 0
    assert pixels_by_confounder(known, confounders) == {"mown": 1, "felled": 2, "none": 35}
    write_cog(path, Raster(bands, grid, ("landslide", "confounder"), (), None, {"confounders": "1=mown"}))
    with pytest.raises(InputError, match="confounder 2 has no name"):
        read_confounders(path)
    write_cog(path, Raster(bands[:1], grid, ("landslide",), (), None, {}))
    assert read_confounders(path) is None
