"""Scores against a second implementation (scikit-learn), and what must hold for any counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from skred.scores.bins import BINS, EMPTY, BinCounts, best_threshold, count_bins, predicted_positive
from skred.scores.counts import Counts

numbers = st.integers(0, 10_000)
counts = st.builds(Counts, numbers, numbers, numbers, numbers)
SKLEARN = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "mcc": metrics.matthews_corrcoef,
    "iou": metrics.jaccard_score,
}


@st.composite
def pixels(draw, both=False):
    """Probabilities that are whole thousandths, and labels."""
    n = draw(st.integers(2, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = (rng.random(n) < draw(st.floats(0, 1))).astype(np.uint8)
    if both:
        labels[:2] = 0, 1
    signal = draw(st.floats(0, 0.8)) * labels + rng.random(n) * draw(st.floats(0.001, 0.2))
    levels = draw(st.sampled_from([3, 20, 1000]))  # few levels: many equal probabilities
    p = np.round(np.clip(signal, 0, 1) * levels) / levels
    return (np.round(p * BINS) / BINS).astype(np.float32), labels


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_scores_are_those_of_scikit_learn_wherever_they_are_defined(pairs):
    truth, predicted = np.array(pairs).T
    table = Counts(
        tp=int((truth & predicted).sum()),
        fp=int((~truth & predicted).sum()),
        fn=int((truth & ~predicted).sum()),
        tn=int((~truth & ~predicted).sum()),
    )
    for name, score in table.scores().items():
        if score is not None:
            assert score == pytest.approx(SKLEARN[name](truth, predicted), abs=1e-12), name


@given(counts)
def test_iou_follows_from_f1(table):
    if table.f1 is None:
        assert table.iou is None
    else:
        assert table.iou == pytest.approx(table.f1 / (2 - table.f1))


@given(counts)
def test_scores_lie_in_their_ranges_and_f1_is_the_harmonic_mean(table):
    for name, score in table.scores().items():
        assert score is None or (-1 if name == "mcc" else 0) <= score <= 1 + 1e-12
    if table.precision and table.recall:
        assert table.f1 == pytest.approx(2 / (1 / table.precision + 1 / table.recall))


@given(counts, counts)
def test_counts_add_up(a, b):
    total = a + b
    assert (total.tp, total.fp, total.fn, total.tn) == (a.tp + b.tp, a.fp + b.fp, a.fn + b.fn, a.tn + b.tn)


@pytest.mark.parametrize(
    ("table", "undefined"),
    [
        (Counts(), {"precision", "recall", "f1", "mcc", "iou"}),
        (Counts(tn=9), {"precision", "recall", "f1", "mcc", "iou"}),
        (Counts(fn=3, tn=9), {"precision", "mcc"}),  # nothing predicted: no precision, and recall is 0
        (Counts(fp=3, tn=9), {"recall", "mcc"}),  # nothing to find
        (Counts(tp=3), {"mcc"}),
    ],
)
def test_what_the_counts_do_not_define_is_none_and_never_0(table, undefined):
    assert {name for name, score in table.scores().items() if score is None} == undefined


def test_perfect_and_opposite_predictions():
    assert set(Counts(tp=5, tn=7).scores().values()) == {1.0}
    assert Counts(fp=7, fn=5).mcc == pytest.approx(-1)
    assert Counts(fp=7, fn=5).f1 == 0


def test_counts_of_a_whole_country_do_not_overflow():
    assert Counts(10**9, 10**9, 10**9, 10**12).mcc == pytest.approx(0.5, abs=1e-3)


@given(pixels(both=True))
def test_auprc_is_average_precision(drawn):
    p, labels = drawn
    assert count_bins(p, labels).auprc() == pytest.approx(metrics.average_precision_score(labels, p), abs=1e-12)


@settings(max_examples=30)
@given(pixels(both=True))
def test_the_curve_holds_precision_and_recall_of_every_threshold(drawn):
    p, labels = drawn
    thresholds, precision, recall = count_bins(p, labels).curve()
    for t, its_precision, its_recall in zip(thresholds[::197], precision[::197], recall[::197], strict=True):
        predicted = np.round(p * BINS) >= round(t * BINS)
        assert its_precision == pytest.approx(metrics.precision_score(labels, predicted))
        assert its_recall == pytest.approx(metrics.recall_score(labels, predicted))


@given(pixels(), st.integers(0, BINS))
def test_predicted_positive_is_the_rule_of_the_counts(drawn, k):
    p, labels = drawn
    predicted = predicted_positive(p, k / BINS)
    at = count_bins(p, labels).at(k / BINS)
    assert (at.tp, at.fp) == (int((predicted & (labels == 1)).sum()), int((predicted & (labels == 0)).sum()))
    assert (at.fn, at.tn) == (int((~predicted & (labels == 1)).sum()), int((~predicted & (labels == 0)).sum()))
    if k < BINS:
        np.testing.assert_array_equal(predicted, np.round(p * BINS) >= k)  # and means what a reader expects


@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.integers(0, BINS - 1))
def test_predicted_positive_and_the_counts_agree_on_any_probability(values, k):
    p = np.array(values, np.float32)
    positive = int(predicted_positive(p, k / BINS).sum())
    assert count_bins(p, np.ones(len(p), np.uint8)).at(k / BINS).tp == positive


@given(st.lists(pixels(), min_size=1, max_size=4))
def test_bin_counts_add_up_over_tiles(parts):
    total = EMPTY
    for p, labels in parts:
        total += count_bins(p, labels)
    whole = count_bins(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    np.testing.assert_array_equal(total.positive, whole.positive)
    np.testing.assert_array_equal(total.negative, whole.negative)
    assert total.pixels == sum(len(labels) for _, labels in parts)


@given(pixels(), st.integers(0, 2**32 - 1))
def test_unknown_pixels_and_those_left_out_change_nothing(drawn, seed):
    p, labels = drawn
    rng = np.random.default_rng(seed)
    more = rng.random(50).astype(np.float32)
    unknown = count_bins(np.concatenate([p, more]), np.concatenate([labels, np.full(50, 255, np.uint8)]))
    where = np.arange(len(p) + 50) < len(p)
    left_out = count_bins(np.concatenate([p, more]), np.concatenate([labels, np.ones(50, np.uint8)]), where)
    for got in (unknown, left_out):
        np.testing.assert_array_equal(got.positive, count_bins(p, labels).positive)
        np.testing.assert_array_equal(got.negative, count_bins(p, labels).negative)


def test_without_landslides_there_is_no_curve_no_area_and_the_middle_threshold():
    nothing = count_bins(np.array([0.2, 0.9], np.float32), np.zeros(2, np.uint8))
    assert nothing.auprc() is None
    assert [len(part) for part in nothing.curve()] == [0, 0, 0]
    assert best_threshold(nothing) == best_threshold(EMPTY) == 0.5


@pytest.mark.parametrize("p", [-0.01, 1.01, np.nan])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match="wanted 0 to 1"):
        count_bins(np.array([p], np.float32), np.zeros(1, np.uint8))


def test_the_ends_are_counted():
    both = count_bins(np.array([0, 1], np.float32), np.array([0, 1], np.uint8))
    assert (both.negative[0], both.positive[BINS - 1]) == (1, 1)
    assert both.at(0.001).scores()["f1"] == 1


@settings(max_examples=25)
@given(pixels(both=True))
def test_the_best_threshold_is_best(drawn):
    p, labels = drawn
    total = count_bins(p, labels)
    best = best_threshold(total)
    assert round(best * BINS) == pytest.approx(best * BINS)
    predicted = np.round(p * BINS)[None] >= np.arange(1, BINS)[:, None]
    distinct = np.unique(predicted, axis=0)
    reached = max(metrics.matthews_corrcoef(labels, row) for row in distinct)
    if reached > 1e-9:
        assert total.at(best).mcc >= reached - 1e-9


def test_the_best_threshold_lies_in_the_middle_of_its_plateau():
    total = count_bins(np.array([0.2, 0.6], np.float32), np.array([0, 1], np.uint8))
    assert best_threshold(total) == pytest.approx(0.4, abs=0.002)  # every threshold above 0.2 up to 0.6 is perfect


def test_bin_counts_of_two_sizes_of_tile_are_the_same():
    rng = np.random.default_rng(3)
    p, labels = rng.random((60, 40)).astype(np.float32), rng.choice([0, 1, 255], (60, 40)).astype(np.uint8)
    by_rows = sum((count_bins(p[i : i + 7], labels[i : i + 7]) for i in range(0, 60, 7)), EMPTY)
    assert isinstance(by_rows, BinCounts)
    np.testing.assert_array_equal(by_rows.positive, count_bins(p, labels).positive)
