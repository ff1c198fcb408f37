"""Training seeds of one cell: intervals of their mean over places and seeds, and the score of each."""

import copy
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from score_toys import PARAMS as FEW
from score_toys import apart

from skred.scores.bins import BINS
from skred.scores.blocks import KEYS, BlockBins
from skred.scores.bootstrap import Mean, Resamples, estimate
from skred.scores.counts import Counts
from skred.scores.differences import Scored
from skred.scores.objects import COUNTS
from skred.scores.seeds import Seed, merged, seed_entries
from skred.scores.statistics import PIXEL_SCORES, SHARE_OF, rate

PARAMS = FEW.model_copy(update={"replicates": 199})
PLACES = {"test": 40, "unseen": 30, "control": 20}  # blocks
THRESHOLD = 0.5


def seed_of(seed, skill, detector="unet", draw=None, places=PLACES, landslides=50):
    """A cell that finds a share of about `skill` of pixels and of landslides; what is hard is hard for all seeds."""
    place, own = np.random.default_rng(0), np.random.default_rng([seed if draw is None else draw, 7])
    n = sum(places.values())
    roles = np.repeat(list(places), list(places.values()))
    there = (roles != "control").astype(int)
    keys = pd.DataFrame({"role": roles, "event": roles, "scene": roles, **apart(n)}, columns=list(KEYS))
    positive, negative = place.integers(20, 60, n) * there, place.integers(300, 500, n)
    ease = np.clip(skill + place.normal(0, 0.1, n) + own.normal(0, 0.02, n), 0.02, 0.98)
    bins = np.zeros((n, 2, BINS), np.int32)
    bins[:, 0, 900], bins[:, 1, 900] = np.round(positive * ease), np.round(negative * 0.1 * (1 - ease))
    bins[:, 0, 100], bins[:, 1, 100] = positive - bins[:, 0, 900], negative - bins[:, 1, 900]

    counts = dict.fromkeys(COUNTS, np.zeros(n, int))
    counts["landslides"] = place.integers(2, 9, n) * there
    counts["found"] = np.round(counts["landslides"] * ease).astype(int)
    counts["detections"] = place.integers(3, 9, n)
    counts["right"] = np.round(counts["detections"] * ease * there).astype(int)
    counts["false"] = own.poisson(3 * (1 - ease))
    objects = pd.DataFrame({"unit_px": 1, **keys, **counts, "area_km2": place.uniform(1, 2, n)})

    def section():
        return {"landslides": landslides, "objects": {"unit_px": 1}}

    scores = {"cell": f"sar-{detector}-{seed}", "setting": "sar", "detector": detector, "seed": seed} | section()
    scores |= {"threshold": THRESHOLD, "unseen": section(), "held_out": section(), "control": {}}
    return Seed(Scored(scores, BlockBins(keys, bins)), objects)


def entry_of(*seeds, params=PARAMS):
    return seed_entries(seeds, params)["sar", seeds[0].scored.scores["detector"]]


REGIONS = {"test": ("test",), "unseen": ("unseen",), "held_out": ("test", "unseen")}


def pixels(seed, region):
    return seed.scored.blocks.of(*REGIONS[region]).pixels(THRESHOLD)


def objects(seed, roles, *columns):
    return seed.objects[seed.objects["role"].isin(roles)][list(columns)].to_numpy()


def in_region(entry, region):
    return entry if region == "test" else entry[region]


@settings(max_examples=8)
@given(st.lists(st.floats(0.25, 0.8), min_size=2, max_size=5))
def test_the_mean_over_seeds_lies_in_its_interval(skills):
    seeds = [seed_of(i, skill) for i, skill in enumerate(skills)]
    entry = entry_of(*seeds)
    for region in REGIONS:
        part = in_region(entry, region)
        counts = [Counts(*map(int, pixels(seed, region).sum(axis=0))) for seed in seeds]
        for name in ("mcc", "f1"):
            assert part[f"{name}_low"] < np.mean([getattr(c, name) for c in counts]) < part[f"{name}_high"]
        assert "no_interval" not in part
    for name, of in (("recall", ("found", "landslides")), ("precision", ("right", "detections"))):
        sums = [objects(seed, ("test", "unseen"), *of).sum(axis=0) for seed in seeds]
        low, high = (entry["held_out"]["objects"][f"{name}_{end}"] for end in ("low", "high"))
        assert low < np.mean([part / whole for part, whole in sums]) < high
    sums = [objects(seed, ("control",), "false", "area_km2").sum(axis=0) for seed in seeds]
    low, high = (entry["control"][f"false_alarms_per_100km2_{end}"] for end in ("low", "high"))
    assert low < np.mean([100 * false / area for false, area in sums]) < high


