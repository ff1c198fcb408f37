"""Scores of a cell: each pixel once, through the split, on the same pixels for every cell."""

import json

import numpy as np
import pandas as pd
import pytest
from score_toys import PARAMS
from sklearn import metrics

from skred.core.errors import InputError, SkredError
from skred.core.raster import Raster, read_raster, write_cog
from skred.core.scenes import QUALITY_LAYERS
from skred.detectors.base import Sliding
from skred.detectors.inputs import Inputs
from skred.detectors.model import ModelCard, save_model
from skred.patches.split import Split
from skred.scores.bins import BINS, bins_of
from skred.scores.blocks import nearby
from skred.scores.bootstrap import Resamples, estimate
from skred.scores.by_path import evaluate_by_path
from skred.scores.comparison import at_common_unit, compare_cells
from skred.scores.evaluate import pixels_of, tally
from skred.scores.gather import blocks_of, gather, ranked_of
from skred.scores.ranked import steps_per_block
from skred.scores.report import evaluate_cell, rounded
from skred.scores.statistics import AveragePrecision

SHAPE = (64, 64)


def probability(scenes, out, values, **tags):
    for scene, p in values.items():
        raster = Raster(
            np.asarray(p, np.float32)[None], scenes.grid(scene), ("probability",), ("1",), float("nan"), tags
        )
        write_cog(out / f"{scene}.tif", raster)
    return out


def card(scenes, threshold=0.5, **changed):
    bands = scenes.index.bands
    inputs = Inputs(bands=bands, mean=(0.0,) * len(bands), std=(1.0,) * len(bands))
    content = {
        "cell": "fusion-cart",
        "setting": "fusion",
        "detector": "cart",
        "inputs": inputs,
        "trained_on": "toy",
        "simulated": False,
        "threshold": threshold,
        "validation": {"f1": 0.9},
        "chosen": {"depth": 3.0},
        "sliding": Sliding(window_px=32, margin_px=0, batch=1),
    }
    return ModelCard(**{**content, **changed})


@pytest.fixture
def scene(make_scenes, tmp_path):
    rng = np.random.default_rng(2)
    labels = rng.choice([0, 1, 255], SHAPE, p=[0.7, 0.25, 0.05]).astype(np.uint8)
    p = np.round(np.clip(0.3 * (labels == 1) + rng.random(SHAPE) * 0.7, 0, 1), 3).astype(np.float32)
    seen = np.ones((len(QUALITY_LAYERS), *SHAPE), np.uint8)
    seen[QUALITY_LAYERS.index("observable_optical"), :20] = 0
    seen[QUALITY_LAYERS.index("observable_radar"), :, :10] = 0
    scenes = make_scenes(tmp_path / "scenes", {"s": labels}, quality={"s": seen})
    return scenes, probability(scenes, tmp_path / "p", {"s": p}), labels, p


def test_scores_of_a_scene_are_those_of_scikit_learn_on_its_known_pixels(scene):
    scenes, folder, labels, p = scene
    scores = tally(scenes, folder, 0.6).scores(0.6)
    known = labels != 255
    truth, predicted = labels[known] == 1, np.round(p[known] * 1000) >= 600
    assert scores["f1"] == pytest.approx(metrics.f1_score(truth, predicted))
    assert scores["mcc"] == pytest.approx(metrics.matthews_corrcoef(truth, predicted))
    assert scores["auprc"] == pytest.approx(metrics.average_precision_score(truth, p[known]))
    assert (scores["pixels"], scores["landslide_pixels"]) == (known.sum(), truth.sum())


def test_observable_takes_the_pixels_that_every_sensor_saw(scene):
    scenes, folder, labels, p = scene
    scores = tally(scenes, folder, 0.6).scores(0.6)["observable"]
    known = (labels != 255) & (np.arange(64)[:, None] >= 20) & (np.arange(64) >= 10)
    assert scores["pixels"] == known.sum()
    assert scores["f1"] == pytest.approx(metrics.f1_score(labels[known] == 1, np.round(p[known] * 1000) >= 600))


