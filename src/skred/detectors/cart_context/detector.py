"""A decision tree that also sees the neighbourhood of a pixel: what context is worth without a deep network.

Beside each channel it gets the channel's mean and standard deviation in squares around the pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.tree import DecisionTreeClassifier

from skred.core.archive import read_model, to_bytes
from skred.core.errors import InputError
from skred.core.json_file import read_json, write_json
from skred.core.params import parse
from skred.core.scenes import LANDSLIDE, UNKNOWN
from skred.core.trees import NODES, sound_tree
from skred.detectors.base import Fitted, Sliding
from skred.detectors.cart_context.params import Params
from skred.detectors.training import Training
from skred.patches.store import PatchFolder
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
    file = folder / _RADII
    radii = parse(tuple[int, ...], read_json(file, "train the model or `dvc pull` it"), file=file)
    return CartContext(read_model(folder / _FILE, DecisionTreeClassifier, sound_tree, [NODES]), radii)


def fit(training: Training, params: Params) -> Fitted:
    """Grow one tree and cut it at the depth with the largest AUPRC on validation, the shallower of equals, as `cart`
    does. The tree learns from at most `max_pixels` labelled training pixels, drawn by seed at natural prevalence.

    Raises
    ------
    InputError
        There is no landslide among the pixels drawn.
    """

    def features(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return neighbourhood(x, params.radii_px)

    margin = max(params.radii_px)
    rows = training.patches.rows("train")
    labels = training.patches.y()[rows]
    known = with_true_neighbours(training.patches, rows, margin) & (labels != UNKNOWN)
    x, y = features(training.encoded(rows))[known], (labels[known] == LANDSLIDE).astype(np.uint8)
    order = np.random.default_rng(params.seed).permutation(len(y))[: params.max_pixels]
    x, y = x[order], y[order]
    if len(np.unique(y)) < 2:
        raise InputError(f"{training.patches.path}: no landslide among {len(y)} pixels; raise cart_context.max_pixels")
    x_val, y_val, seen = training.validation.pixels(features)
    deep = _new_tree(params, params.max_depth).fit(x, y)
    history: list[dict[str, float]] = []
    for depth, share in enumerate(_by_depth(deep.tree_, x_val, deep.get_depth()), start=1):
        auprc = count_bins(np.where(seen, share, np.float32(0)), y_val).auprc() or 0.0
        history.append({"step": float(depth), "depth": float(depth), "val_auprc": auprc})
        training.report(depth, history[-1])
    best = max(history, key=lambda row: row["val_auprc"])["depth"]
    tree = _new_tree(params, int(best)).fit(x, y)
    sliding = Sliding(window_px=256 + 2 * margin, margin_px=margin, batch=1)
    return Fitted(
        CartContext(tree, params.radii_px), sliding, history, {"depth": best, "training_pixels": float(len(y))}
    )


def with_true_neighbours(patches: PatchFolder, rows: NDArray[np.int64], margin_px: int) -> NDArray[np.bool_]:
    """Which pixels of the patches `rows` are as `predict` will show them, each place once, shape (len(rows), H, W).

    Within `margin_px` of its window's edge a pixel has mirrored neighbours; over whole scenes only at the scene's edge.
    """
    shapes = {scene: patches.split_raster(scene).shape for scene in patches.about.scenes}
    taken = {scene: np.zeros(shape, bool) for scene, shape in shapes.items()}
    out = np.zeros((len(rows), *patches.y().shape[1:]), bool)
    for i, place in enumerate(patches.index.iloc[rows].itertuples()):
        inner = []
        for first, size, end in zip((place.row, place.col), out.shape[1:], shapes[place.scene], strict=True):
            inner.append(slice(margin_px if first > 0 else 0, size - (margin_px if first + size < end else 0)))
        window = taken[place.scene][place.row : place.row + place.height, place.col : place.col + place.width]
        out[i][tuple(inner)] = ~window[tuple(inner)]
        window |= out[i]
    return out


def _new_tree(params: Params, depth: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=params.min_leaf_pixels, random_state=params.seed)


def _by_depth(tree: Any, x: NDArray[np.float32], deepest: int) -> Iterator[NDArray[np.float32]]:
    """Probabilities (P,) of the tree cut at depth 1, 2, ... `deepest`; every pixel walks down one level at a time."""
    share = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
    node, pixel = np.zeros(len(x), np.int64), np.arange(len(x))
    for _ in range(max(deepest, 1)):  # a tree without any split still gives everyone the share of its root
        left = x[pixel, np.maximum(tree.feature[node], 0)] <= tree.threshold[node]
        below = np.where(left, tree.children_left[node], tree.children_right[node])
        node = np.where(tree.children_left[node] >= 0, below, node)
        yield share[node].astype(np.float32)
