"""Cells against each other, and what is said about the paper's sentences."""

import json

import numpy as np
import pandas as pd
import pytest
from score_toys import PARAMS as FEW
from score_toys import apart

from skred.core.errors import InputError
from skred.scores.bins import BINS
from skred.scores.blocks import BlockBins
from skred.scores.bootstrap import holm
from skred.scores.comparison import common_unit, compare_cells
from skred.scores.differences import Scored, compare_pairs, record, wanted_pairs
from skred.scores.objects import COUNTS
from skred.scores.statistics import PIXEL_SCORES
from skred.scores.verdicts import BEST, DEEP, verdicts

# with fewer resamples no p could be small enough for ten comparisons
PARAMS = FEW.model_copy(update={"replicates": 999})


def cell(setting, detector, skill, seed=None, blocks=40, draw=0, simulated=True):
    """A cell whose share of right pixels is `skill`; what is hard is hard for all cells."""
    place = np.random.default_rng(0)
    positive, negative = place.integers(5, 60, blocks), place.integers(300, 500, blocks)
    ease = np.clip(
        skill + place.normal(0, 0.1, blocks) + np.random.default_rng([draw, 9]).normal(0, 0.02, blocks), 0, 1
    )
    bins = np.zeros((blocks, 2, BINS), np.int32)
    bins[:, 0, 900] = np.round(positive * ease)
    bins[:, 0, 100] = positive - bins[:, 0, 900]
    bins[:, 1, 900] = np.round(negative * 0.1 * (1 - ease))
    bins[:, 1, 100] = negative - bins[:, 1, 900]
    keys = pd.DataFrame({"role": "test", "event": "e", "scene": "e", **apart(blocks)})
    scores = {
        "cell": f"{setting}-{detector}-{seed}",
        "setting": setting,
        "detector": detector,
        "seed": seed,
        "threshold": 0.5,
        "landslides": 50,
        "simulated": simulated,
        "event": "storm",
    }
    return Scored(scores, BlockBins(keys, bins))


SKILLS = {"full": 0.6, "fusion": 0.8, "sar": 0.5, "optical": 0.65}


def seeded(skills, seeds=3, cart=0.3):
    cells = [
        cell(s, "unet", k, seed, draw=100 + seed + 10 * i)
        for i, (s, k) in enumerate(skills.items())
        for seed in range(seeds)
    ]
    return [*cells, *(cell(s, "cart", cart, 1) for s in skills)]


def said(cells, params=PARAMS):
    return {line["sentence"]: line for line in verdicts(record(cells, compare_pairs(cells, params), params))}


def test_a_setting_that_is_better_with_every_seed_is_called_best():
    lines = said(seeded(SKILLS))
    assert lines[BEST]["verdict"] == "holds"
    assert lines[DEEP]["verdict"] == "holds"
    assert all(line["text"].startswith("In the simulated world: ") for line in lines.values())


def test_one_that_is_worse_with_every_seed_is_not():
    lines = said(seeded({**SKILLS, "fusion": 0.4}, cart=0.9))
    assert (lines[BEST]["verdict"], lines[DEEP]["verdict"]) == ("does not hold", "does not hold")


def test_with_too_few_seeds_nothing_is_said():
    lines = said(seeded(SKILLS, seeds=1))
    assert lines[BEST]["verdict"] == "cannot tell"
    assert "One training seed, wanted 3" in lines[BEST]["text"]
    assert lines[DEEP]["verdict"] == "cannot tell"
    assert "One training seed, wanted 3. MCC, U-Net minus CART +0." in lines[DEEP]["text"]


def test_where_the_seeds_spread_as_far_as_the_settings_nothing_is_said():
    cells = seeded({**SKILLS, "fusion": 0.7})
    lucky = [c for c in cells if c.scores["cell"] == "optical-unet-1"]
    rest = [c for c in cells if c not in lucky]
    assert said([*rest, cell("optical", "unet", 0.9, 1)])[BEST]["verdict"] == "cannot tell"


def test_equal_settings_cannot_be_told_apart():
    assert said(seeded(dict.fromkeys(SKILLS, 0.6)))[BEST]["verdict"] == "cannot tell"


def test_real_and_simulated_scores_say_where_they_were_measured():
    cells = [cell(s, d, k, 1, simulated=False) for s, k in SKILLS.items() for d in ("unet", "cart")]
    assert all(line["text"].startswith("On real pixels (storm): ") for line in said(cells).values())


def test_too_few_landslides_leave_the_difference_without_interval():
    cells = [cell(s, d, k, 1) for s, k in SKILLS.items() for d in ("unet", "cart")]
    for c in cells:
        c.scores["landslides"] = 2
    compared = compare_pairs(cells, PARAMS)
    assert all(c.p is c.low is None and "2 landslides, wanted 5" in c.reason for c in compared)
    recorded = record(cells, compared, PARAMS)
    json.dumps(recorded, allow_nan=False)
    texts = {line["sentence"]: line["text"] for line in verdicts(recorded)}
    assert texts[DEEP].endswith("(no interval: 2 landslides, wanted 5).")
    assert "corrected" not in texts[BEST]