def test_where_chooses_the_pixels(scene):
    scenes, folder, labels, _ = scene
    part = np.zeros(SHAPE, bool)
    part[:10] = True
    result = tally(scenes, folder, 0.5, lambda name: part)
    assert result.all.pixels == (labels[:10] != 255).sum()
    assert result.area_km2 == pytest.approx((labels[:10] != 255).sum() * 100 / 1e6)
    nothing = tally(scenes, folder, 0.5, lambda name: np.zeros(SHAPE, bool))
    assert nothing.all.pixels == 0
    assert set(nothing.scores(0.5)["observable"].values()) == {None, 0}


def test_false_alarms_are_objects_without_a_landslide_pixel(make_scenes, tmp_path):
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:14, 10:14] = 1
    labels[40:50, 40:50] = 255
    p = np.zeros(SHAPE, np.float32)
    p[13:20, 13:20] = 0.9  # touches a landslide: no false alarm
    p[30, 30] = p[31, 31] = 0.9  # touch at a corner: one object
    p[5:8, 50:60] = 0.9
    p[42:45, 42:45] = 0.9  # lies in the unknown: nobody can say
    p[45:53, 47:49] = 0.9  # reaches out of it
    scenes = make_scenes(tmp_path / "scenes", {"s": labels})
    result = tally(scenes, probability(scenes, tmp_path / "p", {"s": p}), 0.5)
    assert result.false_alarms == 3
    assert result.area_km2 == pytest.approx((64 * 64 - 100) * 1e-4)
    assert result.false_alarms_per_100km2() == pytest.approx(300 / result.area_km2)


def test_a_missing_probability_and_one_on_another_grid_are_named(scene, make_scenes, tmp_path):
    scenes, folder, _, _ = scene
    with pytest.raises(SkredError, match="none: no raster of scene s; predict"):
        tally(scenes, tmp_path / "none", 0.5)
    smaller = make_scenes(tmp_path / "small", {"s": np.zeros((32, 64), np.uint8)})
    with pytest.raises(InputError, match="lies on another grid"):
        tally(smaller, folder, 0.5)


@pytest.fixture
def cell(make_scenes, make_patch_folder, tmp_path):
    """One divided event, two unseen ones, two controls; every prediction is right but for known mistakes."""
    rng = np.random.default_rng(0)
    folders, p = {}, tmp_path / "p"
    for event, role, shape in [
        ("develop", "develop", (160, 160)),
        ("east", "unseen", (48, 48)),
        ("west", "unseen", (32, 64)),
        ("calm", "control", (100, 100)),
        ("still", "control", (50, 100)),
    ]:
        labels = np.zeros(shape, np.uint8)
        if role != "control":
            for row, col in rng.integers(0, min(shape) - 6, (30, 2)):
                labels[row : row + 5, col : col + 5] = 1
        folders[event] = make_scenes(tmp_path / event, {event: labels}, event=event, role=role)
        predicted = labels * 0.9
        predicted[:2, :2] = 0.8
        probability(folders[event], p / event, {event: predicted})
    patches = make_patch_folder(tmp_path / "develop", tmp_path / "patches")
    return folders, p, patches


@pytest.mark.parametrize(
    "regions", [("test",), ("unseen",), ("test", "unseen"), ("unseen", "test"), ("validation",), ("control", "unseen")]
)
def test_each_pixel_stands_in_the_line_of_its_block(cell, regions):
    folders, p, patches = cell
    whole = [folders[name] for name in ("west", "east", "still", "calm")]
    parts = gather(patches, folders["develop"], whole, p, 0.5, block_px=16, truths={})
    blocks = blocks_of(parts).of(*regions)
    ranked, line = ranked_of(parts, regions)
    for kind, wanted in ((ranked.truth, blocks.bins[:, 0]), (~ranked.truth, blocks.bins[:, 1])):
        place = line[kind] * BINS + bins_of(ranked.p[kind])
        counted = np.bincount(place, minlength=len(wanted) * BINS).reshape(wanted.shape)
        np.testing.assert_array_equal(counted, wanted)


