"""Intervals of whole objects and false alarms, and the reasons where there is none."""

import numpy as np
import pandas as pd
import pytest
from score_toys import PARAMS

from skred.scores.headline import alarm_rate, whole_objects
from skred.scores.objects import COUNTS


def blocks(n=40, **columns):
    """Counts per block: none but those given, on 2 km² each."""
    none = dict.fromkeys(COUNTS, np.zeros(n, int))
    return pd.DataFrame({**none, "area_km2": np.full(n, 2.0)} | columns)


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
