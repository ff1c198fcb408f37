"""Nothing leaks from one split to another: blocks, buffers, landslides on a border, windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from skred.core.scenes import UNKNOWN
from skred.patches.make import divide
from skred.patches.params import PatchParams
from skred.patches.split import (
    EIGHT,
    Split,
    assign_at_random,
    block_ids,
    imbalance,
    lay_buffer,
    settle_borders,
)
from skred.patches.windows import windows_of_split, windows_within


@st.composite
def label_rasters(draw, low=40, high=90):
    """Scattered blobs of landslide with some unknown pixels."""
    height, width = draw(st.integers(low, high)), draw(st.integers(low, high))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smooth = ndimage.gaussian_filter(rng.normal(size=(height, width)), draw(st.floats(0.5, 4)))
    labels = (smooth > np.quantile(smooth, draw(st.floats(0.6, 0.99)))).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.02] = 255
    return labels


@st.composite
def dividing(draw):
    block_px = draw(st.integers(16, 40))
    buffer_px = draw(st.integers(8, 14))
    shares = draw(st.tuples(st.floats(0.1, 0.4), st.just(0.0) | st.floats(0.01, 0.4)))
    return PatchParams(
        window_px=16,
        stride_px=draw(st.integers(1, 20)),
        block_px=block_px,
        buffer_px=buffer_px,
        val_share=shares[0],
        test_share=shares[1],
        draws=3,
        seed=draw(st.integers(0, 100)),
    )


def distance_px(mask):
    """Distance in whole pixels, the larger of rows and columns, to the nearest True."""
    if not mask.any():
        return np.full(mask.shape, 10_000)
    return ndimage.distance_transform_cdt(~mask, metric="chessboard")


@settings(max_examples=60)
@given(label_rasters(), dividing())
def test_train_lies_further_than_the_buffer_from_all_that_is_held_out(labels, params):
    split = divide(labels, "blocks", params).split
    held_out = np.isin(split, (Split.VAL, Split.TEST))
    assert (distance_px(held_out)[split == Split.TRAIN] > params.buffer_px).all()
    assert (distance_px(split == Split.TEST)[split == Split.VAL] > params.buffer_px).all()


@settings(max_examples=60)
@given(label_rasters(), dividing())
def test_a_training_window_touches_no_buffer_and_no_window_touches_another_split(labels, params):
    split = divide(labels, "blocks", params).split
    for code in (Split.TRAIN, Split.VAL, Split.TEST):
        allowed = {code} if code == Split.TRAIN else {code, Split.BUFFER}
        for window in windows_of_split(split, code, params.window_px, params.stride_px):
            seen = set(np.unique(split[window.slices]).tolist())
            assert code in seen
            assert seen <= allowed


@settings(max_examples=60)
@given(label_rasters(), dividing())
def test_a_landslide_on_a_border_is_unknown_to_training_and_scored_in_one_split(labels, params):
    divided = divide(labels, "blocks", params)
    objects, count = ndimage.label(labels == 1, EIGHT)
    for number in range(1, count + 1):
        inside = objects == number
        training = set(divided.labels[inside].tolist())
        assert training in ({1}, {255})  # all of it, or none
        scored = {code for code in np.unique(divided.split[inside]) if code in (Split.VAL, Split.TEST)}
        assert len(scored) <= 1
        if training == {1}:
            used = {code for code in np.unique(divided.split[inside]) if code != Split.BUFFER}
            assert len(used) <= 1
    np.testing.assert_array_equal(divided.labels[labels != 1], labels[labels != 1])


@settings(max_examples=60)
@given(label_rasters(), st.integers(10, 40), st.integers(0, 1000))
def test_a_landslide_on_a_border_goes_where_its_larger_part_lies(labels, block_px, seed):
    blocks = block_ids(labels.shape, block_px)
    codes = np.random.default_rng(seed).choice([1, 2, 3], blocks.max() + 1).astype(np.uint8)[blocks]
    training, scoring = settle_borders(labels, codes)
    objects, count = ndimage.label(labels == 1, EIGHT)
    for number in range(1, count + 1):
        inside = objects == number
        pixels = np.bincount(codes[inside], minlength=5)
        assert pixels[np.unique(scoring[inside])].tolist() == [pixels.max()]
        crosses = (pixels > 0).sum() > 1
        assert (training[inside] == (255 if crosses else 1)).all()
    np.testing.assert_array_equal(scoring[objects == 0], codes[objects == 0])


@given(arrays(np.uint8, (24, 31), elements=st.integers(0, 3)), st.integers(0, 6))
@settings(max_examples=40)
def test_the_buffer_takes_nothing_from_test_and_gives_nothing_to_anybody(split, buffer_px):
    out = lay_buffer(split, buffer_px)
    np.testing.assert_array_equal(out == Split.TEST, split == Split.TEST)
    assert ((out == split) | (out == Split.BUFFER)).all()
    assert (out[split == Split.OUTSIDE] == Split.OUTSIDE).all()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30))
def test_blocks_are_numbered_row_by_row_without_a_gap(height, width, block_px):
    ids = block_ids((height, width), block_px)
    assert set(np.unique(ids)) == set(range(ids.max() + 1))
    for number in np.unique(ids):
        rows, cols = np.nonzero(ids == number)
        assert np.ptp(rows) < block_px
        assert np.ptp(cols) < block_px
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(cols) + 1)


@given(st.integers(4, 200), st.floats(0.01, 0.4), st.floats(0, 0.4), st.integers(0, 9))
def test_a_random_assignment_has_the_shares_asked_for(blocks, val, test, seed):
    codes = assign_at_random(blocks, (val, test), np.random.default_rng(seed))
    for code, share in ((Split.VAL, val), (Split.TEST, test)):
        wanted = 0 if share == 0 else max(1, round(share * blocks))
        assert (codes == code).sum() == wanted
    assert set(codes.tolist()) <= {Split.TRAIN, Split.VAL, Split.TEST}


def test_more_draws_never_balance_worse_and_repeat_themselves():
    labels = np.zeros((256, 256), np.uint8)
    for row, col in np.random.default_rng(0).integers(0, 250, (60, 2)):
        labels[row : row + 5, col : col + 3] = 1

    def drawn(draws):
        params = PatchParams(
            window_px=16, stride_px=8, block_px=32, buffer_px=8, val_share=0.2, test_share=0.25, draws=draws, seed=5
        )
        return divide(labels, "blocks", params)

    best = [drawn(draws) for draws in (1, 10, 60)]
    misses = [imbalance(labels, divided.labels, divided.split, (0.2, 0.25)) for divided in best]
    assert misses == sorted(misses, reverse=True)
    assert misses[-1] < misses[0]
    np.testing.assert_array_equal(drawn(10).split, drawn(10).split)


def ten_of_ten_pixels():
    """Ten landslides of 1 x 10 pixels, one above the other."""
    labels = np.zeros((20, 10), np.uint8)
    labels[::2] = 1
    split = np.full(labels.shape, Split.TRAIN, np.uint8)
    split[:4], split[4:8] = Split.VAL, Split.TEST  # two landslides each
    return labels, split


def test_imbalance_counts_what_the_buffer_swallows():
    labels, split = ten_of_ten_pixels()
    assert imbalance(labels, labels, split, (0.2, 0.2)) == pytest.approx(0.5)  # each of two is half of validation
    split[8:16] = Split.BUFFER  # four of the six of train
    assert imbalance(labels, labels, split, (0.2, 0.2)) == pytest.approx(2 / 3)
    nothing = np.zeros_like(labels)
    assert imbalance(nothing, nothing, split, (0.2, 0.2)) == pytest.approx(1)


def test_a_landslide_that_is_hidden_from_training_counts_as_missing_there():
    labels, split = ten_of_ten_pixels()
    hidden = labels.copy()
    hidden[8:16] = UNKNOWN  # four of the six of train
    assert imbalance(labels, hidden, split, (0.2, 0.2)) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("share", "fault"), [(160 / 260, (10 / 11) / (100 / 260) - 1), (1 / 11, 160 / 260 * 11 - 1)])
def test_one_large_landslide_is_no_validation_set_neither_by_area_nor_by_number(share, fault):
    labels = np.zeros((20, 20), np.uint8)
    labels[::2, :10] = 1  # ten small ones of 10 pixels
    labels[:, 12:] = 1  # one of 160
    split = np.full(labels.shape, Split.TRAIN, np.uint8)
    split[:, 11:] = Split.VAL
    assert imbalance(labels, labels, split, (share, 0.0)) == pytest.approx(fault)


def test_a_split_that_is_one_landslide_is_at_fault_though_its_shares_fit():
    labels = np.zeros((20, 20), np.uint8)
    labels[::2, :10] = 1
    split = np.full(labels.shape, Split.TRAIN, np.uint8)
    split[0] = Split.VAL
    assert imbalance(labels, labels, split, (0.1, 0.0)) == pytest.approx(1)
    split[2] = Split.VAL
    assert imbalance(labels, labels, split, (0.2, 0.0)) == pytest.approx(0.5)


@settings(max_examples=50)
@given(
    mask=arrays(
        bool, st.tuples(st.integers(5, 30), st.integers(5, 30)), elements=st.sampled_from([True] * 9 + [False])
    ),
    window=st.integers(1, 8),
    stride=st.integers(1, 8),
)
def test_windows_within_a_mask_are_those_of_the_lattice_that_are_whole(mask, window, stride):
    found = {(w.row, w.col) for w in windows_within(mask, window, stride)}
    height, width = mask.shape
    rows = {*range(0, height - window + 1, stride), height - window} if height >= window else set()
    cols = {*range(0, width - window + 1, stride), width - window} if width >= window else set()
    assert found == {(r, c) for r in rows for c in cols if mask[r : r + window, c : c + window].all()}


def test_validation_windows_lie_side_by_side_and_training_windows_on_their_stride():
    split = np.full((64, 64), Split.VAL, np.uint8)
    assert len(windows_of_split(split, Split.VAL, 16, 8)) == 16
    split[:] = Split.TRAIN
    assert len(windows_of_split(split, Split.TRAIN, 16, 8)) == 49


@pytest.mark.parametrize(("side_px", "unknown_share"), [(160, 0.0), (170, 0.0), (320, 0.4)])
@pytest.mark.parametrize("seed", range(3))
def test_random_windows_show_training_as_many_known_pixels_as_blocks_would(seed, side_px, unknown_share):
    params = PatchParams(
        window_px=16, stride_px=8, block_px=40, buffer_px=8, val_share=0.2, test_share=0.25, draws=3, seed=seed
    )
    labels = np.zeros((side_px, side_px), np.uint8)
    for row, col in np.random.default_rng(seed).integers(0, side_px - 10, (40, 2)):
        labels[row : row + 9, col : col + 4] = 1
    labels[:, : round(unknown_share * side_px)] = 255

    def shown(kind):
        divided = divide(labels, kind, params)
        seen = np.zeros(labels.shape, bool)
        for window in windows_of_split(divided.split, Split.TRAIN, 16, 8):
            seen[window.slices] = True
        return int((seen & (divided.labels != 255)).sum())

    assert (
        shown("blocks") < (divide(labels, "blocks", params).split == Split.TRAIN).sum()
    )  # some is too narrow or hidden
    assert abs(shown("random") - shown("blocks")) <= 16 * 16 / 2


def leaks(split, windows, buffer_px):
    """What a training window must not do: show a pixel that is held out, or lie within the buffer of one."""
    held_out = distance_px(np.isin(split, (Split.VAL, Split.TEST)))
    return [window for window in windows if (held_out[window.slices] <= buffer_px).any()]


@settings(max_examples=30)
@given(label_rasters(low=60), dividing(), st.integers(0, 2**32 - 1))
def test_a_test_window_that_is_moved_onto_a_training_block_is_found(labels, params, seed):
    split = divide(labels, "blocks", params).split
    train = windows_of_split(split, Split.TRAIN, params.window_px, params.stride_px)
    assert leaks(split, train, params.buffer_px) == []
    test = windows_of_split(split, Split.TEST, params.window_px, params.window_px)
    if train and test:
        victim = train[np.random.default_rng(seed).integers(len(train))]
        moved = split.copy()
        moved[victim.slices] = Split.TEST  # the test window now lies where training looks
        assert victim in leaks(moved, train, params.buffer_px)
        # and windows that are chosen after the move keep away from it
        again = lay_buffer(moved, params.buffer_px)
        assert (
            leaks(again, windows_of_split(again, Split.TRAIN, params.window_px, params.stride_px), params.buffer_px)
            == []
        )
