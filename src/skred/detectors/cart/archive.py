"""A scikit-learn tree as bytes and back: a skops archive without what chance leaves in it, so that a tree has one hash,
and read with care, because a model may come from anybody."""

from __future__ import annotations

import io
import itertools
import re
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
import skops.io
from sklearn.tree import DecisionTreeClassifier
from skops.io.exceptions import UntrustedTypesFoundException

_NODES = "sklearn.tree._tree.Tree"  # what skops does not load unasked; `_sound` checks it


def tree_to_bytes(tree: DecisionTreeClassifier) -> bytes:
    """`tree` as an archive that `skops.io.load` reads; the same tree gives the same bytes in every process.

    skops writes the time and its objects' memory addresses, scikit-learn leaves the gaps between the fields of a node
    and a leaf's `missing_go_to_left` as it found them in memory. Here members are numbered in their order, without a
    time, and such bytes are 0.
    """
    with ZipFile(io.BytesIO(skops.io.dumps(tree))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = members.pop("schema.json").decode()
    numbers = itertools.count(1)
    schema = re.sub(r'("__id__": )\d+', lambda match: f"{match[1]}{next(numbers)}", schema)
    old_names = list(dict.fromkeys(re.findall(r'"(\d+\.npy)"', schema)))
    new_names = {old: f"{number}.npy" for number, old in enumerate(old_names, start=1)}
    schema = re.sub(r'"(\d+\.npy)"', lambda match: f'"{new_names[match[1]]}"', schema)
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for old, new in new_names.items():
            archive.writestr(ZipInfo(new), _clean(members[old]))
        archive.writestr(ZipInfo("schema.json"), schema)
    return out.getvalue()


def tree_from_bytes(archive: bytes) -> DecisionTreeClassifier:
    """The tree of an archive that `tree_to_bytes` made.

    scikit-learn follows a tree's node numbers without checking them, so that a forged file could read foreign memory.
    Children here have larger numbers than their parent, and all numbers lie within the tree.

    Raises
    ------
    ValueError
        The archive is broken, or holds anything else than one sound tree of two classes.
    """
    try:
        tree = skops.io.loads(archive, trusted=[_NODES])
    except (BadZipFile, UntrustedTypesFoundException, KeyError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())[:120]) from error
    if not isinstance(tree, DecisionTreeClassifier) or not _sound(tree):
        raise ValueError("not a sound tree of two classes")
    return tree


def _sound(classifier: DecisionTreeClassifier) -> bool:
    tree = classifier.tree_
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


def _clean(npy: bytes) -> bytes:
    array = np.load(io.BytesIO(npy), allow_pickle=False)
    if array.dtype.names is None:
        return npy
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    clean["missing_go_to_left"][array["left_child"] < 0] = 0
    out = io.BytesIO()
    np.save(out, clean, allow_pickle=False)
    return out.getvalue()