def by_hand(tables, score):
    """Ends of the interval on the score's own scale: the error over blocks from the mean without one block each, that
    over seeds from the spread of their scores, and Student's t with the freedom of the sum of the two."""
    values = np.array([float(score.value(t.sum(axis=0).astype(float))) for t in tables])
    n, k, mean = len(tables[0]), len(tables), values.mean()
    without = np.mean([score.value((t.sum(axis=0) - t).astype(float)) for t in tables], axis=0)
    over_blocks = (n - 1) / n * np.sum((without - without.mean()) ** 2)
    over_seeds = values.var(ddof=1) / k
    error = np.sqrt(over_blocks + over_seeds)
    t = stats.t.ppf(0.975, (over_blocks + over_seeds) ** 2 / (over_seeds**2 / (k - 1)))
    here = score.scale.out(mean)
    reach = t * error * score.scale.slope(mean)
    return float(score.scale.back(here - reach)), float(score.scale.back(here + reach))


def test_where_seeds_are_far_apart_the_interval_is_one_by_hand():
    """The t of three seeds is larger than any quantile of the resamples."""
    places = PLACES | {"control": 80}
    seeds = [seed_of(i, skill, places=places) for i, skill in enumerate((0.35, 0.5, 0.65))]
    entry = entry_of(*seeds)
    for region in REGIONS:
        for name in ("mcc", "f1"):
            wanted = by_hand([pixels(seed, region) for seed in seeds], PIXEL_SCORES[name])
            got = [in_region(entry, region)[f"{name}_{end}"] for end in ("low", "high")]
            assert got == pytest.approx(wanted, abs=0.01), (region, name)
    wanted = by_hand([objects(seed, ("test", "unseen"), "found", "landslides") for seed in seeds], SHARE_OF)
    whole = entry["held_out"]["objects"]
    assert (whole["recall_low"], whole["recall_high"]) == pytest.approx(wanted, abs=0.01)
    wanted = by_hand([objects(seed, ("test", "unseen"), "right", "detections") for seed in seeds], SHARE_OF)
    assert (whole["precision_low"], whole["precision_high"]) == pytest.approx(wanted, abs=0.01)
    wanted = by_hand([objects(seed, ("control",), "false", "area_km2") for seed in seeds], rate(100))
    rates = [entry["control"][f"false_alarms_per_100km2_{end}"] for end in ("low", "high")]
    assert rates == pytest.approx(wanted, rel=0.02)


def test_seeds_that_are_all_alike_leave_the_interval_of_the_blocks():
    seeds = [seed_of(i, 0.5, draw=0) for i in range(3)]
    entry = entry_of(*seeds)
    table = pixels(seeds[0], "held_out")
    resamples = Resamples.draw(len(table), PARAMS.replicates, PARAMS.seed)
    alone = estimate(np.hstack([table] * 3), Mean(PIXEL_SCORES["mcc"], 3), resamples, "studentised")
    held_out = entry["held_out"]
    assert (held_out["mcc_low"], held_out["mcc_high"]) == pytest.approx((alone.low, alone.high))


def test_an_interval_is_wider_when_seeds_are_apart():
    alike, apart = (
        entry_of(*(seed_of(i, skill) for i, skill in enumerate(skills)))
        for skills in ((0.5, 0.5, 0.5), (0.35, 0.5, 0.65))
    )

    def width(section, name):
        return section[f"{name}_high"] - section[f"{name}_low"]

    for region in REGIONS:
        for name in ("mcc", "f1"):
            assert width(in_region(apart, region), name) > 2 * width(in_region(alike, region), name)
    for name in ("recall", "precision"):
        assert width(apart["held_out"]["objects"], name) > 2 * width(alike["held_out"]["objects"], name)


