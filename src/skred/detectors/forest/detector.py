"""A random forest (Breiman 2001; scikit-learn) that judges each pixel on its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skred.core.archive import read_model, to_bytes
from skred.core.errors import InputError
from skred.core.trees import NODES, sound_tree
from skred.detectors.base import Fitted, Sliding
from skred.detectors.forest.params import Params
from skred.detectors.training import Training
from skred.scores.bins import count_bins

_FILE = "forest.skops"
_SLIDING = Sliding(window_px=512, margin_px=0, batch=1)


class Forest:
    """A trained forest."""

    def __init__(self, forest: RandomForestClassifier) -> None:
        self.forest = forest
        self.forest.n_jobs = 1  # threads add the trees up in the order in which they end: other last digits each time

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `skred.detectors.base.Detector.predict`."""
        return _predict(self.forest, x.reshape(-1, x.shape[-1])).reshape(x.shape[:-1])

    def save(self, folder: Path) -> None:
        """Write ``forest.skops``."""
        (folder / _FILE).write_bytes(to_bytes(self.forest))


def load(folder: Path) -> Forest:
    """Raises InputError if the folder has no sound forest."""
    return Forest(read_model(folder / _FILE, RandomForestClassifier, _sound, [NODES]))


def _sound(forest: RandomForestClassifier) -> bool:
    trees = getattr(forest, "estimators_", [])
    same = all(isinstance(t, DecisionTreeClassifier) and t.n_features_in_ == forest.n_features_in_ for t in trees)
    return bool(trees) and same and all(map(sound_tree, trees))


def fit(training: Training, params: Params) -> Fitted:
    """Grow a forest for each size of leaf and keep the one with the largest AUPRC on validation, the larger leaf of
    equals. It learns from at most `max_pixels` labelled training pixels, drawn by seed at natural prevalence.

    Raises
    ------
    InputError
        There is no landslide among the pixels drawn.
    """
    x, y = training.pixels()
    x_val, y_val, seen = training.validation.pixels()
    order = np.random.default_rng(params.seed).permutation(len(y))[: params.max_pixels]
    if len(np.unique(y[order])) < 2:
        raise InputError(f"{training.patches.path}: no landslide among {len(order)} pixels; raise forest.max_pixels")
    history: list[dict[str, float]] = []
    best: tuple[float, int, RandomForestClassifier] | None = None
    for step, leaf in enumerate(sorted(params.min_leaf_pixels, reverse=True), start=1):
        forest = RandomForestClassifier(
            params.trees, min_samples_leaf=leaf, random_state=params.seed, n_jobs=2, max_features="sqrt"
        ).fit(x[order], y[order])
        forest.n_jobs = 1
        auprc = count_bins(np.where(seen, _predict(forest, x_val), np.float32(0)), y_val).auprc() or 0.0
        history.append({"step": float(step), "min_leaf_pixels": float(leaf), "val_auprc": auprc})
        training.report(step, history[-1])
        if best is None or auprc > best[0]:
            best = auprc, leaf, forest
    assert best is not None  # noqa: S101 - there is at least one size of leaf
    return Fitted(Forest(best[2]), _SLIDING, history, {"min_leaf_pixels": float(best[1])})


def _predict(forest: RandomForestClassifier, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(forest.predict_proba(x)[:, 1], np.float32)
