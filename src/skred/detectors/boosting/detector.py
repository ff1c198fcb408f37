"""Gradient-boosted trees on histograms (Ke et al. 2017; scikit-learn's version) that judge each pixel on its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from skred.core.archive import read_model, to_bytes
from skred.core.errors import InputError
from skred.core.trees import sound_nodes
from skred.detectors.base import Fitted, Sliding
from skred.detectors.boosting.params import Params
from skred.detectors.training import Training
from skred.scores.bins import count_bins

_FILE = "boosting.skops"
_SLIDING = Sliding(window_px=512, margin_px=0, batch=1)
_PARTS = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)  # skops does not load it unasked


class Boosting:
    """Trained boosted trees."""

    def __init__(self, trees: HistGradientBoostingClassifier) -> None:
        self.trees = trees

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `skred.detectors.base.Detector.predict`."""
        flat = self.trees.predict_proba(x.reshape(-1, x.shape[-1]))[:, 1]
        return np.asarray(flat.reshape(x.shape[:-1]), np.float32)

    def save(self, folder: Path) -> None:
        """Write ``boosting.skops``."""
        (folder / _FILE).write_bytes(to_bytes(self.trees))


def load(folder: Path) -> Boosting:
    """Raises InputError if the folder has no sound trees."""
    return Boosting(read_model(folder / _FILE, HistGradientBoostingClassifier, _sound, _PARTS))


def _sound(trees: HistGradientBoostingClassifier) -> bool:
    every = [predictor.nodes for step in trees._predictors for predictor in step]
    return bool(every) and all(sound_nodes(nodes, trees.n_features_in_) for nodes in every)


def fit(training: Training, params: Params) -> Fitted:
    """Add trees one by one and keep as many as have the largest AUPRC on validation. They learn from at most
    `max_pixels` labelled training pixels, drawn by seed at natural prevalence.

    Raises
    ------
    InputError
        There is no landslide among the pixels drawn.
    """
    x, y = training.pixels()
    x_val, y_val, seen = training.validation.pixels()
    order = np.random.default_rng(params.seed).permutation(len(y))[: params.max_pixels]
    if len(np.unique(y[order])) < 2:
        raise InputError(f"{training.patches.path}: no landslide among {len(order)} pixels; raise boosting.max_pixels")
    full = _new(params, params.trees).fit(x[order], y[order])
    history: list[dict[str, float]] = []
    for step, p in enumerate(full.staged_predict_proba(x_val), start=1):
        auprc = count_bins(np.where(seen, p[:, 1].astype(np.float32), np.float32(0)), y_val).auprc() or 0.0
        history.append({"step": float(step), "val_auprc": auprc})
        training.report(step, history[-1])
    best = max(history, key=lambda row: (row["val_auprc"], -row["step"]))
    kept = _new(params, int(best["step"])).fit(x[order], y[order])
    return Fitted(Boosting(kept), _SLIDING, history, {"trees": best["step"]})


def _new(params: Params, trees: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=params.learning_rate,
        max_leaf_nodes=params.leaves,
        min_samples_leaf=params.min_leaf_pixels,
        early_stopping=False,
        random_state=params.seed,
    )