def test_each_seed_has_its_own_mcc_in_every_region():
    seeds = [seed_of(i, skill) for i, skill in ((4, 0.3), (11, 0.7))]
    silent = seed_of(5, 0.5)
    silent.scored.blocks.bins[:, :, 100] += silent.scored.blocks.bins[:, :, 900]
    silent.scored.blocks.bins[:, :, 900] = 0
    entry = entry_of(seeds[0], silent, seeds[1])
    for region in REGIONS:
        wanted = {
            f"seed_{seed.scored.scores['seed']}": pytest.approx(Counts(*map(int, pixels(seed, region).sum(axis=0))).mcc)
            for seed in seeds
        }
        assert in_region(entry, region)["mcc_by_seed"] == wanted | {"seed_5": None}
    # one seed without MCC: no mean, no interval, and a reason beside it
    assert entry["held_out"]["mcc_low"] is entry["held_out"]["mcc_high"] is None
    assert entry["held_out"]["no_interval"].startswith("mcc ")
    json.dumps(entry, allow_nan=False)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"places": {"test": 2, "unseen": 2, "control": 2}}, {"held_out": "4 blocks, wanted 5"}),
        ({"landslides": 4}, {"held_out": "4 landslides, wanted 5"}),
    ],
)
def test_too_few_blocks_or_landslides_leave_no_interval_and_the_reason(changed, says):
    entry = entry_of(*(seed_of(i, 0.5, **changed) for i in range(3)))
    held_out = entry["held_out"]
    for section, names in ((held_out, ("mcc", "f1")), (held_out["objects"], ("recall", "precision"))):
        assert {section[f"{name}_{end}"] for name in names for end in ("low", "high")} == {None}
        assert section["no_interval"] == says["held_out"]
    assert None not in held_out["mcc_by_seed"].values()
    few = changed.get("places") is not None
    assert entry["control"].get("no_interval") == ("2 blocks, wanted 5" if few else None)  # nothing to find there
    assert (entry["control"]["false_alarms_per_100km2_high"] is None) == few


def test_a_share_of_all_says_how_many():
    seeds = [seed_of(i, 0.5) for i in range(3)]
    for seed in seeds:
        seed.objects["right"] = np.where(seed.objects["role"] == "control", 0, seed.objects["detections"])
    whole = entry_of(*seeds)["held_out"]["objects"]  # every detection is right
    assert whole["precision_low"] is whole["precision_high"] is None
    every = sum(int(seed.objects.query("role in ('test', 'unseen')")["detections"].sum()) for seed in seeds)
    assert whole["no_interval"] == f"precision is {every} of {every}"
    assert whole["recall_low"] < whole["recall_high"]


def test_tables_of_objects_are_brought_into_one_order_of_blocks():
    seeds = [seed_of(i, 0.5) for i in range(2)]
    turned = Seed(seeds[1].scored, seeds[1].objects.iloc[::-1].reset_index(drop=True))
    assert entry_of(seeds[0], turned) == entry_of(*seeds)


def test_only_cells_with_several_seeds_get_an_entry():
    cells = [seed_of(1, 0.5), seed_of(1, 0.4, "cart"), seed_of(2, 0.6)]
    assert set(seed_entries(cells, PARAMS)) == {("sar", "unet")}
    assert seed_entries([], PARAMS) == {}


def test_without_unseen_events_the_test_split_has_the_whole_objects():
    seeds = [seed_of(i, 0.5) for i in range(2)]
    for seed in seeds:
        del seed.scored.scores["held_out"], seed.scored.scores["unseen"], seed.scored.scores["control"]
    entry = entry_of(*seeds)
    ends = {f"{name}_{end}" for name in ("precision", "recall", "f1", "mcc") for end in ("low", "high")}
    assert set(entry) == ends | {"mcc_by_seed", "objects"}
    assert entry["objects"]["recall_low"] < entry["objects"]["recall_high"]
    assert "objects" not in entry_of(*(seed_of(i, 0.5) for i in range(2)))


def test_what_is_merged_is_added_section_by_section():
    entry = {"mcc": 0.4, "held_out": {"mcc": 0.5, "objects": {"recall": 0.6}}, "control": None}
    more = {"mcc_low": 0.1, "held_out": {"mcc": 0.7, "objects": {"recall_low": 0.3}}, "control": {"a": 1}}
    before = copy.deepcopy((entry, more))
    assert merged(entry, more) == {
        "mcc": 0.4,
        "mcc_low": 0.1,
        "held_out": {"mcc": 0.7, "objects": {"recall": 0.6, "recall_low": 0.3}},
        "control": {"a": 1},
    }
    assert (entry, more) == before
    assert merged(entry, {}) == entry


def test_where_no_seed_raised_a_false_alarm_the_rate_goes_from_0_to_three_in_the_area():
    seeds = [seed_of(s, 0.6) for s in (1, 2)]
    for seed in seeds:
        seed.objects.loc[seed.objects["role"] == "control", "false"] = 0
    area_km2 = seeds[0].objects.query("role == 'control'")["area_km2"].sum()
    control = entry_of(*seeds)["control"]
    assert control == {
        "false_alarms_per_100km2_low": 0.0,
        "false_alarms_per_100km2_high": pytest.approx(300 / area_km2),
    }
