"""The U-Net: context, unknown labels, seeds, the best epoch, and what is kept of it."""

from dataclasses import replace

import numpy as np
import pytest
from detector_toys import in_fresh_process, optical, training_on

from skred.core.errors import InputError, SkredError
from skred.detectors.train import Recipe, train_cell, with_seed
from skred.detectors.unet.batches import Batches
from skred.detectors.unet.detector import _Watch, fit, load
from skred.detectors.unet.network import build, masked_loss
from skred.detectors.unet.params import Params
from skred.scores.bins import count_bins

PARAMS = Params(
    depth=1,
    base_filters=4,
    dropout=0.0,
    loss="bce",
    augment=True,
    crop_px=16,
    windows_per_epoch=64,
    landslide_share=0.5,
    batch=8,
    epochs=3,
    patience_epochs=3,
    learning_rate=0.02,
    weight_decay=0.0,
    schedule="cosine",
    predict_window_px=32,
    predict_margin_px=8,
    predict_batch=4,
    precision="float32",
    seed=5,
)


def params(**changed):
    return Params(**{**PARAMS.model_dump(), **changed})


FITTED = params(epochs=6, windows_per_epoch=160, dropout=0.1)


def speckled(seed=0):
    """Landslides lower the mean a little, under speckle that is four times as strong: a pixel alone tells little."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((160, 160), np.uint8)
    for row, col in rng.integers(0, 146, (36, 2)):
        labels[row : row + 13, col : col + 13] = 1
    return labels, (-0.5 * labels + rng.normal(0, 1, labels.shape))[None]


@pytest.fixture(scope="module")
def toy(make_scenes, make_patch_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unet")
    labels, values = speckled()
    make_scenes(folder / "scenes", {"s": labels}, (optical("vv"),), values={"s": values})
    return make_patch_folder(folder / "scenes", folder / "patches")


@pytest.fixture(scope="module")
def fitted(toy):
    """What training gave, what it reported, and which draws it asked for."""
    steps, drawn, draw = [], [], Batches.__getitem__

    def recording(self, number):
        drawn.append((self.epoch, number))
        return draw(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batches, "__getitem__", recording)
        return fit(training_on(toy, steps), FITTED), steps, drawn


def validation_auprc(toy, probability):
    rows = toy.rows("val")
    labels = np.where(toy.distinct_pixels(rows), toy.y()[rows], np.uint8(255))
    return count_bins(probability, labels).auprc()


def test_it_beats_any_judgement_of_single_pixels_where_context_matters(toy, fitted):
    rows = toy.rows("val")
    (values,) = toy.x(["vv"])
    lower_is_likelier = 1 / (1 + np.exp(values[rows]))  # the best that a pixel's own value can say
    alone = validation_auprc(toy, lower_is_likelier)
    unet = validation_auprc(toy, fitted[0].detector.predict(training_on(toy).encoded(rows)))
    assert unet > alone + 0.15


def test_the_weights_of_the_best_epoch_are_kept(toy, fitted):
    history = fitted[0].history
    best = max(row["val_auprc"] for row in history)
    kept = next(row for row in history if row["val_auprc"] == best)  # the first of equals
    assert fitted[0].chosen == {"epoch": kept["step"]}
    again = training_on(toy).validation.counts(fitted[0].detector, fitted[0].sliding).auprc()
    assert again == pytest.approx(best, abs=1e-6)
    assert fitted[1] == [(int(row["step"]), row) for row in history]


def test_training_stops_when_nothing_more_is_gained(toy):
    stopped = fit(
        training_on(toy),
        params(learning_rate=0.3, schedule="constant", epochs=30, patience_epochs=1, windows_per_epoch=8),
    )
    assert len(stopped.history) < 30
    assert stopped.chosen["epoch"] == stopped.history[-2]["step"]


def test_saved_and_loaded_it_predicts_the_same(toy, fitted, tmp_path):
    x = training_on(toy).encoded(toy.rows("test"))
    fitted[0].detector.save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"model.weights.h5", "network.json"}
    np.testing.assert_array_equal(load(tmp_path).predict(x), fitted[0].detector.predict(x))
    (tmp_path / "model.weights.h5").unlink()
    with pytest.raises(InputError, match=r"model\.weights\.h5: missing; train the model"):
        load(tmp_path)


def test_the_same_seed_leaves_the_same_bytes_in_every_process(toy, fitted, tmp_path):
    script = (
        "import sys; from pathlib import Path; from detector_toys import training_on\n"
        "from skred.detectors.unet.detector import fit; from skred.detectors.unet.params import Params\n"
        "from skred.patches.store import PatchFolder\n"
        "params = Params.model_validate_json(sys.argv[2])\n"
        "fit(training_on(PatchFolder.open(Path(sys.argv[1]))), params).detector.save(Path(sys.argv[3]))"
    )
    (tmp_path / "fresh").mkdir()
    fitted[0].detector.save(tmp_path)
    in_fresh_process(script, toy.path, FITTED.model_dump_json(), tmp_path / "fresh")
    for name in ("model.weights.h5", "network.json"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


@pytest.mark.parametrize("kind", ["bce", "bce_dice", "focal"])
def test_unknown_pixels_have_no_effect_on_the_loss(kind):
    rng = np.random.default_rng(0)
    label, known = (rng.random((2, 8, 8)) < 0.3), (rng.random((2, 8, 8)) < 0.7)
    p = rng.uniform(0.01, 0.99, (2, 8, 8, 1)).astype(np.float32)
    loss = masked_loss(kind)

    def of(label, p):
        return float(loss(np.stack([label, known], -1).astype(np.float32), p.astype(np.float32)))

    other_p = np.where(known[..., None], p, 1 - p)
    assert of(label, p) == pytest.approx(of(np.where(known, label, ~label), other_p), rel=1e-6)
    assert of(label, p) != pytest.approx(of(label, np.where(known[..., None], 1 - p, p)), rel=1e-3)
    nothing = np.zeros((2, 8, 8, 2), np.float32)
    assert np.isfinite(float(loss(nothing, p)))


def test_the_losses_are_what_their_names_say():
    rng = np.random.default_rng(1)
    y, p = (rng.random((3, 8, 8)) < 0.3).astype(np.float32), rng.uniform(0.05, 0.95, (3, 8, 8)).astype(np.float32)
    target = np.stack([y, np.ones_like(y)], -1)
    entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    dice = 1 - (2 * (y * p).sum() + 1) / (y.sum() + p.sum() + 1)
    got = {kind: float(masked_loss(kind)(target, p[..., None])) for kind in ("bce", "bce_dice", "focal")}
    assert got["bce"] == pytest.approx(entropy.mean(), rel=1e-5)
    assert got["bce_dice"] == pytest.approx(entropy.mean() + dice, rel=1e-5)
    assert got["focal"] == pytest.approx((entropy * np.abs(y - p) ** 2).mean(), rel=1e-5)


def relabelled(toy, y):
    """The same patches with other labels."""
    return type("Relabelled", (type(toy),), {"y": lambda self: y})(toy.path, toy.about, toy.index)


def test_labels_hidden_from_training_do_not_change_what_is_learned(toy):
    training = training_on(toy)
    hidden = np.where(toy.y() == 1, np.uint8(255), toy.y())
    batches = Batches(replace(training, patches=relabelled(toy, hidden)), PARAMS)
    _, target = batches[0]
    assert target[..., 0].sum() == 0
    assert (target[..., 1] == 0).sum() > 0


def test_batches_are_drawn_by_seed_epoch_and_number(toy):
    one, two = (Batches(training_on(toy), PARAMS) for _ in range(2))
    assert len(one) == 8
    for number in (3, 0, 7):  # in any order
        for a, b in zip(one[number], two[number], strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one[0][0], one[1][0])
    before = one[0][0]
    one.on_epoch_end()
    assert not np.array_equal(one[0][0], before)
    assert not np.array_equal(Batches(training_on(toy), params(seed=6))[0][0], before)


def test_every_epoch_trains_on_draws_of_its_own_each_once(fitted):
    steps, epochs = 160 // 8, len(fitted[0].history)
    trained_on = fitted[2][-steps * epochs :]  # before it, Keras looks at the shape of a batch or two
    first = trained_on[0][0]
    assert trained_on == [(first + epoch, number) for epoch in range(epochs) for number in range(steps)]


@pytest.mark.parametrize(("share", "at_least"), [(0.0, 0), (0.25, 2), (1.0, 8)])
def test_the_share_of_windows_with_a_landslide_is_respected(toy, share, at_least):
    side = toy.y().shape[1]
    rare = toy.y().copy()
    rows = toy.rows("train")
    rare[rows[2:]] = 0
    index = toy.index.assign(landslide_share=[(y == 1).mean() for y in rare])
    folder = type("Rare", (type(toy),), {"y": lambda self: rare})(toy.path, toy.about, index)
    training = training_on(toy)
    batches = Batches(replace(training, patches=folder), params(landslide_share=share, crop_px=side))
    with_landslide = [(target[..., 0].sum((1, 2)) > 0).sum() for _, target in (batches[n] for n in range(6))]
    assert min(with_landslide) >= at_least
    if share == 0:
        assert np.mean(with_landslide) < 2


def test_a_crop_is_a_turned_piece_of_its_window_with_its_own_labels(toy):
    training = training_on(toy)
    encoded = training.encoded(toy.rows("train"))
    labels = toy.y()[toy.rows("train")]
    x, target = Batches(training, params(augment=True, crop_px=16))[0]
    for crop, wanted in zip(x, target, strict=True):
        turned = [np.rot90(crop, k)[:, :: 1 - 2 * flip] for k in range(4) for flip in (0, 1)]
        same = [np.rot90(wanted, k)[:, :: 1 - 2 * flip] for k in range(4) for flip in (0, 1)]
        assert any(
            np.array_equal(window, one)
            and np.array_equal(y == 1, two[..., 0])
            and np.array_equal(y != 255, two[..., 1])
            for one, two in zip(turned, same, strict=True)
            for window, y in zip(encoded, labels, strict=True)
        )


def test_a_training_that_diverges_ends_with_one_line(toy):
    watch = _Watch(training_on(toy), PARAMS)
    with pytest.raises(SkredError, match=r"diverged in epoch 3 \(loss nan\); lower unet.learning_rate"):
        watch.on_epoch_end(2, {"loss": float("nan")})


def test_windows_that_cannot_be_halved_are_refused(toy):
    with pytest.raises(InputError, match=r"unet\.depth: got 5, wanted windows \(16 px\)"):
        fit(training_on(toy), params(depth=5, crop_px=32, predict_window_px=64))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_network_gives_one_probability_per_pixel_and_starts_near_a_rare_class(depth):
    network = build(3, depth=depth, base_filters=4, dropout=0.1, precision="float32")
    p = np.asarray(network(np.zeros((2, 16, 24, 3), np.float32)))
    assert p.shape == (2, 16, 24, 1)
    assert np.allclose(p, 0.01, atol=1e-3)
    assert len({layer.name for layer in network.layers}) == len(network.layers)


def test_an_ensemble_is_the_mean_of_its_members_each_trained_as_if_alone(toy, tmp_path):
    small = {"epochs": 2, "windows_per_epoch": 16}
    steps = []
    pair = fit(training_on(toy, steps), params(members=2, seed=5, **small))
    alone = [fit(training_on(toy), params(seed=seed, **small)).detector for seed in (5, 6)]
    x = training_on(toy).encoded(toy.rows("val"))
    each = np.stack([one.predict(x) for one in alone])
    np.testing.assert_array_equal(pair.detector.predict_members(x), each)
    np.testing.assert_allclose(pair.detector.predict(x), each.mean(axis=0), rtol=1e-6)
    assert [step for step, _ in steps] == [row["step"] for row in pair.history] == [1, 2, 3, 4]
    pair.detector.save(tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(x), pair.detector.predict(x))
    assert load(tmp_path).members == 2
    (tmp_path / "model-2.weights.h5").unlink()
    with pytest.raises(InputError, match=r"model-2\.weights\.h5: missing"):
        load(tmp_path)


def test_another_seed_changes_the_draws_and_weights_of_the_network_and_nothing_else(toy, tmp_path):
    folder = toy.path.parent
    small = {"epochs": 1, "windows_per_epoch": 16, "schedule": "constant"}

    def train(name, section):
        recipe = Recipe(cell="toy-unet", setting="toy", bands=("vv",), detector="unet", params=section)
        card = train_cell(recipe, toy.path, folder / "scenes", tmp_path / name, lambda step, row: None)
        return card, {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}

    section = params(seed=1, **small)
    first, files = train("first", section)
    replaced, as_option = train("option", with_seed(section, 5))
    assert with_seed(section, 5) == params(seed=5, **small)  # `train --seed 5` is `unet.seed: 5`
    learned = {"seed", "threshold", "validation", "chosen"}
    assert first.model_dump(exclude=learned) == replaced.model_dump(exclude=learned)
    assert (first.seed, replaced.seed) == (1, 5)
    assert files["network.json"] == as_option["network.json"]
    assert files["model.weights.h5"] != as_option["model.weights.h5"]
