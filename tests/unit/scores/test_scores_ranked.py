"""Single pixels against scikit-learn: the curve, its area, and the same area as sums over blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn import metrics

from skred.scores.bins import count_bins
from skred.scores.counts import Counts
from skred.scores.ranked import Ranked, steps_per_block
from skred.scores.statistics import AveragePrecision


@st.composite
def pixels(draw):
    """Probabilities of a sure network: many lie closer to 0 and 1 than a bin is wide, some are equal to each other."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.r_[True, False, rng.random(draw(st.integers(2, 600))) < 0.3]
    logit = rng.normal(0, draw(st.floats(0.5, 12)), len(truth)) + draw(st.floats(0, 12)) * truth
    p = special.expit(logit).astype(np.float32)
    p[rng.random(len(p)) < 0.2] = rng.choice([0.0, 0.25, 1.0])
    return p, truth


@settings(max_examples=200)
@given(pixels())
def test_the_area_is_that_of_scikit_learn_however_close_to_1_the_probabilities_lie(drawn):
    p, truth = drawn
    assert Ranked(p, truth).auprc() == pytest.approx(metrics.average_precision_score(truth, p), abs=1e-12)


@settings(max_examples=100)
@given(pixels())
def test_the_curve_is_that_of_scikit_learn_where_landslide_pixels_are(drawn):
    p, truth = drawn
    thresholds, precision, recall = Ranked(p, truth).curve()
    theirs = {float(t): (a, b) for a, b, t in zip(*metrics.precision_recall_curve(truth, p), strict=False)}
    assert (np.diff(thresholds) < 0).all()
    assert set(thresholds) == set(p[truth].astype(float))
    for t, a, b in zip(thresholds, precision, recall, strict=True):
        assert (a, b) == pytest.approx(theirs[t])


@settings(max_examples=100)
@given(pixels(), st.integers(1, 9), st.integers(0, 99))
def test_sums_over_blocks_give_the_same_area(drawn, blocks, seed):
    p, truth = drawn
    ranked, block = Ranked(p, truth), np.random.default_rng(seed).integers(0, blocks, len(p))
    sums = steps_per_block(ranked, block, blocks, most=len(p)).sum(axis=0)
    assert AveragePrecision().value(sums.astype(float)) == pytest.approx(ranked.auprc())
    assert sums[: len(sums) // 2].sum() == truth.sum()


@settings(max_examples=50)
@given(pixels(), st.integers(1, 9), st.integers(0, 99))
def test_each_block_has_its_own_pixels(drawn, blocks, seed):
    p, truth = drawn
    block = np.random.default_rng(seed).integers(0, blocks, len(p))
    table = steps_per_block(Ranked(p, truth), block, blocks)
    for number in range(blocks):
        here = block == number
        positive, negative = np.split(table[number], 2)
        assert positive.sum() == truth[here].sum()
        assert negative.sum() == (~truth[here] & (p[here] >= p[truth].min())).sum()


def test_few_steps_give_nearly_the_same_area():
    rng = np.random.default_rng(3)
    truth = rng.random(20_000) < 0.1
    for apart in (0.5, 2, 6):
        ranked = Ranked(special.expit(rng.normal(0, 3, 20_000) + apart * truth).astype(np.float32), truth)
        few = steps_per_block(ranked, np.zeros(20_000, np.int64), 1, most=200)
        assert few.shape[1] <= 2 * 200
        assert float(AveragePrecision().value(few[0].astype(float))) == pytest.approx(ranked.auprc(), abs=0.003)


def test_a_bin_of_thousandths_would_hide_what_a_sure_network_ranks_well():
    p = np.array([0.9999, 0.9998, 0.9992, 0.9991], np.float32)
    labels = np.array([1, 1, 0, 0], np.uint8)
    assert Ranked.of(p, labels).auprc() == 1
    assert count_bins(p, labels).auprc() == 0.5


@settings(max_examples=100)
@given(pixels(), st.integers(1, 999))
def test_counts_at_a_threshold_are_those_of_the_bins(drawn, thousandths):
    p, truth = drawn
    bins = count_bins(p, truth.astype(np.uint8))
    assert Ranked(p, truth).at(thousandths / 1000) == bins.at(thousandths / 1000)


@settings(max_examples=50)
@given(pixels(), st.integers(1, 50))
def test_tiles_add_up_to_the_whole_and_their_order_does_not_matter(drawn, size):
    p, truth = drawn
    tiles = [Ranked(p[i : i + size], truth[i : i + size]) for i in range(0, len(p), size)]
    forth, back = Ranked.join(tiles), Ranked.join(tiles[::-1])
    whole = Ranked(p, truth)
    for added in (forth, back):
        assert added.auprc() == whole.auprc()
        assert (added.pixels, added.landslide_pixels, added.at(0.5)) == (len(p), truth.sum(), whole.at(0.5))


@settings(max_examples=50)
@given(pixels(), st.integers(0, 99))
def test_unknown_pixels_and_those_elsewhere_change_nothing(drawn, seed):
    p, truth = drawn
    rng = np.random.default_rng(seed)
    more = rng.random(40).astype(np.float32)
    labels = np.r_[truth.astype(np.uint8), np.full(20, 255, np.uint8), rng.integers(0, 2, 20, np.uint8)]
    where = np.arange(len(labels)) < len(p) + 20
    assert Ranked.of(np.r_[p, more], labels, where).auprc() == Ranked(p, truth).auprc()


def test_a_perfect_an_empty_and_no_prediction_at_all():
    labels = np.array([1, 0, 1, 0], np.uint8)
    assert Ranked.of(labels.astype(np.float32), labels).auprc() == 1
    assert Ranked.of(np.zeros(4, np.float32), labels).auprc() == 0.5  # the share of landslide
    none = Ranked.of(np.array([0.2, 0.9], np.float32), np.zeros(2, np.uint8))
    assert none.auprc() is None
    assert [len(part) for part in none.curve()] == [0, 0, 0]
    assert Ranked.join([]).auprc() is None
    assert Ranked.join([]).at(0.5) == Counts()
    assert steps_per_block(none, np.zeros(2, np.int64), 3).shape == (3, 0)
