"""Whether trees that came out of a file are sound.

scikit-learn follows a tree's node numbers without checking them, so that a forged file could read foreign memory.
Children here have larger numbers than their parent, and all numbers lie within the tree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NODES = "sklearn.tree._tree.Tree"  # what skops does not load unasked


def sound_tree(classifier: Any) -> bool:
    """Whether a `DecisionTreeClassifier` of two classes can be followed without leaving it."""
    tree = getattr(classifier, "tree_", None)
    if tree is None:  # it was never fitted
        return False
    if not 0 < tree.node_count <= tree.capacity or tree.n_features != classifier.n_features_in_:
        return False
    if tree.value.shape != (tree.node_count, 1, 2):
        return False
    own = np.arange(tree.node_count)
    left, right = tree.children_left, tree.children_right
    inner = left >= 0
    if not np.array_equal(inner, right >= 0):
        return False
    children_fit = all(((own < c) & (c < tree.node_count))[inner].all() for c in (left, right))
    return bool(children_fit and ((tree.feature >= 0) & (tree.feature < tree.n_features))[inner].all())


def sound_nodes(nodes: Any, features: int) -> bool:
    """The same for the nodes of one boosted tree (`TreePredictor.nodes`)."""
    own, inner = np.arange(len(nodes)), nodes["is_leaf"] == 0
    fit = all(((own < nodes[side]) & (nodes[side] < len(nodes)))[inner].all() for side in ("left", "right"))
    used = nodes["feature_idx"][inner]
    return bool(
        len(nodes) and fit and (used >= 0).all() and (used < features).all() and not nodes["is_categorical"].any()
    )
