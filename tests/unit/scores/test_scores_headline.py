"""Intervals of whole objects and false alarms, and the reasons where there is none."""

import numpy as np
import pandas as pd
import pytest
from score_toys import PARAMS, apart

from skred.scores.bins import BINS
from skred.scores.blocks import KEYS, BlockBins
from skred.scores.headline import alarm_rate, pixel_scores, too_few, whole_objects
from skred.scores.objects import COUNTS
from skred.scores.ranked import Ranked


def blocks(n=40, **columns):
    """Counts per block: none but those given, on 2 km² each."""
    none = dict.fromkeys(COUNTS, np.zeros(n, int))
    return pd.DataFrame({"event": "e", "scene": "e", **apart(n), **none, "area_km2": np.full(n, 2.0)} | columns)


def test_no_alarm_at_all_leaves_an_upper_bound_by_the_rule_of_three():
    found = alarm_rate(blocks(), PARAMS)
    assert (found["false_alarms_per_100km2"], found["false_alarms_per_100km2_low"]) == (0, 0)
    assert found["false_alarms_per_100km2_high"] == pytest.approx(100 * 3 / 80)
    assert np.exp(-found["false_alarms_per_100km2_high"] / 100 * 80) == pytest.approx(0.05, abs=0.001)  # none seen
    assert "no_interval" not in found


def test_alarms_without_an_interval_say_why():
    few = alarm_rate(blocks(3, false=np.ones(3, int)), PARAMS)
    assert few["no_interval"] == "3 blocks, wanted 5"
    one = alarm_rate(blocks(false=np.eye(40, dtype=int)[0]), PARAMS)
    assert one["false_alarms_per_100km2_high"] is None
    assert one["no_interval"] == "false alarms hang on few blocks"


def test_object_scores_without_an_interval_say_why():
    rng = np.random.default_rng(0)
    landslides = rng.integers(1, 5, 40)
    counts = {"landslides": landslides, "found": landslides // 2, "detections": landslides, "right": landslides}
    found = whole_objects(blocks(**counts), PARAMS)
    assert found["recall_low"] < found["recall"] < found["recall_high"]
    assert found["precision_high"] is None
    assert found["no_interval"] == f"precision is {landslides.sum()} of {landslides.sum()}"
    nothing = whole_objects(blocks(landslides=landslides), PARAMS)
    assert nothing["no_interval"] == f"recall is 0 of {landslides.sum()}"
    assert nothing["precision"] is None
    assert "landslides, wanted 5" in whole_objects(blocks(landslides=np.eye(40, dtype=int)[0]), PARAMS)["no_interval"]


def pixels(n=40, *, found=True):
    """Blocks with 20 landslide pixels and 200 others each, of which about half and a tenth are detected."""
    rng = np.random.default_rng(0)
    bins = np.zeros((n, 2, BINS), np.int32)
    if found:
        bins[:, 0, 900], bins[:, 1, 900] = rng.integers(5, 15, n), rng.integers(10, 30, n)
    bins[:, 0, 100], bins[:, 1, 100] = 20 - bins[:, 0, 900], 200 - bins[:, 1, 900]
    keys = pd.DataFrame({"role": "test", "event": "e", "scene": "e", **apart(n)}, columns=list(KEYS))
    return BlockBins(keys, bins)


def scored(blocks, threshold, landslides, params=PARAMS):
    """`pixel_scores` of blocks and of the same pixels one by one."""
    block, kind, level = (np.repeat(axis, blocks.bins.ravel()) for axis in np.indices(blocks.bins.shape).reshape(3, -1))
    ranked = Ranked((level / BINS).astype(np.float32), kind == 0)
    return pixel_scores(blocks, ranked, block, threshold, landslides, params)


SCORES = ("precision", "recall", "f1", "mcc", "iou", "auprc")


def test_scores_of_enough_blocks_and_landslides_have_an_interval():
    for n, landslides in ((40, 50), (40, 5), (5, 50)):
        scores = scored(pixels(n), 0.5, landslides)
        assert all(scores[f"{name}_low"] < scores[name] < scores[f"{name}_high"] for name in SCORES)
        assert "no_interval" not in scores


@pytest.mark.parametrize(
    ("n", "landslides", "says"), [(4, 50, "4 blocks, wanted 5"), (40, 4, "4 landslides, wanted 5")]
)
def test_scores_of_too_few_blocks_or_landslides_have_none_and_say_why(n, landslides, says):
    scores = scored(pixels(n), 0.5, landslides, PARAMS)
    assert {scores[f"{name}_{end}"] for name in SCORES for end in ("low", "high")} == {None}
    assert scores["no_interval"] == says
    assert scores["mcc"] is not None


def test_too_few_is_below_the_limit_and_not_at_it():
    limits = PARAMS.model_copy(update={"min_blocks": 7, "min_landslides": 9})
    assert too_few(7, 9, limits) is None
    assert too_few(6, 9, limits) == "6 blocks, wanted 7"
    assert too_few(7, 8, limits) == "8 landslides, wanted 9"
    assert too_few(7, None, limits) is None  # none to find: their number does not matter
    assert too_few(6, None, limits) == "6 blocks, wanted 7"


def test_where_nothing_was_detected_that_is_the_one_reason():
    scores = scored(pixels(found=False), 0.5, 50, PARAMS)
    assert (scores["recall"], scores["f1"], scores["precision"], scores["mcc"]) == (0, 0, None, None)
    assert {scores[f"{name}_low"] for name in SCORES if name != "auprc"} == {None}
    assert scores["no_interval"].split("; ")[0] == "nothing was detected"
    assert scores["no_interval"].count("nothing was detected") == 1
    assert not any(f"{name} hangs" in scores["no_interval"] for name in SCORES if name != "auprc")
    few = scored(pixels(4, found=False), 0.5, 50, PARAMS)
    assert few["no_interval"] == "4 blocks, wanted 5"