def test_the_file_of_differences_is_numbers_and_no_sentences():
    cells = [cell(s, d, k, 1) for s, k in SKILLS.items() for d in ("unet", "cart")]
    recorded = record(cells, compare_pairs(cells, PARAMS), PARAMS)
    assert set(recorded) == {"measured", "differences"}
    assert max(len(str(value)) for value in recorded["measured"].values()) < 30


def test_comparisons_are_unet_with_cart_and_settings_with_each_other_and_corrected_for_their_number():
    cells = [cell(s, d, k, 1, draw=i) for i, (s, k) in enumerate(SKILLS.items()) for d in ("unet", "cart")]
    compared = compare_pairs(cells, PARAMS)
    assert [c.name for c in compared][:4] == [f"{s}-unet minus {s}-cart" for s in SKILLS]
    assert len(compared) == 10
    assert all(c.p is None or c.p <= c.p_corrected for c in compared)


def test_p_is_corrected_by_holm_over_all_comparisons():
    skills = dict(zip(SKILLS, (0.6, 0.602, 0.61, 0.63), strict=True))
    cells = [cell(s, "unet", k, 1, draw=i) for i, (s, k) in enumerate(skills.items())]
    compared = compare_pairs(cells, PARAMS)
    p = [c.p for c in compared]
    assert [c.p_corrected for c in compared] == holm(p)
    assert any(c.p_corrected > c.p for c in compared)
    assert [c.p_corrected for c in compared] != [min(1.0, len(p) * one) for one in p]  # as Bonferroni would


def with_shared_places(detector, gain, order=slice(None)):
    """A cell whose blocks differ much, in the same way for every such cell, and hold equally many pixels of each kind,
    so that they may change places (`order`)."""
    share = np.clip(np.random.default_rng(0).normal(0.5, 0.2, 60), 0.05, 0.9)
    made = cell("sar", detector, 0.5, 1, blocks=60)
    found = (np.round(50 * share) + gain + np.random.default_rng(len(detector)).integers(-1, 2, 60))[order]
    made.blocks.bins[:] = 0
    made.blocks.bins[:, 0, 900], made.blocks.bins[:, 0, 100] = found, 50 - found
    made.blocks.bins[:, 1, 900], made.blocks.bins[:, 1, 100] = 5, 395
    return made


def test_cells_are_compared_block_by_block():
    unet, cart = with_shared_places("unet", 2), with_shared_places("cart", 0)
    (paired,) = compare_pairs([unet, cart], PARAMS)
    assert 0 < paired.difference < 0.1
    assert paired.p < 0.05
    moved = with_shared_places("cart", 0, np.random.default_rng(1).permutation(60))
    (apart,) = compare_pairs([unet, moved], PARAMS)
    assert apart.difference == pytest.approx(paired.difference)
    assert apart.high - apart.low > 3 * (paired.high - paired.low)
    assert apart.p > 0.05


def test_a_difference_is_that_of_test_blocks_and_unseen_events_together():
    """The U-Net is better on the test blocks and much worse on the unseen event."""
    cells = []
    for detector, on_test, on_unseen in (("unet", 0.8, 0.3), ("cart", 0.6, 0.7)):
        parts = [cell("sar", detector, skill, 1, draw=len(detector)) for skill in (on_test, on_unseen)]
        keys = pd.concat([parts[0].blocks.keys, parts[1].blocks.keys.assign(role="unseen")], ignore_index=True)
        bins = np.concatenate([part.blocks.bins for part in parts])
        cells.append(Scored(parts[0].scores | {"held_out": {"landslides": 100}}, BlockBins(keys, bins)))

    def gap(*roles):
        sums = [c.blocks.of(*roles).pixels(0.5).sum(axis=0).astype(float) for c in cells]
        one, other = (float(PIXEL_SCORES["mcc"].value(s)) for s in sums)
        return one - other

    (compared,) = compare_pairs(cells, PARAMS)
    assert gap("test") > 0 > gap("test", "unseen")
    assert compared.difference == pytest.approx(gap("test", "unseen"))
    measured = record(cells, [compared], PARAMS)["measured"]
    assert (measured["roles"], measured["blocks"]) == ("test and unseen", 80)