def test_the_interval_of_auprc_rests_on_the_blocks_of_its_pixels(cell):
    folders, p, patches = cell
    develop, east, rng = folders["develop"], folders["east"], np.random.default_rng(5)
    for scenes in (develop, east):
        name = scenes.index.event
        labels = scenes.labels(name)
        probability(scenes, p / name, {name: 0.3 * (labels == 1) + 0.7 * rng.random(labels.shape)})
    parts = gather(patches, develop, [east], p, 0.5, block_px=16, truths={})
    blocks, (ranked, line) = blocks_of(parts).of("test", "unseen"), ranked_of(parts, ("test", "unseen"))
    held_out = evaluate_cell(card(develop), p, patches, develop, [east], {}, PARAMS).scores["held_out"]
    steps, near = steps_per_block(ranked, line, len(blocks.bins)), nearby(blocks.keys, PARAMS.nearby_blocks)
    resamples = Resamples.draw(len(steps), PARAMS.replicates, PARAMS.seed)
    wanted = estimate(steps, AveragePrecision(), resamples, "studentised", nearby=near)
    assert (held_out["auprc_low"], held_out["auprc_high"]) == pytest.approx((wanted.low, wanted.high), abs=1e-6)
    known = [part.known(region) for part, region in zip(parts, ("test", "unseen"), strict=True)]
    truth = np.concatenate([part.labels[k] == 1 for part, k in zip(parts, known, strict=True)])
    values = np.concatenate([part.probability[k] for part, k in zip(parts, known, strict=True)])
    assert held_out["auprc"] == pytest.approx(metrics.average_precision_score(truth, values), abs=1e-6)


def test_a_cell_is_scored_on_the_test_pixels_alone(cell):
    folders, p, patches = cell
    result = evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], [], {}, PARAMS)
    split = patches.split_raster("develop")
    assert result.scores["pixels"] == (split == Split.TEST).sum()
    labels = folders["develop"].labels("develop")
    assert result.scores["landslide_pixels"] == ((split == Split.TEST) & (labels == 1)).sum()
    # what is predicted elsewhere does not matter
    wrong = np.where(split == Split.TEST, labels * 0.9, 1 - labels)
    wrong[:2, :2] = np.where(split[:2, :2] == Split.TEST, 0.8, wrong[:2, :2])
    probability(folders["develop"], p / "develop", {"develop": wrong})
    again = evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], [], {}, PARAMS)
    pixels = [name for name in result.scores if name.startswith(("precision", "recall", "f1", "mcc", "iou", "auprc"))]
    assert len(pixels) == 18
    for name in (*pixels, "pixels", "landslides", "observable"):
        assert again.scores[name] == result.scores[name], name


def noisy(folder, out, seed=3):
    """Probabilities with some skill, of many values."""
    event = folder.index.event
    labels = folder.labels(event)
    p = np.clip(0.3 * (labels == 1) + np.random.default_rng(seed).random(labels.shape) * 0.7, 0, 1)
    probability(folder, out / event, {event: p})
    return p.astype(np.float32)


def test_the_calibrator_does_not_know_the_test_labels(cell, make_scenes, tmp_path):
    folders, p, patches = cell
    develop, params = folders["develop"], PARAMS.model_copy(update={"calibration": "isotonic"})
    noisy(develop, p)
    labels, test = develop.labels("develop"), patches.split_raster("develop") == Split.TEST
    other = np.where(test & (np.indices(labels.shape).sum(axis=0) % 3 == 0), 1 - labels, labels).astype(np.uint8)
    changed = make_scenes(tmp_path / "changed", {"develop": other}, event="develop")
    one, two = (evaluate_cell(card(develop), p, patches, scenes, [], {}, params) for scenes in (develop, changed))
    assert one.calibrator.kind == "isotonic"
    assert len(one.calibrator.knots) > 5
    assert two.calibrator == one.calibrator
    assert two.scores["calibration"]["test"] != one.scores["calibration"]["test"]


def test_calibration_scores_are_of_raw_and_of_calibrated_probabilities(cell):
    folders, p, patches = cell
    develop, east = folders["develop"], folders["east"]
    rasters = {"test": noisy(develop, p), "unseen": noisy(east, p)}
    where = {"test": patches.split_raster("develop") == Split.TEST, "unseen": np.ones((48, 48), bool)}
    labels = {"test": develop.labels("develop"), "unseen": east.labels("east")}
    result = evaluate_cell(card(develop), p, patches, develop, [east], {}, PARAMS)
    for region, raster in rasters.items():
        raw, truth = raster[where[region]], labels[region][where[region]] == 1
        got = result.scores["calibration"][region]
        assert got["raw"]["brier"] == pytest.approx(metrics.brier_score_loss(truth, raw), abs=1e-6)
        again = metrics.brier_score_loss(truth, result.calibrator(raw))
        assert got["calibrated"]["brier"] == pytest.approx(again, abs=1e-6)
        assert abs(got["raw"]["brier"] - again) > 0.01
        curves = result.reliability.query("role == @region").groupby("probabilities")["probability"].max()
        assert curves["raw"] > curves["calibrated"] + 0.01 or curves["raw"] < curves["calibrated"] - 0.01


