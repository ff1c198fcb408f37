"""The other baselines: they learn, choose on validation, come back from their files, and refuse forged ones."""

from dataclasses import replace

import numpy as np
import pytest
from detector_toys import training_on
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from skred.core.archive import to_bytes
from skred.core.bands import EVENT_BANDS, select
from skred.core.errors import InputError
from skred.detectors.base import DETECTORS, detector_module, params_model
from skred.detectors.cart_context.detector import neighbourhood, with_true_neighbours
from skred.detectors.inputs import fit_inputs
from skred.detectors.rule.detector import fit as fit_rule
from skred.detectors.rule.params import Params as RuleParams
from skred.scores.bins import best_threshold, count_bins

BANDS = select(EVENT_BANDS, ("dndvi", "pre_vv", "post_vv", "slope"), where="test")
PARAMS = {
    "rule": {"slopes_deg": [0, 10, 20]},
    "forest": {"max_pixels": 20_000, "trees": 5, "min_leaf_pixels": [5, 20], "seed": 1},
    "boosting": {
        "max_pixels": 20_000, "trees": 8, "learning_rate": 0.3, "leaves": 8, "min_leaf_pixels": 5, "seed": 1,
    },
    "cart_context": {"max_pixels": 20_000, "max_depth": 4, "min_leaf_pixels": 5, "radii_px": [1, 2], "seed": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(make_scenes, make_patch_folder, tmp_path_factory):
    """Landslides lose NDVI on slopes above 10 degrees; meadows lose as much on gentle ground."""
    place = tmp_path_factory.mktemp("baselines")
    rng = np.random.default_rng(4)
    labels = np.zeros((128, 128), np.uint8)
    for row, col in rng.integers(0, 120, (40, 2)):
        labels[row : row + 6, col : col + 6] = 1
    meadow = ndimage.binary_dilation(rng.random(labels.shape) < 0.004, iterations=3) & (labels == 0)
    anywhere = np.where(labels == 1, rng.uniform(12, 40, labels.shape), rng.uniform(0, 40, labels.shape))
    slope = np.where(meadow, 4, anywhere)
    dndvi = -0.4 * (labels + meadow) + rng.normal(0, 0.1, labels.shape)
    values = np.stack([dndvi, rng.normal(-10, 2, labels.shape), rng.normal(-10, 2, labels.shape), slope])
    values[0, :20, :20] = np.nan
    values[:3, ::17] = np.nan  # rows that no satellite saw
    make_scenes(place / "scenes", {"s": labels}, BANDS, values={"s": values})
    return make_patch_folder(place / "scenes", place / "patches")


@pytest.fixture(scope="module")
def fitted(folder):
    training = training_on(folder)
    return {
        name: detector_module(name).fit(training, params_model(name).model_validate(numbers))
        for name, numbers in PARAMS.items()
    }


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_it_learns_and_says_what_it_chose_on_validation(fitted, folder, name):
    training, found = training_on(folder), fitted[name]
    rows = folder.rows("test")
    p, y = found.detector.predict(training.encoded(rows)), folder.y()[rows]
    assert p.shape == y.shape
    assert p.dtype == np.float32
    assert count_bins(p, y).auprc() > 0.6
    best = max(found.history, key=lambda row: row["mcc" if name == "rule" else "val_auprc"])
    key = "trees" if name == "boosting" else next(iter(found.chosen))
    assert found.chosen[key] == best["step" if name == "boosting" else key]


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_it_is_chosen_on_the_pixels_of_the_threshold_where_the_unseen_count_as_0(fitted, folder, name):
    training, found = training_on(folder), fitted[name]
    assert any((scene.where & ~scene.seen).any() for scene in training.validation.scenes)
    kept = max(row["mcc" if name == "rule" else "val_auprc"] for row in found.history)
    counts = training.validation.counts(found.detector, found.sliding)
    again = counts.at(best_threshold(counts)).mcc if name == "rule" else counts.auprc()
    assert again == pytest.approx(kept, abs=1e-9)


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_it_comes_back_from_its_files_as_it_was_and_they_have_the_same_bytes_each_time(fitted, folder, name, tmp_path):
    training, detector = training_on(folder), fitted[name].detector
    detector.save(tmp_path)
    again = detector_module(name).load(tmp_path)
    x = training.encoded(folder.rows("val"))
    np.testing.assert_array_equal(again.predict(x), detector.predict(x))
    twin = detector_module(name).fit(training, params_model(name).model_validate(PARAMS[name]))
    (tmp_path / "twin").mkdir()
    twin.detector.save(tmp_path / "twin")
    for file in (tmp_path / "twin").iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_missing_and_broken_files_are_named(fitted, name, tmp_path):
    load = detector_module(name).load
    with pytest.raises(InputError, match="missing"):
        load(tmp_path)
    fitted[name].detector.save(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(InputError):
        load(tmp_path)


def test_a_forged_forest_is_refused(fitted, tmp_path):
    forest = fitted["forest"].detector.forest
    state = forest.estimators_[0].tree_.__getstate__()
    state["nodes"]["left_child"][0] = 10**6
    forged = RandomForestClassifier()
    forged.__dict__.update(forest.__dict__)
    forged.estimators_[0].tree_.__setstate__(state)
    (tmp_path / "forest.skops").write_bytes(to_bytes(forged))
    with pytest.raises(InputError, match="not a sound RandomForestClassifier"):
        detector_module("forest").load(tmp_path)


def test_the_rule_tells_slopes_from_meadows_and_finds_nothing_where_nothing_was_seen(fitted, folder):
    found = fitted["rule"]
    assert found.chosen["slope_deg"] == 10
    x = training_on(folder).encoded(folder.rows("train"))
    assert (found.detector.predict(x)[x[..., -3] == 0] == 0).all()  # channel optical_valid
    flat = fit_inputs(BANDS[:3], folder.x([band.name for band in BANDS[:3]]))
    with pytest.raises(InputError, match="no band slope"):
        fit_rule(replace(training_on(folder), inputs=flat), RuleParams(slopes_deg=(5.0,)))


def test_neighbourhood_features_are_those_of_a_loop():
    x = np.random.default_rng(0).normal(size=(1, 9, 8, 2)).astype(np.float32)
    got = neighbourhood(x, (1, 2))
    assert got.shape == (1, 9, 8, 10)
    np.testing.assert_array_equal(got[..., :2], x)
    for radius, first in ((1, 2), (2, 6)):
        square = x[0, 4 - radius : 5 + radius, 3 - radius : 4 + radius]
        np.testing.assert_allclose(got[0, 4, 3, first : first + 2], square.mean(axis=(0, 1)), atol=1e-6)
        np.testing.assert_allclose(got[0, 4, 3, first + 2 : first + 4], square.std(axis=(0, 1)), atol=1e-6)


def test_every_detector_has_params_and_a_module():
    for name in DETECTORS:
        assert params_model(name).model_fields


def test_the_tree_learns_from_pixels_whose_neighbours_are_the_scenes_own(folder):
    training, rows = training_on(folder), folder.rows("train")
    use = with_true_neighbours(folder, rows, 2)
    (scene,) = training.validation.scenes
    whole = neighbourhood(scene.channels[None], (1, 2))[0]
    shown = neighbourhood(training.encoded(rows), (1, 2))
    seen = np.zeros(whole.shape[:2], int)
    for i, place in enumerate(folder.index.iloc[rows].itertuples()):
        row, col = np.nonzero(use[i])
        np.testing.assert_allclose(shown[i][row, col], whole[place.row + row, place.col + col], atol=1e-4)
        np.add.at(seen, (place.row + row, place.col + col), 1)
    assert seen.max() == 1  # each place once
    assert seen[0].any()  # at the scene's own edge both mirror
    assert not np.array_equal(use, folder.distinct_pixels(rows))