def test_a_seed_that_detects_nothing_is_named_and_leaves_the_difference_undefined():
    cells = seeded(SKILLS)
    (silent,) = (c for c in cells if c.scores["cell"] == "sar-unet-1")
    silent.blocks.bins[:, :, 100] = silent.blocks.bins.sum(axis=2)
    silent.blocks.bins[:, :, 900] = 0
    compared = compare_pairs(cells, PARAMS)
    hit = [c for c in compared if ("sar", "unet") in (c.one, c.other)]
    assert len(hit) == 4
    for c in hit:
        assert c.reason == "MCC of sar-unet-1 is not defined"
        assert c.difference is c.low is c.high is c.p is c.p_corrected is c.error_blocks is None
    assert all(c.p is not None for c in compared if c not in hit)
    recorded = record(cells, compared, PARAMS)
    json.dumps(recorded, allow_nan=False)
    lines = {line["sentence"]: line for line in verdicts(recorded)}
    assert lines[DEEP]["verdict"] == lines[BEST]["verdict"] == "cannot tell"
    assert "U-Net minus CART undefined (MCC of sar-unet-1 is not defined)." in lines[DEEP]["text"]
    assert "minus sar undefined (MCC of sar-unet-1 is not defined)" in lines[BEST]["text"]


def test_baselines_are_compared_with_the_network_that_they_are_there_for():
    pairs = [("sar", "unet"), ("sar", "cart"), ("sar", "cart_context"), ("optical", "unet"), ("change", "rule")]
    assert ["-".join((*one, "minus", *other)) for one, other in wanted_pairs(pairs)] == [
        "sar-unet-minus-sar-cart",
        "sar-unet-minus-sar-cart_context",
        "sar-cart_context-minus-sar-cart",
        "sar-unet-minus-change-rule",
        "optical-unet-minus-change-rule",
        "sar-unet-minus-optical-unet",
    ]


def test_cells_scored_on_other_pixels_are_refused():
    with pytest.raises(InputError, match="were scored on other pixels"):
        compare_pairs([cell("sar", "unet", 0.5), cell("sar", "cart", 0.5, blocks=39)], PARAMS)


def test_an_interval_over_seeds_is_wider_the_further_they_spread():
    cells = [cell("sar", "cart", 0.3, 1)]
    alike = [cell("sar", "unet", skill, seed, draw=seed) for seed, skill in enumerate((0.60, 0.60, 0.60))]
    apart = [cell("sar", "unet", skill, seed, draw=seed) for seed, skill in enumerate((0.45, 0.60, 0.75))]
    (one,), (other,) = compare_pairs([*alike, *cells], PARAMS), compare_pairs([*apart, *cells], PARAMS)
    assert one.difference == pytest.approx(other.difference, abs=0.03)
    assert other.high - other.low > 2 * (one.high - one.low)
    assert other.p >= one.p


def test_equal_detectors_whose_seeds_spread_are_rarely_told_apart():
    """The two networks draw their skill from one distribution: what differs is luck of the seeds alone."""
    rng, called = np.random.default_rng(5), 0
    params = PARAMS.model_copy(update={"replicates": 199})
    for _ in range(30):
        skills = rng.normal(0.6, 0.08, (2, 5))
        cells = [
            cell(s, "unet", k, i) for s, row in zip(("sar", "full"), skills, strict=True) for i, k in enumerate(row)
        ]
        called += compare_pairs(cells, params)[0].p < 0.05
    assert called <= 4  # about 1.5 are expected; blocks alone call all 30


def test_the_unit_of_all_cells_is_the_best_on_average():
    def table(*f1):
        none = dict.fromkeys(COUNTS, 0)
        rows = [
            {**none, "unit_px": u, "role": "validation", "landslides": 10, "detections": 10, "found": n, "right": n}
            for u, n in zip((1, 3, 5), (round(10 * f) for f in f1), strict=True)
        ]
        return pd.DataFrame(rows)

    assert common_unit([table(0.9, 0.8, 0.1), table(0.1, 0.8, 0.2)]) == 3
    assert common_unit([table(0, 0, 0)]) == 1
    assert common_unit([]) == 1


def test_seeds_of_one_cell_become_their_mean_and_range():
    keys = ("precision", "recall", "f1", "iou", "auprc", "pixels", "landslide_pixels")
    common = {"setting": "sar", "detector": "unet", "split": "blocks", "simulated": True, "trained_on_simulated": True,
              "training": {"pixels": 9}, "threshold": 0.5, **dict.fromkeys(keys, 0.5)}  # fmt: skip
    cells = [
        {**common, "cell": f"c{s}", "seed": s, "mcc": m, "mcc_low": 0.1, "mcc_high": 0.9}
        for s, m in ((1, 0.2), (2, 0.6))
    ]
    entry = compare_cells(cells)["sar"]["unet"]
    assert entry["mcc"] == pytest.approx(0.4)
    assert (entry["seeds"], entry["mcc_smallest"], entry["mcc_largest"]) == (2, 0.2, 0.6)
    assert "mcc_low" not in entry  # the interval of one seed says nothing about the mean
