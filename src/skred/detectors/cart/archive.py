"""A scikit-learn tree as bytes and back."""

from __future__ import annotations

from sklearn.tree import DecisionTreeClassifier

from skred.core.archive import from_bytes, to_bytes
from skred.core.trees import NODES, sound_tree


def tree_to_bytes(tree: DecisionTreeClassifier) -> bytes:
    """`tree` as an archive that `skops.io.load` reads; the same tree gives the same bytes in every process."""
    return to_bytes(tree)


def tree_from_bytes(archive: bytes) -> DecisionTreeClassifier:
    """The tree of an archive that `tree_to_bytes` made.

    Raises
    ------
    ValueError
        The archive is broken, or holds anything else than one sound tree of two classes.
    """
    tree = from_bytes(archive, [NODES])
    if not isinstance(tree, DecisionTreeClassifier) or not sound_tree(tree):
        raise ValueError("not a sound tree of two classes")
    return tree