def test_what_was_held_out_is_test_blocks_and_unseen_events(cell):
    folders, p, patches = cell
    whole = [folders[name] for name in ("east", "west", "calm")]
    scores = evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], whole, {}, PARAMS).scores
    for name in ("pixels", "landslide_pixels", "landslides", "blocks"):
        assert min(scores[name], scores["unseen"][name]) > 0
        assert scores["held_out"][name] == scores[name] + scores["unseen"][name]
    found = [scores[role]["objects"] for role in ("held_out", "unseen")] + [scores["objects"]]
    assert found[0]["landslides"] == found[1]["landslides"] + found[2]["landslides"]


def test_a_random_split_is_not_pooled_with_unseen_events(cell, make_patch_folder, tmp_path):
    """Its test windows have training windows as neighbours: they are not new to the model."""
    folders, p, _ = cell
    patches = make_patch_folder(tmp_path / "develop", tmp_path / "random", "random")
    scores = evaluate_cell(
        card(folders["develop"]), p, patches, folders["develop"], [folders["east"]], {}, PARAMS
    ).scores
    assert scores["split"] == "random"
    assert scores["unseen"]["pixels"] == 48 * 48
    assert "held_out" not in scores


def undefined(scores, names):
    return {name for name in names if scores[name] is None}


def test_a_cell_without_any_landslide_to_find_has_no_made_up_scores(cell, make_scenes, tmp_path):
    folders, p, patches = cell
    develop, empty = folders["develop"], {}
    for event, role in (("develop", "develop"), ("east", "unseen")):
        labels = np.zeros(folders[event].labels(event).shape, np.uint8)
        empty[event] = make_scenes(tmp_path / f"empty-{event}", {event: labels}, event=event, role=role)
    for found in (True, False):
        if not found:
            for event, folder in empty.items():
                probability(folder, p / event, {event: np.full(folder.labels(event).shape, 0.1)})
        result = evaluate_cell(card(develop), p, patches, empty["develop"], [empty["east"]], {}, PARAMS)
        scores = result.scores
        json.dumps(scores, allow_nan=False)
        for section in (scores, scores["unseen"], scores["held_out"]):
            assert (section["landslides"], section["landslide_pixels"]) == (0, 0)
            never = {"recall", "mcc", "auprc"} | (set() if found else {"precision", "f1", "iou"})
            assert undefined(section, ("precision", "recall", "f1", "mcc", "iou", "auprc")) == never
            assert section["no_interval"].endswith(" wanted 5")
            assert section["mcc_low"] is section["auprc_high"] is None
            assert section["objects"]["recall"] is section["objects"]["chance"]["recall"] is None
            assert section["objects"]["precision"] == (0 if found else None)
            assert section["objects"]["false_alarms_per_100km2"] >= 0
            assert section["seen_landslide_share"] is None
        assert result.calibrator.kind == "none"
        assert (result.objects.sizes["landslides"] == 0).all()
        entry = compare_cells([at_common_unit(scores, 1, result.objects.blocks, result.objects.chance, PARAMS)])
        json.dumps(entry, allow_nan=False)


