"""Scores as a function of the days after the event."""

import json

import pytest

from skred.core.errors import InputError
from skred.scores.days import days_curves, days_metrics, days_table, unit_of


def cell(days, mcc, setting="sar", **more):
    scores = {"mcc": mcc, "auprc": 0.2, "seen_share": 0.5, "objects": {"recall": 0.4, "precision": None}}
    marks = {"cell": f"{setting}-unet", "setting": setting, "detector": "unet", "simulated": True}
    return {**marks, "post_days": days, "mcc": 0.99, "held_out": {**scores, "mcc": 0.98}, "unseen": scores} | more


def test_days_stand_in_order_with_the_scores_of_the_unseen_event_alone():
    table = days_table([cell(13, 0.3), cell(7, 0.1), cell(7, None, "optical")])
    assert list(table["days"]) == [7, 7, 13]
    assert list(table["mcc"])[1:] == [0.1, 0.3]
    metrics = days_metrics(table)
    assert list(metrics["sar"]["unet"]) == ["day_07", "day_13"]
    assert metrics["sar"]["unet"]["day_07"]["landslides_found"] == 0.4
    assert metrics["optical"]["unet"]["day_07"]["mcc"] is None


def test_a_day_says_from_how_many_blocks_and_landslides_and_why_it_has_no_interval():
    first, second = cell(7, 0.1), cell(13, 0.3)
    first["unseen"] |= {"blocks": 12, "landslides": 4, "no_interval": "12 blocks, wanted 30", "mcc_low": None}
    second["unseen"] |= {"blocks": 40, "landslides": 31, "mcc_low": 0.2, "mcc_high": 0.4}
    days = days_metrics(days_table([second, first]))["sar"]["unet"]
    few, enough = days["day_07"], days["day_13"]
    assert (few["blocks"], few["landslides"], few["no_interval"]) == (12, 4, "12 blocks, wanted 30")
    assert few["mcc_low"] is few["mcc_high"] is None
    assert (enough["blocks"], enough["landslides"], enough["mcc_low"], enough["mcc_high"]) == (40, 31, 0.2, 0.4)
    assert "no_interval" not in enough
    json.dumps(days, allow_nan=False)


def test_a_curve_has_a_point_for_every_number_that_there_is():
    curves = days_curves(days_table([cell(7, 0.1), cell(13, None)]))
    assert list(curves) == ["setting", "detector", "simulated", "days", "what", "value"]
    assert curves.groupby("what").size().to_dict() == {"MCC": 1, "landslides found": 2, "seen": 2}


def test_days_that_are_there_twice_and_composites_of_all_days_are_refused():
    with pytest.raises(InputError, match="sar with unet: 7 days are there twice"):
        days_table([cell(7, 0.1), cell(7, 0.2)])
    whole = {key: value for key, value in cell(7, 0.1).items() if key != "post_days"}
    with pytest.raises(InputError, match="sar-unet: its composite has all days"):
        days_table([whole])
    seen = {key: value for key, value in cell(7, 0.1).items() if key != "unseen"}
    with pytest.raises(InputError, match="sar-unet: no unseen event was scored"):
        days_table([seen])


def test_the_minimum_mapping_unit_is_that_of_the_comparison():
    entry = {"simulated": True, "held_out": {"objects": {"unit_px": 10, "recall": 0.5}}}
    assert unit_of({"sar": {"unet": {"simulated": True}, "cart": entry}}) == 10
    with pytest.raises(InputError, match="no minimum mapping unit"):
        unit_of({"sar": {"unet": {"simulated": True}}})
