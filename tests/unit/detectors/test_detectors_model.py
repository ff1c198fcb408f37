"""A trained model: sweeping a scene, the folder it lives in, and what it may learn from."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from detector_toys import optical, toy_labels, training_on
from hypothesis import given
from hypothesis import strategies as st

from skred.core.errors import InputError
from skred.core.params import read_section
from skred.core.raster import read_raster
from skred.core.scenes import SceneFolder
from skred.detectors.base import DETECTORS, Sliding, params_model
from skred.detectors.cart.params import Params as CartParams
from skred.detectors.inputs import Inputs
from skred.detectors.model import Model, load_model, read_card, sweep
from skred.detectors.predict import predict_scenes
from skred.detectors.train import Recipe, train_cell, with_seed
from skred.patches.split import Split
from skred.patches.store import PatchFolder

INPUTS = Inputs(bands=(optical("a"),), mean=(0.0,), std=(1.0,))


@dataclass
class PixelWise:
    """Judges each pixel by its own value, and remembers the windows it was shown."""

    seen: list

    def predict(self, x):
        self.seen.append(x.shape)
        return (1 / (1 + np.exp(-x[..., 0]))).astype(np.float32)

    def save(self, folder):
        raise NotImplementedError  # the protocol wants it; what is tested here never saves


class Neighbours(PixelWise):
    """Judges a pixel by the mean of the 5 x 5 around it, with zeros beyond the window."""

    def predict(self, x):
        padded = np.pad(x[..., 0], ((0, 0), (2, 2), (2, 2)))
        views = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2))
        return (0.5 + views.mean(axis=(-1, -2)) / 20).astype(np.float32)


sides = st.integers(1, 90)


@given(height=sides, width=sides, margin=st.integers(0, 12), batch=st.integers(1, 5), seed=st.integers(0, 99))
def test_a_sweep_in_tiles_equals_one_big_window_for_a_pixel_wise_detector(height, width, margin, batch, seed):
    scene = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    detector = PixelWise([])
    swept = Model(INPUTS, detector, Sliding(window_px=32, margin_px=margin, batch=batch)).probability([scene])
    whole = PixelWise([]).predict(INPUTS.encode([scene])[None])[0]
    np.testing.assert_array_equal(swept, whole)
    assert {shape[1:3] for shape in detector.seen} == {(32, 32)}
    assert max(shape[0] for shape in detector.seen) <= batch


@given(height=st.integers(33, 90), width=st.integers(33, 90), seed=st.integers(0, 99))
def test_a_margin_as_wide_as_the_context_hides_the_seams(height, width, seed):
    scene = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    swept = Model(INPUTS, Neighbours([]), Sliding(window_px=32, margin_px=2, batch=3)).probability([scene])
    mirrored = np.pad(INPUTS.encode([scene]), ((2, 2), (2, 2), (0, 0)), mode="symmetric")
    whole = Neighbours([]).predict(mirrored[None])[0, 2:-2, 2:-2]
    np.testing.assert_allclose(swept, whole, atol=1e-6)
    without = Model(INPUTS, Neighbours([]), Sliding(window_px=32, margin_px=0, batch=3)).probability([scene])
    assert np.abs(without - whole).max() > 1e-3  # so the margin is what does it


@given(height=sides, width=sides, margin=st.integers(0, 12))
def test_each_pixel_is_predicted_once_in_its_own_place(height, width, margin):
    class Numbers(PixelWise):
        def predict(self, x):
            inner = x[:, margin : 32 - margin, margin : 32 - margin, 0]
            self.seen.append(np.round(inner * 10_000).astype(int))
            return x[..., 0]

    scene = (np.arange(height * width).reshape(height, width) / 10_000).astype(np.float32)
    detector = Numbers([])
    swept = Model(INPUTS, detector, Sliding(window_px=32, margin_px=margin, batch=2)).probability([scene])
    np.testing.assert_array_equal(swept, scene)


def test_where_nothing_was_seen_the_probability_is_0():
    scene = np.full((40, 40), 5.0, np.float32)
    scene[:10] = np.nan
    swept = Model(INPUTS, PixelWise([]), Sliding(window_px=32, margin_px=4, batch=2)).probability([scene])
    assert (swept[:10] == 0).all()
    assert (swept[10:] > 0.9).all()


RECIPE = Recipe(
    cell="toy-cart",
    setting="toy",
    bands=("signal", "noise"),
    detector="cart",
    params=CartParams(max_pixels=50_000, max_depth=5, min_leaf_pixels=20, seed=1),
)


def two_bands(labels, seed=4):
    rng = np.random.default_rng(seed)
    return np.stack([-0.5 * (labels == 1) + rng.normal(0, 0.3, labels.shape), rng.normal(size=labels.shape)])


def train(folder, out, recipe=RECIPE):
    return train_cell(recipe, folder / "patches", folder / "scenes", out, lambda step, row: None)


@pytest.fixture(scope="module")
def trained(make_scenes, make_patch_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    labels = toy_labels()
    bands = (optical("noise"), optical("signal"))
    make_scenes(folder / "scenes", {"s": labels}, bands, values={"s": two_bands(labels)[::-1]}, simulated=True)
    make_patch_folder(folder / "scenes", folder / "patches")
    return folder, train(folder, folder / "model")


def test_a_model_folder_says_what_it_is(trained):
    folder, card = trained
    assert read_card(folder / "model") == card
    assert (card.cell, card.setting, card.detector, card.trained_on, card.simulated) == (
        "toy-cart",
        "toy",
        "cart",
        "toy",
        True,
    )
    assert card.inputs.names == ("signal", "noise")  # the order of the setting, not of the file
    assert set(card.validation) == {"precision", "recall", "f1", "mcc", "iou", "auprc"}
    assert {file.name for file in (folder / "model").iterdir()} == {"model.json", "history.csv", "tree.skops"}


def test_a_loaded_model_predicts_as_it_did_on_validation(trained):
    folder, card = trained
    model, _ = load_model(folder / "model")
    scenes, patches = SceneFolder.open(folder / "scenes"), PatchFolder.open(folder / "patches")
    probability = model.probability(list(scenes.bands("s", model.inputs.names)))
    val = patches.split_raster("s") == Split.VAL
    truth, predicted = scenes.labels("s")[val] == 1, np.round(probability[val], 6) >= card.threshold
    assert card.validation["recall"] == pytest.approx(predicted[truth].mean())
    assert card.validation["precision"] == pytest.approx(truth[predicted].mean())


def test_depth_and_threshold_are_chosen_on_the_same_pixels(trained):
    folder, card = trained
    history = (folder / "model" / "history.csv").read_text().splitlines()
    last = dict(zip(history[0].split(","), map(float, history[-1].split(",")), strict=True))
    assert card.validation["auprc"] == pytest.approx(last["val_auprc"], abs=1e-5)


def test_validation_counts_landslides_that_windows_hide_because_they_cross_a_border(
    make_scenes, make_patch_folder, tmp_path
):
    labels = toy_labels()
    labels[::16] = 1  # landslides through every block
    make_scenes(tmp_path / "scenes", {"s": labels})
    patches = make_patch_folder(tmp_path / "scenes", tmp_path / "patches")
    training = training_on(patches)
    _, y, _ = training.validation.pixels()
    counted = labels[patches.split_raster("s") == Split.VAL] == 1
    rows = patches.rows("val")
    assert counted.sum() == y.sum() > (patches.y()[rows] == 1).sum()


@given(height=sides, width=sides, seed=st.integers(0, 99))
def test_a_sweep_of_some_pixels_gives_them_what_a_full_sweep_does(height, width, seed):
    rng = np.random.default_rng(seed)
    channels = INPUTS.encode([rng.normal(size=(height, width)).astype(np.float32)])
    where = rng.random((height, width)) < 0.002
    sliding = Sliding(window_px=32, margin_px=4, batch=2)
    some, everything = (sweep(Neighbours([]), sliding, channels, chosen) for chosen in (where, None))
    np.testing.assert_array_equal(some[where], everything[where])
    if not where.any():
        assert not some.any()


@pytest.mark.parametrize("what", ["values", "labels"])
def test_test_pixels_change_neither_model_nor_threshold(trained, make_scenes, tmp_path, what):
    folder, _ = trained
    scenes, patches = SceneFolder.open(folder / "scenes"), PatchFolder.open(folder / "patches")
    test = patches.split_raster("s") == Split.TEST
    values, labels = scenes.bands("s", ["noise", "signal"]), scenes.labels("s").copy()
    if what == "values":
        values[:, test] = 7.0
    else:
        labels[test] = 1 - labels[test]
    make_scenes(tmp_path / "scenes", {"s": labels}, scenes.index.bands, values={"s": values}, simulated=True)
    (tmp_path / "patches" / "x").mkdir(parents=True)
    for file in (path for path in patches.path.rglob("*") if path.is_file()):
        (tmp_path / "patches" / file.relative_to(patches.path)).write_bytes(file.read_bytes())
    rows = patches.rows("test")
    for name in ("noise", "signal"):
        x = np.load(patches.path / "x" / f"{name}.npy")
        x[rows] = 7.0
        np.save(tmp_path / "patches" / "x" / f"{name}.npy", x)
    train(tmp_path, tmp_path / "model")
    for file in (folder / "model").iterdir():
        assert (tmp_path / "model" / file.name).read_bytes() == file.read_bytes()


def test_training_pixels_do_change_the_statistics(trained, tmp_path):
    folder, card = trained
    patches = PatchFolder.open(folder / "patches")
    rows = patches.rows("train")
    distinct = patches.distinct_pixels(rows)
    (signal,) = patches.x(["signal"])
    assert card.inputs.mean[0] == pytest.approx(signal[rows][distinct].astype(float).mean(), abs=1e-6)


def test_predicting_writes_a_raster_per_scene_marked_as_what_it_is(trained, tmp_path):
    folder, card = trained
    assert predict_scenes(folder / "model", folder / "scenes", tmp_path / "p") == ("s",)
    raster = read_raster(tmp_path / "p" / "s.tif")
    assert (raster.array.dtype, raster.names, raster.grid) == (
        np.float32,
        ("probability",),
        SceneFolder.open(folder / "scenes").grid("s"),
    )
    assert np.isnan(raster.nodata)
    assert raster.tags["cell"] == "toy-cart"
    assert raster.tags["threshold"] == f"{card.threshold:.3f}"
    assert (raster.tags["simulated"], raster.tags["trained_on_simulated"]) == ("yes", "yes")
    assert 0 <= raster.array.min() <= raster.array.max() <= 1


def test_a_missing_band_is_named_and_nothing_is_written(trained, make_scenes, tmp_path):
    folder, _ = trained
    make_scenes(tmp_path / "scenes", {"s": toy_labels()}, (optical("signal"), optical("other")))
    with pytest.raises(InputError, match=r"no band noise, which .* needs; it has other, signal"):
        predict_scenes(folder / "model", tmp_path / "scenes", tmp_path / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["scenes"]


def test_folders_that_do_not_belong_together_are_refused(trained, make_scenes, tmp_path):
    folder, _ = trained
    make_scenes(tmp_path / "scenes", {"s": toy_labels()}, event="elsewhere")
    with pytest.raises(InputError, match="cut from 'toy', not from 'elsewhere'"):
        train_cell(RECIPE, folder / "patches", tmp_path / "scenes", tmp_path / "out", lambda step, row: None)


def test_a_setting_with_an_unknown_band_names_both(trained, tmp_path):
    recipe = Recipe("c", "toy", ("signal", "ndwi"), "cart", RECIPE.params)
    with pytest.raises(InputError, match=r"settings\.toy: no band called ndwi"):
        train(trained[0], tmp_path / "out", recipe)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_says_so(tmp_path):
    with pytest.raises(InputError, match="is no model; train it or `dvc pull` it"):
        read_card(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"cell": 3}))
    with pytest.raises(InputError, match=r"model\.json: "):
        read_card(tmp_path)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_seed_from_the_command_line_replaces_the_seed_of_a_section_and_no_other_number(detector):
    section = read_section(Path(__file__).parents[3] / "params.yaml", detector, params_model(detector))
    if detector == "rule":
        with pytest.raises(InputError, match="--seed 7: this detector draws nothing at random"):
            with_seed(section, 7)
        return
    changed = with_seed(section, 7)
    assert changed.seed == 7 != section.seed
    assert changed.model_dump(exclude={"seed"}) == section.model_dump(exclude={"seed"})
