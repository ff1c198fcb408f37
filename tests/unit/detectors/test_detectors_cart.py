"""The tree: what its prunings are, that it learns, and that it is kept with the same bytes and read with care."""

import io
import re
from dataclasses import replace
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from detector_toys import in_fresh_process, toy_labels, training_on
from sklearn.tree import DecisionTreeClassifier

from skred.core.archive import from_bytes, to_bytes
from skred.core.errors import InputError
from skred.core.trees import NODES
from skred.detectors.cart.detector import Cart, _by_depth, fit, load
from skred.detectors.cart.params import Params

PARAMS = Params(max_pixels=100_000, max_depth=8, min_leaf_pixels=5, seed=3)


def noisy(n=3000, columns=4, seed=0, steps=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    if steps:
        x = (np.round(x * steps) / steps).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + 0.7 * rng.normal(size=n) > 0.5).astype(np.uint8)
    return x, y


@pytest.mark.parametrize("seed", range(4))
def test_a_tree_cut_at_depth_d_is_the_tree_grown_to_depth_d_where_no_two_splits_are_equally_good(seed):
    # On continuous values the best split of every node is unique, so growing less deep grows the same tree.
    x, y = noisy(seed=seed)
    unseen, _ = noisy(500, seed=seed + 100)
    deep = DecisionTreeClassifier(max_depth=7, min_samples_leaf=20, random_state=1).fit(x, y)
    cut = _by_depth(deep.tree_, unseen, deep.get_depth())
    for depth, probability in enumerate(cut, start=1):
        again = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=20, random_state=1).fit(x, y)
        np.testing.assert_allclose(probability, again.predict_proba(unseen)[:, 1], atol=1e-6)


def test_cutting_at_the_full_depth_gives_the_tree_itself_whatever_its_ties():
    x, y = noisy(steps=2)  # few distinct values: many splits are equally good
    deep = DecisionTreeClassifier(max_depth=9, min_samples_leaf=5, random_state=1).fit(x, y)
    np.testing.assert_allclose(_by_depth(deep.tree_, x, deep.get_depth())[-1], deep.predict_proba(x)[:, 1], atol=1e-6)


@pytest.fixture(scope="module")
def toy(make_scenes, make_patch_folder, tmp_path_factory):
    """One band tells landslide from background by its value, the other is noise."""
    folder = tmp_path_factory.mktemp("cart")
    labels = toy_labels()
    rng = np.random.default_rng(1)
    values = np.stack([-0.8 * labels + rng.normal(0, 0.1, labels.shape), rng.normal(size=labels.shape)])
    make_scenes(folder / "scenes", {"s": labels}, values={"s": values})
    return make_patch_folder(folder / "scenes", folder / "patches")


@pytest.fixture(scope="module")
def fitted(toy):
    steps = []
    return fit(training_on(toy, steps), PARAMS), steps


def test_it_learns_what_a_threshold_on_one_band_can_tell(toy, fitted):
    training, rows = training_on(toy), toy.rows("test")
    probability = fitted[0].detector.predict(training.encoded(rows))
    known = toy.y()[rows] != 255  # landslides that cross a border
    assert ((probability > 0.5) == (toy.y()[rows] == 1))[known].mean() > 0.99


def test_the_history_grows_with_the_training_pixels_and_is_reported(toy, fitted):
    history = fitted[0].history
    pixels = [row["pixels"] for row in history]
    assert pixels == sorted(pixels)
    assert pixels[-1] == fitted[0].chosen["training_pixels"]
    rows = toy.rows("train")
    known = toy.distinct_pixels(rows) & (toy.y()[rows] != 255)
    assert pixels[-1] == known.sum()  # each pixel once, though the windows overlap
    assert fitted[1] == list(enumerate(history, start=1))


def test_no_more_pixels_than_allowed_are_drawn(toy):
    small = fit(training_on(toy), PARAMS.model_copy(update={"max_pixels": 1000}))
    assert small.chosen["training_pixels"] == 1000


