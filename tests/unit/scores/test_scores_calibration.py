"""Calibration against scikit-learn and by hand; fitted on validation, never worse there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from skred.scores.calibration import (
    BINS,
    Calibrator,
    calibration_scores,
    choose_calibrator,
    fit_isotonic,
    fit_temperature,
    reliability,
)


def pixels(seed, n=4000, temperature=1.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(-2, 2, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-logits))
    return np.round(1 / (1 + np.exp(-logits * temperature)), 6), truth, rng.integers(0, 20, n)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_curve_and_brier_are_those_of_scikit_learn(seed):
    p, truth, _ = pixels(seed, 500)
    p = np.where(np.isclose(p * BINS, np.round(p * BINS)), p + 1e-5, p)  # at an edge scikit-learn takes the lower bin
    observed, probability = calibration_curve(truth, p, n_bins=BINS)
    table = reliability(p, truth)
    assert table["pixels"].sum() == 500
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["probability"], probability)
    assert calibration_scores(p, truth)["brier"] == pytest.approx(brier_score_loss(truth, p))


def test_expected_calibration_error_by_hand():
    p = np.array([0.05] * 8 + [0.95] * 2)
    truth = np.array([True] * 2 + [False] * 6 + [True, False])
    scores = calibration_scores(p, truth)
    assert scores["ece"] == pytest.approx(0.8 * 0.2 + 0.2 * 0.45)
    assert scores["ece_from_0.1"] == pytest.approx(0.45)
    assert set(calibration_scores(np.zeros(0), np.zeros(0, bool)).values()) == {None}


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_isotonic_is_that_of_scikit_learn(seed):
    p, truth, _ = pixels(seed, 300)
    ours = fit_isotonic(p, truth)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(p, truth)
    grid = np.linspace(0, 1, 101)
    np.testing.assert_allclose(ours(grid), theirs.predict(grid), atol=2e-3)
    assert (np.diff(ours(grid)) >= 0).all()


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_temperature_that_was_put_in_is_found(temperature):
    p, truth, _ = pixels(1, 60_000, temperature)
    fitted = fit_temperature(p, truth)
    assert fitted.temperature == pytest.approx(temperature, rel=0.05)
    before, after = calibration_scores(p, truth), calibration_scores(fitted(p), truth)
    assert after["ece"] <= before["ece"] + 0.002
    assert after["ece"] < 0.01


@pytest.mark.parametrize("kind", ["none", "temperature", "isotonic", "best"])
def test_a_calibrator_rises_stays_a_probability_and_can_be_written_down(kind):
    p, truth, blocks = pixels(2, temperature=2.0)
    fitted = choose_calibrator(p, truth, blocks, kind)
    assert kind in (fitted.kind, "best")
    calibrated = fitted(np.linspace(0, 1, 1001))
    assert (np.diff(calibrated) >= 0).all()
    assert calibrated.min() >= 0
    assert calibrated.max() <= 1
    assert Calibrator.model_validate_json(fitted.model_dump_json()) == fitted


def test_the_best_kind_is_one_that_helps():
    p, truth, blocks = pixels(3, 20_000, 3.0)
    assert choose_calibrator(p, truth, blocks, "best").kind != "none"
    right, its_truth, its_blocks = pixels(4, 20_000, 1.0)
    fitted = choose_calibrator(right, its_truth, its_blocks, "best")
    assert calibration_scores(fitted(right), its_truth)["ece"] < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_the_best_kind_is_judged_on_blocks_that_it_was_not_fitted_on(seed):
    """Few pixels with probabilities that are right already: on its own pixels isotonic regression is always best."""
    p, truth, blocks = pixels(seed, 200)
    losses = {
        fitted.kind: log_loss(truth, np.clip(fitted(p), 1e-4, 1 - 1e-4))
        for fitted in (choose_calibrator(p, truth, blocks, kind) for kind in ("none", "temperature", "isotonic"))
    }
    assert min(losses, key=losses.get) == "isotonic"
    assert choose_calibrator(p, truth, blocks, "best").kind != "isotonic"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_there_is_nothing_to_fit_probabilities_stay_as_they_are(share):
    p = np.linspace(0, 1, 50)
    truth = np.full(50, bool(share))
    fitted = choose_calibrator(p, truth, np.arange(50), "best")
    np.testing.assert_array_equal(fitted(p), p)
