"""Counts per block add up to the whole, and a landslide lies in one block."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skred.core.errors import InputError
from skred.patches.split import EIGHT, block_ids
from skred.scores.bins import count_bins
from skred.scores.blocks import block_keys, block_raster, count_blocks, join, nearby, read_blocks, write_blocks


@st.composite
def scenes(draw):
    shape = draw(st.tuples(st.integers(5, 60), st.integers(5, 60)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    labels = (smooth > np.quantile(smooth, 0.85)).astype(np.uint8)
    labels[rng.random(shape) < 0.05] = 255
    return rng.random(shape).astype(np.float32), labels, rng.random(shape) < 0.8, draw(st.integers(4, 30))


def counted(p, labels, chosen, block_px, role="test", event="toy"):
    blocks, per_row = block_raster(labels, block_px), -(-labels.shape[1] // block_px)
    return count_blocks(p, labels, chosen, blocks, per_row, role=role, event=event, scene=event)


@settings(max_examples=60)
@given(scenes(), st.floats(0, 1))
def test_blocks_add_up_to_the_whole(drawn, threshold):
    p, labels, chosen, block_px = drawn
    blocks = counted(p, labels, chosen, block_px)
    whole = count_bins(p, labels, chosen)
    np.testing.assert_array_equal(blocks.total().positive, whole.positive)
    np.testing.assert_array_equal(blocks.total().negative, whole.negative)
    at = whole.at(threshold)
    assert blocks.pixels(threshold).sum(axis=0).tolist() == [at.tp, at.fp, at.fn, at.tn]
    assert (blocks.bins.sum(axis=(1, 2)) > 0).all()


@settings(max_examples=60)
@given(scenes())
def test_a_landslide_lies_in_the_block_of_its_larger_part_and_nothing_else_moves(drawn):
    _, labels, _, block_px = drawn
    blocks, plain = block_raster(labels, block_px), block_ids(labels.shape, block_px)
    objects, count = ndimage.label(labels == 1, EIGHT)
    np.testing.assert_array_equal(blocks[objects == 0], plain[objects == 0])
    for number in range(1, count + 1):
        parts = np.bincount(plain[objects == number])
        assert np.unique(blocks[objects == number]).tolist() == [parts.argmax()]


def test_blocks_come_back_from_their_files_and_roles_can_be_chosen(tmp_path):
    rng = np.random.default_rng(1)
    labels = (rng.random((40, 40)) < 0.2).astype(np.uint8)
    p, chosen = rng.random((40, 40)).astype(np.float32), np.ones((40, 40), bool)
    both = join([counted(p, labels, chosen, 16, role=role, event=role) for role in ("test", "unseen")])
    write_blocks(tmp_path, both, 0.5)
    again = read_blocks(tmp_path)
    assert again.keys.equals(both.keys)
    np.testing.assert_array_equal(again.bins, both.bins)
    assert again.of("unseen").total().pixels == 1600
    assert again.of("test", "unseen").total().pixels == 3200
    assert join([]).total().pixels == 0
    lines = (tmp_path / "blocks.csv").read_text().splitlines()
    assert lines[0] == "role,event,scene,block_row,block_col,tp,fp,fn,tn"
    assert len(lines) == 1 + len(both.bins)


def test_missing_counts_are_named(tmp_path):
    with pytest.raises(InputError, match="no counts per block"):
        read_blocks(tmp_path)


@settings(max_examples=60)
@given(scenes())
def test_the_key_of_a_block_is_its_place(drawn):
    p, labels, chosen, block_px = drawn
    plain = np.zeros_like(labels)  # without landslides every block is its square
    keys = counted(p, plain, chosen, block_px).keys
    rows, cols = np.nonzero(chosen)
    assert set(zip(keys["block_row"], keys["block_col"], strict=True)) == set(
        zip(rows // block_px, cols // block_px, strict=True)
    )


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_mean_over_the_ways_to_lay_squares_is_the_kernel_of_bartlett(height, width, side, seed):
    rng = np.random.default_rng(seed)
    ids = np.flatnonzero(rng.random(height * width) < 0.8)
    keys = pd.DataFrame(block_keys(ids, width, role="test", event="e", scene="s"))
    u = rng.normal(size=len(ids))
    ways = nearby(keys, side) if len(ids) else np.zeros((side**2, 0), int)
    assert ways.shape == (side**2, len(ids))
    rows, cols = np.divmod(ids, width)
    shares = [np.clip(1 - np.abs(np.subtract.outer(at, at)) / side, 0, None) for at in (rows, cols)]
    mean = np.mean([(np.bincount(way, u) ** 2).sum() for way in ways])
    assert mean == pytest.approx(u @ (shares[0] * shares[1]) @ u)


def test_blocks_of_other_scenes_and_events_are_not_near():
    keys = pd.DataFrame({"event": ["a", "a", "b"], "scene": ["s", "t", "s"], "block_row": 0, "block_col": [0, 1, 1]})
    for way in nearby(keys, 3):
        assert len(set(way)) == 3
