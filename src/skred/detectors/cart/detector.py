"""CART: one decision tree (scikit-learn) that judges each pixel on its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from skred.core.archive import read_model, to_bytes
from skred.core.errors import InputError
from skred.core.trees import NODES, sound_tree
from skred.detectors.base import Fitted, Sliding
from skred.detectors.cart.params import Params
from skred.detectors.training import Training
from skred.scores.bins import count_bins

_FILE = "tree.skops"
_SLIDING = Sliding(window_px=512, margin_px=0, batch=1)  # a tree needs no context: only memory sets the size


class Cart:
    """A trained tree."""

    def __init__(self, tree: DecisionTreeClassifier) -> None:
        self.tree = tree

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        flat = self.tree.predict_proba(x.reshape(-1, x.shape[-1]))[:, 1]
        return np.asarray(flat.reshape(x.shape[:-1]), np.float32)

    def save(self, folder: Path) -> None:
        (folder / _FILE).write_bytes(to_bytes(self.tree))


def load(folder: Path) -> Cart:
    """Raises InputError if the folder has no sound tree."""
    return Cart(read_model(folder / _FILE, DecisionTreeClassifier, sound_tree, [NODES]))


def fit(training: Training, params: Params) -> Fitted:
    """Grow one tree and cut it at the depth that is best on validation.

    The tree learns from at most `max_pixels` distinct labelled training pixels, drawn by seed at natural prevalence.
    Cutting one deep tree at each depth gives a nested family of trees for the price of one (a path of prunings); the
    depth with the largest AUPRC on validation wins, the shallower on a tie. The history shows whether more pixels would
    help: the same is done for growing shares of them, side by side, and told when all are done.
    """
    x, y = training.pixels()
    validation = training.validation.pixels()
    order = np.random.default_rng(params.seed).permutation(len(y))[: params.max_pixels]
    parts = [order[: max(1, round(share * len(order)))] for share in (0.125, 0.25, 0.5, 1.0)]
    parts = [part for part in parts if len(np.unique(y[part])) == 2]
    if not parts:
        raise InputError(
            f"{training.patches.path}: no landslide among the {len(order)} training pixels; raise cart.max_pixels"
        )

    pool = ThreadPoolExecutor(os.cpu_count())  # scikit-learn grows a tree without holding the interpreter
    try:
        grown = [pool.submit(_best_depth, x[part], y[part], validation, params) for part in reversed(parts)][::-1]
        depth, _ = grown[-1].result()
        tree = _new_tree(params, depth).fit(x[order], y[order])  # while the smaller parts still grow
        found = [one.result() for one in grown]
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C, parts that wait for a processor never begin
    history: list[dict[str, float]] = []
    for part, (best, auprc) in zip(parts, found, strict=True):
        row = {"step": float(len(history) + 1), "pixels": float(len(part)), "depth": float(best), "val_auprc": auprc}
        history.append(row)
        training.report(len(history), row)
    return Fitted(Cart(tree), _SLIDING, history, {"depth": float(depth), "training_pixels": float(len(order))})


def _new_tree(params: Params, depth: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=params.min_leaf_pixels, random_state=params.seed)


def _best_depth(
    x: NDArray[np.float32],
    y: NDArray[np.uint8],
    validation: tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_]],
    params: Params,
) -> tuple[int, float]:
    """The depth at which a deep tree is best on validation when it is cut there, and its AUPRC."""
    deep = _new_tree(params, params.max_depth).fit(x, y)
    x_val, y_val, seen = validation
    shares = _by_depth(deep.tree_, x_val, deep.get_depth())
    scores = [count_bins(np.where(seen, share, np.float32(0.0)), y_val).auprc() or 0.0 for share in shares]
    best = int(np.argmax(scores))
    return best + 1, scores[best]


def _by_depth(tree: Any, x: NDArray[np.float32], deepest: int) -> list[NDArray[np.float32]]:
    """Probabilities (P,) of the tree cut at depth 1, 2, ... `deepest`: every pixel walks down one level at a time."""
    share = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
    node = np.zeros(len(x), np.int64)
    rows = np.arange(len(x))
    probabilities = []
    for _ in range(max(deepest, 1)):  # a tree without any split still gives everyone the share of its root
        inner = tree.children_left[node] >= 0
        left = x[rows, np.maximum(tree.feature[node], 0)] <= tree.threshold[node]
        node = np.where(inner, np.where(left, tree.children_left[node], tree.children_right[node]), node)
        probabilities.append(share[node].astype(np.float32))
    return probabilities