def test_at_the_unit_of_all_cells_objects_and_false_alarms_are_counted_anew():
    keys = ("unit_px", "role", "landslides", "found", "touched", "detections", "right", "false", "area_km2")
    rows = [
        (1, "test", 10, 8, 9, 40, 8, 30, 50.0),
        (3, "test", 10, 5, 6, 10, 5, 4, 50.0),
        (1, "unseen", 10, 6, 8, 60, 6, 50, 50.0),
        (3, "unseen", 10, 2, 3, 8, 2, 5, 50.0),
        (1, "control", 0, 0, 0, 20, 0, 20, 200.0),
        (3, "control", 0, 0, 0, 6, 0, 6, 200.0),
    ]
    objects = pd.DataFrame(rows, columns=keys).assign(split=0, touching=0, merging=0)
    chance = pd.DataFrame(
        [
            {"unit_px": unit, "role": role, "recall": share, "recall_low": 0.0, "recall_high": np.nan}
            for unit, share in ((1, 0.3), (3, 0.1))
            for role in ("test", "unseen", "held_out")
        ]
    )
    own = {"unit_px": 1, "recall": 0.99, "precision": 0.99}
    cell = {
        "mcc": 0.4,
        "objects": own,
        "unseen": {"mcc": 0.3, "objects": own},
        "held_out": {"mcc": 0.35, "objects": own},
        "control": {"unit_px": 1, "simulated": True, "false_alarms": 20, "false_alarm_pixels": 33},
    }
    moved = at_common_unit(cell, 3, objects, chance, PARAMS)
    for section, recall, precision in (
        (moved, 0.5, 0.5),
        (moved["unseen"], 0.2, 0.25),
        (moved["held_out"], 0.35, 7 / 18),
    ):
        got = section["objects"]
        assert (got["unit_px"], got["recall"], got["precision"]) == (3, recall, pytest.approx(precision))
        assert got["chance"] == {"recall": 0.1, "recall_low": 0.0, "recall_high": None}
    control = moved["control"]
    assert (control["unit_px"], control["false_alarms"], control["false_alarms_per_100km2"]) == (3, 6, 3.0)
    assert (control["simulated"], moved["mcc"], moved["unseen"]["mcc"]) == (True, 0.4, 0.3)
    back = at_common_unit(cell, 1, objects, chance, PARAMS)
    assert (back["objects"]["recall"], back["control"]["false_alarms"]) == (0.8, 20)


def test_events_of_one_role_add_up_whatever_their_order(cell):
    folders, p, patches = cell
    whole = [folders[name] for name in ("east", "west", "calm", "still")]
    scores = evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], whole, {}, PARAMS).scores
    assert scores["unseen"]["pixels"] == 48 * 48 + 32 * 64
    control = scores["control"]
    assert control["area_km2"] == pytest.approx((100 * 100 + 50 * 100) * 1e-4)
    assert control["false_alarms"] == 2
    assert control["false_alarms_per_100km2"] == pytest.approx(200 / control["area_km2"], rel=1e-5)
    assert control["false_alarm_pixels"] == 8
    turned = evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], whole[::-1], {}, PARAMS).scores
    assert {key: turned[key] for key in scores} == scores


def test_simulated_and_real_events_are_not_added(cell, make_scenes, tmp_path):
    folders, p, patches = cell
    other = make_scenes(
        tmp_path / "sim", {"sim": np.zeros((16, 16), np.uint8)}, event="sim", role="unseen", simulated=True
    )
    with pytest.raises(InputError, match="simulated and real events of role unseen do not add up"):
        evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], [folders["east"], other], {}, PARAMS)


def test_an_event_to_develop_on_is_not_scored_whole(cell):
    folders, p, patches = cell
    with pytest.raises(InputError, match="wanted an event of role unseen or control"):
        evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], [folders["develop"]], {}, PARAMS)


def test_the_truth_of_a_simulated_event_is_reported_beside_its_inventory(cell, tmp_path):
    folders, p, patches = cell
    truths = {}
    for name in ("develop", "east"):
        labels = folders[name].labels(name)
        grown = np.maximum(labels, np.roll(labels, 1, 0))  # the inventory misses a row of each
        write_cog(tmp_path / f"{name}.tif", Raster(grown[None], folders[name].grid(name), ("landslide",)))
        truths[name] = tmp_path / f"{name}.tif"
    scores = evaluate_cell(
        card(folders["develop"]), p, patches, folders["develop"], [folders["east"]], truths, PARAMS
    ).scores
    assert scores["truth"]["recall"] < scores["recall"] == 1
    assert scores["unseen"]["truth"]["recall"] < scores["unseen"]["recall"] == 1


def test_pixels_of_a_split_are_those_of_its_raster(cell):
    _, _, patches = cell
    np.testing.assert_array_equal(
        pixels_of(patches, Split.VAL)("develop"), patches.split_raster("develop") == Split.VAL
    )


