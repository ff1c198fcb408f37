"""Intervals over blocks: against formulas and scikit-learn, and by what must hold for any blocks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from skred.scores.bins import BINS, count_bins
from skred.scores.blocks import block_keys, nearby
from skred.scores.bootstrap import PLAIN, Difference, Mean, OtherError, Resamples, Score, estimate, holm, widening
from skred.scores.counts import Counts
from skred.scores.statistics import PIXEL_SCORES, SHARE_OF, AveragePrecision, rate

MEAN = Score(lambda sums: sums[..., 0] / sums[..., 1])
METHODS = ("percentile", "bca", "studentised")


def blocks_of_numbers(x):
    return np.stack([x, np.ones_like(x)], axis=1)


@given(st.lists(st.integers(0, 10_000), min_size=4, max_size=4))
def test_scores_of_sums_are_those_of_counts(four):
    for name, wanted in Counts(*four).scores().items():
        got = float(PIXEL_SCORES[name].value(np.array(four, float)))
        assert np.isnan(got) if wanted is None else got == pytest.approx(wanted), name


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 400))
def test_average_precision_of_sums_is_that_of_scikit_learn(seed, n):
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 1, rng.random(n) < 0.3].astype(np.uint8)
    p = (np.round(rng.random(n + 2) * 0.6 * BINS + labels * 0.3 * BINS) / BINS).astype(np.float32)
    bins = count_bins(p, labels)
    sums = np.concatenate([bins.positive, bins.negative]).astype(float)
    got = AveragePrecision().value(sums[None])
    assert got[0] == pytest.approx(metrics.average_precision_score(labels, p))


def test_the_derivative_of_average_precision_is_the_one_by_differences():
    rng = np.random.default_rng(0)
    sums = rng.integers(1, 50, (2, 12)).astype(float)
    np.testing.assert_allclose(
        AveragePrecision().gradient(sums), Score(AveragePrecision().value).gradient(sums), rtol=1e-5, atol=1e-9
    )


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_error_of_a_mean_is_the_textbook_one_and_its_interval_holds_the_mean(seed):
    x = np.random.default_rng(seed).normal(3, 2, 40)
    for method in METHODS:
        got = estimate(blocks_of_numbers(x), MEAN, Resamples.draw(40, 400, 1), method)
        assert got.value == pytest.approx(x.mean())
        assert got.error == pytest.approx(x.std(ddof=1) / np.sqrt(40), rel=1e-6)
        assert got.low < got.value < got.high


def test_the_bca_interval_of_a_skewed_mean_is_that_of_scipy():
    x = np.random.default_rng(3).lognormal(0, 1, 30)
    got = estimate(blocks_of_numbers(x), MEAN, Resamples.draw(30, 9999, 1), "bca")
    theirs = stats.bootstrap((x,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(2))
    interval = theirs.confidence_interval
    assert (got.low, got.high) == pytest.approx(interval, abs=0.04 * (interval.high - interval.low))
    plain = estimate(blocks_of_numbers(x), MEAN, Resamples.draw(30, 9999, 1), "percentile")
    assert got.low - plain.low > 0.04 * (interval.high - interval.low)  # it corrects something
    assert got.high - plain.high > 0.1 * (interval.high - interval.low)


@pytest.mark.parametrize("method", METHODS)
def test_on_well_behaved_data_95_of_100_intervals_hold_the_truth(method):
    rng = np.random.default_rng(5)
    resamples = Resamples.draw(50, 500, 1)
    drawn = [estimate(blocks_of_numbers(rng.normal(1, 1, 50)), MEAN, resamples, method) for _ in range(400)]
    covered = np.mean([e.low <= 1 <= e.high for e in drawn])
    assert 0.91 <= covered <= 0.985


def test_the_test_of_a_difference_is_significant_as_often_as_it_says_when_there_is_none():
    rng = np.random.default_rng(6)
    resamples, statistic = Resamples.draw(40, 300, 1), Difference(MEAN, MEAN, 2, PLAIN)
    p = []
    for _ in range(400):
        place = rng.normal(0, 3, 40)  # what both see
        one, other = (blocks_of_numbers(place + rng.normal(0, 1, 40)) for _ in range(2))
        p.append(estimate(np.hstack([one, other]), statistic, resamples, "studentised").p)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.085


def test_pairing_on_blocks_sees_a_difference_that_is_small_beside_the_spread_of_blocks():
    rng = np.random.default_rng(7)
    place = rng.normal(0, 5, 60)
    one, other = (blocks_of_numbers(place + shift + rng.normal(0, 0.2, 60)) for shift in (0.3, 0.0))
    resamples = Resamples.draw(60, 999, 1)
    paired = estimate(np.hstack([one, other]), Difference(MEAN, MEAN, 2, PLAIN), resamples, "studentised")
    assert paired.low > 0
    assert paired.p < 0.01
    assert estimate(one, MEAN, resamples, "studentised").error > 5 * paired.error
    same = estimate(np.hstack([one, one]), Difference(MEAN, MEAN, 2, PLAIN), resamples, "studentised")
    assert same.value == 0
    assert np.isnan(same.p)  # no block tells them apart: nothing to test


def test_the_interval_of_a_difference_leaves_out_0_exactly_when_its_p_is_small():
    rng = np.random.default_rng(8)
    resamples, statistic = Resamples.draw(35, 999, 1), Difference(MEAN, MEAN, 2, PLAIN)
    for shift in np.linspace(0, 1, 25):
        one, other = (blocks_of_numbers(rng.normal(s, 1, 35)) for s in (shift, 0.0))
        got = estimate(np.hstack([one, other]), statistic, resamples, "studentised")
        if abs(got.p - 0.05) > 0.003:
            assert (got.p < 0.05) == (got.low > 0 or got.high < 0)


def test_the_mean_over_seeds_is_the_mean_of_their_scores():
    rng = np.random.default_rng(9)
    tables = [rng.integers(1, 100, (30, 4)) for _ in range(3)]
    mcc = PIXEL_SCORES["mcc"]
    got = estimate(np.hstack(tables), Mean(mcc, 3), Resamples.draw(30, 200, 1), "studentised")
    assert got.value == pytest.approx(np.mean([mcc.value(t.sum(axis=0).astype(float)) for t in tables]))
    once = estimate(tables[0], mcc, Resamples.draw(30, 200, 1), "studentised")
    thrice = estimate(np.hstack(tables[:1] * 3), Mean(mcc, 3), Resamples.draw(30, 200, 1), "studentised")
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(PIXEL_SCORES)), st.sampled_from(METHODS))
def test_an_interval_stays_within_the_range_of_its_score_and_repeats_itself(seed, name, method):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.pareto(1.2, (25, 4)) * [3, 3, 3, 900])
    one, again = (estimate(counts, PIXEL_SCORES[name], Resamples.draw(25, 200, 3), method) for _ in range(2))
    assert repr(one) == repr(again)
    if np.isfinite(one.low):
        assert (-1 if name == "mcc" else 0) <= one.low <= one.value + 1e-9
        assert one.value - 1e-9 <= one.high <= 1


@pytest.mark.parametrize(
    "counts",
    [
        np.zeros((30, 4), int),  # nothing at all
        np.tile([5, 0, 0, 90], (30, 1)),  # perfect
        np.tile([0, 0, 5, 90], (30, 1)),  # nothing predicted
        np.array([[5, 2, 3, 90]]),  # one block
    ],
)
def test_where_blocks_tell_nothing_there_is_no_interval(counts):
    got = estimate(counts, PIXEL_SCORES["mcc"], Resamples.draw(len(counts), 100, 1), "studentised")
    assert np.isnan([got.low, got.high, got.p]).all()


def test_a_score_that_hangs_on_one_block_of_many_has_no_interval():
    counts = np.tile([0, 0, 0, 90], (30, 1))
    counts[3] = 5, 2, 3, 80  # a third of the resamples go without it
    assert np.isnan(estimate(counts, PIXEL_SCORES["recall"], Resamples.draw(30, 300, 1), "studentised").low)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(2, 8))
def test_the_error_of_a_difference_of_means_is_that_of_welch(seed, n, m):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.5, 0.1, n), rng.normal(0.4, rng.uniform(0.01, 0.5), m)
    got, welch = OtherError.of_means([a, b]), stats.ttest_ind(a, b, equal_var=False)
    assert got.error == pytest.approx((a.mean() - b.mean()) / welch.statistic)
    assert got.freedom == pytest.approx(welch.df)


def test_the_error_of_means_by_hand():
    """Variances 1 and 4 of 3 and 2 values: 1/3 + 4/2, and (7/3)² / ((1/3)²/2 + 2²/1)."""
    got = OtherError.of_means([[1.0, 2.0, 3.0], [0.0, 8**0.5]])
    assert got.error == pytest.approx((7 / 3) ** 0.5)
    assert got.freedom == pytest.approx((7 / 3) ** 2 / ((1 / 3) ** 2 / 2 + 4))
    alone = OtherError.of_means([[1.0, 2.0, 3.0], [7.0]])  # one value tells nothing about its error
    assert (alone.error, alone.freedom) == (pytest.approx((1 / 3) ** 0.5), pytest.approx(2))
    assert OtherError.of_means([[7.0], [8.0]]) is None
    assert OtherError.of_means([[7.0, 7.0], [8.0]]) is None
    assert OtherError.of_means([]) is None


def test_another_error_adds_in_squares_and_brings_its_degrees_of_freedom():
    x = np.random.default_rng(11).normal(3, 2, 400)
    resamples, values = Resamples.draw(400, 999, 1), blocks_of_numbers(x)
    alone = estimate(values, MEAN, resamples, "studentised")
    for error, count in ((0.1, 5), (2.0, 5), (2.0, 3)):
        got = estimate(values, MEAN, resamples, "studentised", other=OtherError(error, count - 1))
        assert got.error == pytest.approx(np.hypot(alone.error, error))
        freedom = (count - 1) * (got.error / error) ** 4  # Satterthwaite, the blocks' error taken as known
        t = max(stats.t.ppf(0.975, freedom), (alone.high - alone.value) / alone.error)
        assert (got.high - got.value, got.value - got.low) == (pytest.approx(t * got.error),) * 2
        zero = Difference(MEAN, MEAN, 2, PLAIN)
        both = np.hstack([values, blocks_of_numbers(np.full(400, 2.5))])
        p = estimate(both, zero, resamples, "studentised", other=OtherError(error, count - 1)).p
        away = (x.mean() - 2.5) / got.error
        assert p == pytest.approx(max(2 * stats.t.sf(away, freedom), 1 / 1000), abs=0.02)
        assert p >= 2 * stats.t.sf(away, freedom) * (1 - 1e-6)


def test_rates_and_shares():
    sums = np.array([[3.0, 60.0]])
    assert rate(100).value(sums) == pytest.approx(5)
    assert SHARE_OF.value(sums) == pytest.approx(0.05)
    assert PLAIN.back(PLAIN.out(sums)) is sums


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
    corrected = holm([0.01, float("nan")])
    assert corrected[0] == pytest.approx(0.02)
    assert np.isnan(corrected[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_and_keeps_their_order(p):
    corrected = np.array(holm(p))
    assert (corrected >= np.array(p) - 1e-15).all()
    assert (corrected <= 1).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


LATTICE = nearby(pd.DataFrame(block_keys(np.arange(144), 12, role="test", event="e", scene="s")), 3)


def alike(rng):
    """Numbers of 12 x 12 blocks, those in the same square of two by two alike."""
    shared = np.kron(rng.normal(size=(7, 7)), np.ones((2, 2)))
    return (shared[1:13, 1:13] + rng.normal(0, 0.5, (12, 12))).ravel() + 3


def test_where_neighbours_are_alike_the_interval_is_wider_and_holds_the_truth_more_often():
    rng, resamples = np.random.default_rng(11), Resamples.draw(144, 300, 1)
    drawn = [blocks_of_numbers(alike(rng)) for _ in range(300)]
    alone = [estimate(x, MEAN, resamples, "studentised") for x in drawn]
    together = [estimate(x, MEAN, resamples, "studentised", nearby=LATTICE) for x in drawn]
    held = [np.mean([e.low <= 3 <= e.high for e in found]) for found in (alone, together)]
    assert held[0] < 0.80
    assert held[1] > held[0] + 0.05
    for one, wide, x in zip(alone, together, drawn, strict=True):
        assert wide.error == pytest.approx(one.error * widening(MEAN, x, LATTICE))
        assert wide.high - wide.low == pytest.approx((one.high - one.low) * widening(MEAN, x, LATTICE))
        assert wide.value == one.value


def test_an_interval_is_never_narrowed():
    board = np.where(np.add.outer(np.arange(12), np.arange(12)) % 2, 1.0, 5.0).ravel()  # neighbours are opposites
    assert widening(MEAN, blocks_of_numbers(board), LATTICE) == 1
    rng, resamples = np.random.default_rng(12), Resamples.draw(144, 300, 1)
    x = blocks_of_numbers(board + rng.normal(0, 0.1, 144))
    assert estimate(x, MEAN, resamples, "studentised", nearby=LATTICE) == estimate(x, MEAN, resamples, "studentised")


@pytest.mark.parametrize("method", METHODS)
def test_every_kind_of_interval_is_widened_about_its_score_as_p_is_raised(method):
    rng, resamples = np.random.default_rng(13), Resamples.draw(144, 999, 1)
    one, other = alike(rng), alike(rng)
    both, statistic = np.hstack([blocks_of_numbers(one), blocks_of_numbers(other)]), Difference(MEAN, MEAN, 2, PLAIN)
    alone, wide = (estimate(both, statistic, resamples, method, nearby=near) for near in (None, LATTICE))
    factor = widening(statistic, both, LATTICE)
    assert factor > 1.1
    assert wide.value - wide.low == pytest.approx(factor * (alone.value - alone.low))
    assert wide.high - wide.value == pytest.approx(factor * (alone.high - alone.value))
    assert wide.p > alone.p


@pytest.mark.parametrize("method", METHODS)
def test_a_widened_share_stays_a_share(method):
    rng, resamples = np.random.default_rng(14), Resamples.draw(144, 300, 1)
    cases = rng.integers(1, 9, 144)
    found = np.where(alike(rng) > 1.2, cases, 0)
    got = estimate(np.stack([found, cases], axis=1), SHARE_OF, resamples, method, nearby=LATTICE)
    assert 0 <= got.low < got.value < got.high <= 1


def test_resamples_are_drawn_once_and_cannot_be_changed():
    weights = Resamples.draw(30, 50, 4).weights
    assert Resamples.draw(30, 50, 4).weights is weights
    with pytest.raises(ValueError, match="read-only"):
        weights[0, 0] = 7