def test_saved_and_loaded_it_predicts_the_same(toy, fitted, tmp_path):
    x = training_on(toy).encoded(toy.rows("test"))
    fitted[0].detector.save(tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(x), fitted[0].detector.predict(x))


def test_the_same_training_leaves_the_same_bytes_in_every_process(toy, fitted, tmp_path):
    fitted[0].detector.save(tmp_path)
    script = (
        "import sys; from pathlib import Path; from detector_toys import training_on\n"
        "from skred.detectors.cart.detector import fit; from skred.detectors.cart.params import Params\n"
        "from skred.patches.store import PatchFolder\n"
        "params = Params.model_validate_json(sys.argv[2])\n"
        "fit(training_on(PatchFolder.open(Path(sys.argv[1]))), params).detector.save(Path(sys.argv[3]))"
    )
    (tmp_path / "other").mkdir()
    in_fresh_process(script, toy.path, PARAMS.model_dump_json(), tmp_path / "other")
    assert (tmp_path / "tree.skops").read_bytes() == (tmp_path / "other" / "tree.skops").read_bytes()


def test_the_archive_holds_no_time_and_no_memory_address():
    tree = DecisionTreeClassifier(max_depth=4).fit(*noisy())
    with ZipFile(io.BytesIO(to_bytes(tree))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(len(name.removesuffix(".npy")) < 3 for name in archive.namelist() if name.endswith(".npy"))
        assert not re.search(r"\d{9}", archive.read("schema.json").decode())
    assert to_bytes(from_bytes(to_bytes(tree), [NODES])) == to_bytes(tree)


def test_a_tree_that_finds_nothing_to_split_gives_everyone_the_same(toy):
    stump = fit(training_on(toy), PARAMS.model_copy(update={"min_leaf_pixels": 10_000_000}))
    probability = stump.detector.predict(training_on(toy).encoded(toy.rows("test")))
    assert np.ptp(probability) == 0
    assert 0 < probability.flat[0] < 0.5


def test_training_pixels_without_a_landslide_are_an_error_that_says_what_to_raise(toy):
    none = training_on(toy)
    without = none.patches.y().copy()
    without[:] = 0
    monkey = type("NoLandslides", (type(toy),), {"y": lambda self: without})(toy.path, toy.about, toy.index)
    with pytest.raises(InputError, match=r"raise cart\.max_pixels"):
        fit(replace(none, patches=monkey), PARAMS)


@pytest.mark.parametrize("forge", ["child", "feature", "loop"])
def test_a_forged_tree_is_not_followed(forge, tmp_path):
    tree = DecisionTreeClassifier(max_depth=4).fit(*noisy())
    state = tree.tree_.__getstate__()
    nodes = state["nodes"]
    if forge == "child":
        nodes["left_child"][0] = 10**9
    elif forge == "feature":
        nodes["feature"][0] = 10**9
    else:
        nodes["left_child"][0] = 0
    tree.tree_.__setstate__(state)
    (tmp_path / "tree.skops").write_bytes(to_bytes(tree))
    with pytest.raises(InputError, match="not a sound DecisionTreeClassifier"):
        load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"no archive", skops.io.dumps({"a": 1}), skops.io.dumps(DecisionTreeClassifier())]
)
def test_a_file_that_is_no_tree_is_an_input_error(content, tmp_path):
    (tmp_path / "tree.skops").write_bytes(content)
    with pytest.raises(InputError, match=r"tree\.skops: not a (sound )?DecisionTreeClassifier"):
        load(tmp_path)


def test_a_folder_without_a_tree_says_so(tmp_path):
    with pytest.raises(InputError, match=r"tree\.skops: missing; train the model"):
        load(tmp_path)


def test_a_window_keeps_its_shape():
    x, y = noisy()
    tree = Cart(DecisionTreeClassifier(max_depth=3).fit(x, y))
    assert tree.predict(np.zeros((2, 5, 6, 4), np.float32)).shape == (2, 5, 6)