def numbers(cell, split="blocks", setting="sar", detector="unet"):
    keys = ("threshold", "precision", "recall", "f1", "mcc", "iou", "auprc", "pixels", "landslide_pixels")
    keys += ("landslides", "blocks")
    scores = dict.fromkeys(keys, 0.1)
    marks = {"simulated": True, "trained_on_simulated": True, "training": {"pixels": 9, "landslide_pixels": 1}}
    return {"cell": cell, "setting": setting, "detector": detector, "split": split, **marks, **scores}


def test_the_table_of_cells_is_setting_by_detector_with_the_random_split_inside():
    table = compare_cells(
        [numbers("a"), numbers("b", detector="cart"), numbers("c", "random"), numbers("d", "scenes", "rgb")]
    )
    assert {setting: set(row) for setting, row in table.items()} == {"sar": {"unet", "cart"}, "rgb": {"unet"}}
    assert set(table["sar"]["unet"]["random"]) == set(numbers("x")) - {
        *("cell", "setting", "detector", "split", "landslides", "blocks")
    }
    assert "random" not in table["sar"]["cart"]
    assert table["sar"]["unet"]["simulated"] is True


def test_optimism_is_the_score_of_the_random_split_minus_that_of_blocks():
    blocked, random = numbers("a") | {"f1": 0.1, "auprc": None}, numbers("c", "random") | {"f1": 0.3, "mcc": 0.05}
    optimism = compare_cells([blocked, random])["sar"]["unet"]["optimism"]
    assert optimism["f1"] == pytest.approx(0.2)
    assert optimism["mcc"] == pytest.approx(-0.05)
    assert optimism["auprc"] is None


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([numbers("a"), numbers("b")], "sar with unet is there twice"),
        ([numbers("a", "random")], "exactly one blocked and one random"),
        ([numbers("a"), numbers("b", "random"), numbers("c", "random")], "exactly one blocked and one random"),
    ],
)
def test_cells_that_cannot_be_told_apart_are_refused(cells, says):
    with pytest.raises(InputError, match=says):
        compare_cells(cells)


def test_recorded_numbers_are_rounded_however_deep():
    assert rounded({"a": {"b": 0.12345678}, "c": None, "d": 3, "e": "x"}) == {
        "a": {"b": 0.123457},
        "c": None,
        "d": 3,
        "e": "x",
    }


class _NoDetector:
    def save(self, folder):
        pass


def test_scores_by_path_use_the_models_own_threshold_and_show_each_folder(make_scenes, tmp_path):
    labels = {name: np.zeros((16, 16), np.uint8) for name in ("train-1", "val-1")}
    labels["train-1"][:8], labels["val-1"][:, :4] = 1, 1
    scenes = make_scenes(tmp_path / "scenes", labels, splits={"train-1": "train", "val-1": "test"}, role=None)
    values = {name: np.where(label == 1, 0.31, 0.29) for name, label in labels.items()}
    made_by = card(scenes, threshold=0.3)
    p = probability(scenes, tmp_path / "p", values, cell=made_by.cell, trained_on=made_by.trained_on, threshold="0.300")
    (tmp_path / "model").mkdir()
    save_model(tmp_path / "model", _NoDetector(), made_by, [{"step": 1.0}])
    scores = evaluate_by_path(tmp_path / "model", tmp_path / "scenes", p)
    assert (scores["threshold"], scores["f1"], scores["simulated"], scores["scenes"]) == (0.3, 1.0, False, 2)
    assert {split: part["landslide_pixels"] for split, part in scores["by_split"].items()} == {"train": 128, "test": 64}
    json.dumps(scores, allow_nan=False)


def test_scenes_without_labels_cannot_be_scored(make_scenes, tmp_path):
    scenes = make_scenes(tmp_path / "scenes", {"s": np.full((16, 16), 255, np.uint8)})
    (tmp_path / "model").mkdir()
    save_model(tmp_path / "model", _NoDetector(), card(scenes), [])
    with pytest.raises(InputError, match="every label is unknown"):
        evaluate_by_path(tmp_path / "model", tmp_path / "scenes", tmp_path)


