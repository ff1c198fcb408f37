"""Counts per block add up to the whole, and a landslide lies in one block."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skred.core.errors import InputError
from skred.patches.split import EIGHT, block_ids
from skred.scores.bins import count_bins
from skred.scores.blocks import block_raster, count_blocks, join, read_blocks, write_blocks


@st.composite
def scenes(draw):
    shape = draw(st.tuples(st.integers(5, 60), st.integers(5, 60)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    labels = (smooth > np.quantile(smooth, 0.85)).astype(np.uint8)
    labels[rng.random(shape) < 0.05] = 255
    return rng.random(shape).astype(np.float32), labels, rng.random(shape) < 0.8, draw(st.integers(4, 30))


def counted(p, labels, chosen, block_px, role="test", event="toy"):
    return count_blocks(p, labels, chosen, block_raster(labels, block_px), role=role, event=event, scene=event)


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
    assert lines[0] == "role,event,scene,block,tp,fp,fn,tn"
    assert len(lines) == 1 + len(both.bins)


def test_missing_counts_are_named(tmp_path):
    with pytest.raises(InputError, match="no counts per block"):
        read_blocks(tmp_path)
