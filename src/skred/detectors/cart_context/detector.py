"""A decision tree that also sees the neighbourhood of a pixel: what context is worth without a deep network.

Beside each channel it gets the channel's mean and standard deviation in squares around the pixel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.tree import DecisionTreeClassifier

from skred.core.archive import from_bytes, to_bytes
from skred.core.errors import InputError
from skred.core.json_file import read_json, write_json
from skred.core.params import parse
from skred.core.trees import NODES, sound_tree
from skred.detectors.base import Fitted, Sliding
from skred.detectors.cart_context.params import Params
from skred.detectors.training import Training
from skred.scores.bins import count_bins

_FILE, _RADII = "tree.skops", "context.json"


class CartContext:
    """A trained tree, and the radii in pixels of the squares that it sees."""

    def __init__(self, tree: DecisionTreeClassifier, radii_px: tuple[int, ...]) -> None:
        self.tree = tree
        self.radii_px = radii_px

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `skred.detectors.base.Detector.predict`."""
        out = np.empty(x.shape[:-1], np.float32)
        for i, window in enumerate(x):
            features = neighbourhood(window[None], self.radii_px)[0]
            out[i] = self.tree.predict_proba(features.reshape(-1, features.shape[-1]))[:, 1].reshape(out[i].shape)
        return out

    def save(self, folder: Path) -> None:
        """Write ``tree.skops`` and ``context.json``."""
        (folder / _FILE).write_bytes(to_bytes(self.tree))
        write_json(folder / _RADII, list(self.radii_px))


def neighbourhood(x: NDArray[np.float32], radii_px: tuple[int, ...]) -> NDArray[np.float32]:
    """Channels (N, H, W, C), then for each radius their means and standard deviations over the square of
    ``2 radius + 1`` pixels; shape (N, H, W, C · (1 + 2 · radii)). Beyond the edge the window is mirrored."""
    parts = [x]
    for radius in radii_px:
        size = (0, 2 * radius + 1, 2 * radius + 1, 0)
        wide = x.astype(np.float64)  # a variance as a difference of squares needs the digits
        mean = ndimage.uniform_filter(wide, [s or 1 for s in size], mode="reflect")
        square = ndimage.uniform_filter(wide**2, [s or 1 for s in size], mode="reflect")
        parts += [mean.astype(np.float32), np.sqrt(np.maximum(square - mean**2, 0)).astype(np.float32)]
    return np.concatenate(parts, axis=-1)


def load(folder: Path) -> CartContext:
    """Raises InputError if the folder has no sound tree."""
    again = "train the model or `dvc pull` it"
    file = folder / _FILE
    radii = parse(tuple[int, ...], read_json(folder / _RADII, again), file=folder / _RADII)
    if not file.is_file():
        raise InputError(f"{file}: missing; {again}")
    try:
        tree = from_bytes(file.read_bytes(), [NODES])
    except ValueError as error:
        raise InputError(f"{file}: not a tree of ours ({error}); {again} again") from error
    if not isinstance(tree, DecisionTreeClassifier) or not sound_tree(tree):
        raise InputError(f"{file}: not a sound tree of two classes; {again} again")
    return CartContext(tree, radii)


def fit(training: Training, params: Params) -> Fitted:
    """Grow trees of rising depth and keep the depth with the largest AUPRC on validation, the shallower of equals. The
    tree learns from at most `max_pixels` labelled training pixels, drawn by seed at natural prevalence.

    Raises
    ------
    InputError
        There is no landslide among the pixels drawn.
    """

    def features(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return neighbourhood(x, params.radii_px)

    x, y = training.pixels(features)
    x_val, y_val, seen = training.validation.pixels(features)
    order = np.random.default_rng(params.seed).permutation(len(y))[: params.max_pixels]
    if len(np.unique(y[order])) < 2:
        raise InputError(
            f"{training.patches.path}: no landslide among {len(order)} pixels; raise cart_context.max_pixels"
        )
    history: list[dict[str, float]] = []
    best: tuple[float, int, DecisionTreeClassifier] | None = None
    for step, depth in enumerate(_depths(params.max_depth), start=1):
        tree = DecisionTreeClassifier(
            max_depth=depth, min_samples_leaf=params.min_leaf_pixels, random_state=params.seed
        ).fit(x[order], y[order])
        p = np.where(seen, tree.predict_proba(x_val)[:, 1].astype(np.float32), np.float32(0))
        auprc = count_bins(p, y_val).auprc() or 0.0
        history.append({"step": float(step), "depth": float(depth), "val_auprc": auprc})
        training.report(step, history[-1])
        if best is None or auprc > best[0]:
            best = auprc, depth, tree
    assert best is not None  # noqa: S101 - there is at least one depth
    margin = max(params.radii_px)
    sliding = Sliding(window_px=256 + 2 * margin, margin_px=margin, batch=1)
    return Fitted(CartContext(best[2], params.radii_px), sliding, history, {"depth": float(best[1])})


def _depths(deepest: int) -> list[int]:
    """A few depths up to the deepest, each about 1.6 times the one before."""
    depths = [2]
    while depths[-1] < deepest:
        depths.append(min(deepest, max(depths[-1] + 1, round(depths[-1] * 1.6))))
    return [d for d in depths if d <= deepest] or [deepest]