def test_false_alarms_by_confounder_add_up_to_the_rate_on_the_control_too(cell, tmp_path):
    folders, p, patches = cell
    codes = np.zeros((100, 100), np.uint8)
    codes[:2, :5] = 2
    grid, tags = folders["calm"].grid("calm"), {"confounders": "1=mown,2=felled"}
    path = tmp_path / "calm.tif"
    bands = np.stack([np.zeros_like(codes), codes])
    write_cog(path, Raster(bands, grid, ("landslide", "confounder"), (), None, tags))
    whole, truths = [folders["calm"]], {"calm": path}
    scores = evaluate_cell(card(folders["develop"]), p, patches, folders["develop"], whole, truths, PARAMS).scores
    control = scores["control"]
    felled = control["false_alarms_by_confounder"]["felled"]
    assert felled == {"false_alarms": 1, "per_100km2": 100.0, "area_share": 0.001}
    total = sum(one["per_100km2"] for one in control["false_alarms_by_confounder"].values())
    assert total == pytest.approx(control["false_alarms_per_100km2"])
    assert "false_alarms_by_confounder" not in scores  # nobody said what lies there


def test_each_detection_has_its_mean_probability_and_with_an_ensemble_its_mean_spread(cell):
    folders, p, patches = cell
    develop = folders["develop"]
    plain = evaluate_cell(card(develop), p, patches, develop, [folders["calm"]], {}, PARAMS)
    alarm = plain.objects.detections.query("role == 'control'").iloc[0]
    assert dict(alarm[["event", "row", "col", "pixels", "right", "false"]]) == {
        "event": "calm", "row": 0.5, "col": 0.5, "pixels": 4, "right": False, "false": True,
    }  # fmt: skip
    assert alarm["mean_probability"] == pytest.approx(0.8)
    assert "mean_spread" not in plain.objects.detections and "spread_false" not in plain.scores["control"]

    for event in ("develop", "calm"):
        file = p / event / f"{event}.tif"
        one = read_raster(file)
        spread = np.full(one.grid.shape, 0.3, np.float32)
        spread[:2, 0], spread[:2, 1] = 0.1, 0.2
        write_cog(file, Raster(np.stack([one.array[0], spread]), one.grid, ("probability", "spread"), ("1", "1")))
    ensemble = evaluate_cell(card(develop), p, patches, develop, [folders["calm"]], {}, PARAMS)
    table = ensemble.objects.detections
    assert table.query("role == 'control'")["mean_spread"].iloc[0] == pytest.approx(0.15)
    assert table.query("right")["mean_spread"].median() == pytest.approx(0.3)
    assert ensemble.scores["control"]["spread_false"] == pytest.approx(0.15)
    assert ensemble.scores["control"]["spread_right"] is None
    assert ensemble.scores["f1"] == plain.scores["f1"]

    tables = ensemble.objects.blocks, ensemble.objects.chance
    entry = compare_cells([at_common_unit(ensemble.scores, 1, *tables, PARAMS)])["fusion"]["cart"]
    own = ensemble.scores["objects"]
    assert entry["objects"]["spread"] == {
        "unit_px": own["unit_px"],
        "right": pytest.approx(own["spread_right"]),
        "false": own["spread_false"],
    }
    assert own["spread_right"] == pytest.approx(0.3)


def test_the_share_that_was_observed_is_that_of_the_cells_own_sensors(cell, make_scenes, tmp_path):
    folders, p, patches = cell
    develop, labels = folders["develop"], folders["east"].labels("east")
    seen = np.zeros((len(QUALITY_LAYERS), *labels.shape), np.uint8)
    seen[QUALITY_LAYERS.index("observable_optical"), :12] = 1
    seen[QUALITY_LAYERS.index("observable_radar")] = 1
    dim = make_scenes(
        tmp_path / "dim", {"east": labels}, quality={"east": seen}, event="east", role="unseen"
    )  # the radar saw it all, optics a quarter
    fusion = card(develop)
    optical = card(develop, inputs=Inputs(bands=develop.index.bands[:1], mean=(0.0,), std=(1.0,)))
    assert [{band.sensor for band in one.inputs.bands} for one in (fusion, optical)] == [
        {"optical", "radar"},
        {"optical"},
    ]
    for model, share in ((fusion, 1.0), (optical, 0.25)):
        unseen = evaluate_cell(model, p, patches, develop, [dim], {}, PARAMS).scores["unseen"]
        assert unseen["seen_share"] == pytest.approx(share)
    landslides = (labels == 1).sum(axis=1)
    assert unseen["seen_landslide_share"] == pytest.approx(landslides[:12].sum() / landslides.sum(), abs=1e-6)
