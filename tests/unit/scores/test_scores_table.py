"""The table of all cells, as people read it, and files that are none."""

import json
import math
import re

import pytest

from skred.core.errors import InputError
from skred.scores.table import markdown, plain, read_comparison, read_verdicts


def with_ends(**scores):
    """Scores, each with an interval of 0.1 to both sides."""
    ends = {f"{k}_{end}": v + d for k, v in scores.items() for end, d in (("low", -0.1), ("high", 0.1))}
    return scores | ends


HEADLINE = {"precision": 0.5, "recall": 0.6, "f1": 0.55, "mcc": 0.45, "auprc": 0.4}
OBJECTS = {"unit_px": 3, **with_ends(recall=0.7, precision=0.8), "chance_recall": 0.02}
OBJECTS |= {"chance_recall_low": 0.0, "chance_recall_high": 0.08}
FULL = {
    "simulated": True,
    **HEADLINE,
    **with_ends(mcc=0.3),
    "blocks": 63,
    "unseen": {"simulated": True, **HEADLINE, **with_ends(mcc=0.2), "blocks": 64},
    "held_out": {**with_ends(**HEADLINE), "blocks": 127, "objects": OBJECTS},
    "control": {"unit_px": 3, "simulated": True, **with_ends(false_alarms_per_100km2=12.0)},
    "optimism": {"f1": 0.05},
}


def notes(text):
    return text.split("\n\n", 1)[1].splitlines()


def test_the_headline_scores_are_those_of_the_largest_region_with_intervals():
    head, _, row = markdown({"sar": {"unet": FULL}}).splitlines()[:3]
    assert head == (
        "| setting | detector | precision | recall | F1 | MCC | AUPRC | MCC (test) | MCC (unseen) | landslides found "
        "| found by chance | detections right | false alarms / 100 km² | optimism, F1 (test) |"
    )
    assert row == (
        "| `sar` | unet | 0.50 [0.40, 0.60] | 0.60 [0.50, 0.70] | 0.55 [0.45, 0.65] | 0.45 [0.35, 0.55] | "
        "0.40 [0.30, 0.50] | 0.30 [0.20, 0.40] | 0.20 [0.10, 0.30] | 0.70 [0.60, 0.80] | 0.02 [0.00, 0.08] | "
        "0.80 [0.70, 0.90] | 12 [12, 12] | 0.05 |"
    )


def test_where_nothing_is_pooled_they_are_those_of_the_test_split():
    entry = {"simulated": False, **with_ends(**HEADLINE), "blocks": 80}
    text = markdown({"rgb": {"unet": entry}})
    assert text.splitlines()[0] == "| setting | detector | precision | recall | F1 | MCC | AUPRC |"
    assert "| 0.45 [0.35, 0.55] |" in text
    assert notes(text) == [
        "Where no region is named: the test split. All on real pixels.",
        "Intervals count places: 80 blocks (test); from fewer than 100 blocks they are rough, docs/scores.md.",
    ]


def test_the_notes_say_of_which_region_unit_and_number_of_blocks_the_numbers_are():
    told = notes(markdown({"sar": {"unet": FULL}}))
    assert told[0] == (
        "Where no region is named: test + unseen, the test split and the unseen events together. "
        "False alarms: on control events, where nothing slid. All on simulated pixels."
    )
    assert told[1] == "Optimism: F1 on a random split minus F1 on blocks."
    assert "after dropping detections below 3 px, one unit for all cells; the maps use each model's own" in told[2]
    assert told[3] == (
        "Intervals count places: 127 blocks (test + unseen), 63 (test), 64 (unseen); "
        "from fewer than 100 blocks they are rough, docs/scores.md."
    )
    assert len(told) == 4
    assert "px" not in markdown({"sar": {"unet": {"simulated": True, "mcc": 0.4}}})


def test_enough_blocks_are_not_called_rough_and_cells_may_have_different_ones():
    one, other = ({"simulated": True, **with_ends(mcc=0.4), "blocks": blocks} for blocks in (120, 140))
    assert "Intervals count places: 120 to 140 blocks (test)." in markdown({"sar": {"unet": one, "cart": other}})
    without = {"simulated": True, "mcc": 0.4, "blocks": 120}
    assert "Intervals" not in markdown({"sar": {"unet": without}})


def test_pixels_of_both_kinds_are_not_called_simulated():
    entry = FULL | {"control": FULL["control"] | {"simulated": False}}
    assert "All on simulated and real pixels." in markdown({"sar": {"unet": entry}})


def test_a_number_without_interval_is_named_with_its_cell_and_the_reason():
    reasons = "precision hangs on few blocks; f1 hangs on few blocks; iou hangs on few blocks"
    held_out = {**HEADLINE, **with_ends(recall=0.6, mcc=0.45, auprc=0.4), "no_interval": reasons, "blocks": 127}
    objects = {"unit_px": 3, **with_ends(recall=0.7), "precision": 1.0}
    objects["no_interval"] = "precision is 1 of 1; false alarms hang on few blocks"
    control = {"unit_px": 3, "false_alarms_per_100km2": 3.0, "no_interval": "false alarms hang on few blocks"}
    odd = FULL | {"held_out": held_out | {"objects": objects}, "control": control}
    odd["no_interval"] = "recall hangs on few blocks"  # of the test split, where it is no column
    assert notes(markdown({"sar": {"unet": FULL, "cart": odd}}))[-1] == (
        "No interval: precision, F1 of `sar` cart (hangs on few blocks); detections right of `sar` cart (1 of 1); "
        "false alarms / 100 km² of `sar` cart (hang on few blocks)."
    )


def test_what_is_missing_everywhere_is_told_once():
    entry = {"simulated": False, **HEADLINE, "no_interval": "12 blocks, wanted 30"}
    told = notes(markdown({"sar": {"unet": entry, "cart": entry | {"mcc": None}}, "full": {"unet": entry}}))
    assert told[1:] == [
        "No interval: precision, recall, F1, MCC, AUPRC of `sar` unet, `full` unet (12 blocks, wanted 30); "
        "precision, recall, F1, AUPRC of `sar` cart (12 blocks, wanted 30)."
    ]
    told = notes(markdown({"sar": {"unet": entry, "cart": entry}}))
    assert told[1:] == ["No interval: precision, recall, F1, MCC, AUPRC of every cell (12 blocks, wanted 30)."]


def test_the_table_says_which_rows_are_means_and_how_far_their_seeds_are_apart():
    one = {"simulated": True, "mcc": 0.4, "held_out": with_ends(mcc=0.45)}
    many = {"seeds": 5, "mcc_smallest": 0.11, "mcc_largest": 0.99}  # of the test split alone
    held_out = with_ends(mcc=0.5) | {"auprc": 0.3, "mcc_smallest": 0.314, "mcc_largest": 0.62}
    told = notes(markdown({"sar": {"unet": {**one, **many, "held_out": held_out}, "cart": one}}))
    assert told[1] == (
        "Means over training seeds; their intervals count places and seeds. "
        "MCC of single seeds: `sar` unet 0.31 to 0.62 (5 seeds)."
    )
    assert told[2] == "No interval: AUPRC, MCC (test) of `sar` unet (not taken for means over seeds)."
    alone = {key: value for key, value in one.items() if key != "held_out"}
    text = markdown({"sar": {"unet": alone | many}, "optical": {"unet": alone | many | {"seeds": 3}}})
    assert "MCC of single seeds: `sar` unet 0.11 to 0.99 (5 seeds); `optical` unet 0.11 to 0.99 (3 seeds)." in text
    assert "seeds" not in markdown({"sar": {"cart": one}})
    assert "single seeds" not in markdown({"sar": {"unet": alone | many | {"mcc_smallest": None}}})


def test_an_interval_that_could_be_anything_is_called_unusable_but_a_wide_rate_is_not():
    wide = {"mcc": 0.03, "mcc_low": -0.88, "mcc_high": 0.93}
    rate = {"false_alarms_per_100km2": 20.0, "false_alarms_per_100km2_low": 10.0}
    entry = {"simulated": True, **wide, "control": {**rate, "false_alarms_per_100km2_high": 40.0}}
    assert "| 0.03 (no usable interval) | 20 [10, 40] |" in markdown({"sar": {"unet": entry}})


def test_the_plain_table_fits_a_terminal_and_has_no_intervals():
    table = {"fusion": {"cart_context": FULL, "cart": {"simulated": True, "held_out": {"f1": 0.5}}}}
    head, row, other = plain(table).splitlines()[:3]
    assert re.split(r" {2,}", head) == [
        *("setting", "detector", "precision", "recall", "F1", "MCC"),
        *("landslides found", "false alarms / 100 km²", "optimism, F1 (test)"),
    ]
    assert row.split() == ["fusion", "cart_context", "0.50", "0.60", "0.55", "0.45", "0.70", "12", "0.05"]
    assert other.split() == ["fusion", "cart", "–", "–", "0.50", "–", "–", "–", "–"]
    assert {len(head), len(row), len(other)} == {len(head)}
    assert len(head) <= 120
    told = notes(plain(table))
    assert not any("nterval" in note for note in told[:-1])
    assert told[-1] == "More columns, and 95 % intervals: `skred compare --markdown`."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{}", "holds no settings and detectors"),
        ("[]", "holds no settings and detectors"),
        ("3", "holds no settings and detectors"),
        ('{"full": ', "is not JSON"),
        ("\ufeff", "is not JSON"),
        ('{"full": {}}', "full holds no detectors"),
        ('{"full": {"unet": {"f1": 0.5}}}', "full.unet does not say whether its pixels are simulated"),
        ('{"full": {"unet": {"simulated": true}}}', "full.unet holds no scores"),
        ('{"full": {"unet": {"day_01": {"mcc": 0.5}}}}', "full.unet holds no scores"),  # days.json
        ('{"measured": {"where": "Nowhere"}, "differences": {}}', "measured.where holds no scores"),
        ('{"cell": "full-unet", "mcc": 0.5, "simulated": true}', "cell holds no detectors"),  # scores.json
    ],
)
def test_what_is_no_comparison_is_refused_in_one_line(tmp_path, content, says):
    file = tmp_path / "table.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_comparison(file)
    told = str(error.value)
    assert told.startswith(f"{file}: {says}; wanted the table of a compare stage, such as metrics/compare.json: ")
    assert told.endswith("or make it with `dvc repro`")
    assert "\n" not in told


def test_a_folder_and_a_file_that_is_not_there_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="is a folder; wanted the table of a compare stage"):
        read_comparison(tmp_path)
    with pytest.raises(InputError, match="missing or not readable: run `dvc repro`"):
        read_comparison(tmp_path / "none.json")


def test_numbers_of_another_kind_are_a_dash():
    entry = {"simulated": True, "mcc": 0.5, "f1": "high", "unseen": 3, "seeds": "many", "no_interval": 4}
    assert "| `sar` | unet | 0.50 |" in markdown({"sar": {"unet": entry}})


def of_one_pair(measured=None, **changed):
    row = {"difference": 0.1, "low": 0.0, "high": 0.2, "p_corrected": 0.04, "seeds": 5, "seeds_other": 1}
    measured = {"where": "Nowhere", "min_seeds": 5} if measured is None else measured
    return json.dumps({"measured": measured, "differences": {"sar-unet minus sar-cart": row | changed}})


def test_differences_are_read_as_verdicts(tmp_path):
    file = tmp_path / "differences.json"
    file.write_text(of_one_pair())
    assert "holds" in read_verdicts(file)[0]
    file.write_text(of_one_pair(low=None, reason="12 blocks, wanted 30"))
    assert "no interval: 12 blocks" in read_verdicts(file)[0]


def test_a_file_that_is_nested_without_end_is_refused(tmp_path):
    file = tmp_path / "table.json"
    file.write_text("[" * 200_000)
    with pytest.raises(InputError, match="nested without end"):
        read_comparison(file)


@pytest.mark.parametrize("region", ["unseen", "control"])
def test_a_region_that_is_neither_simulated_nor_real_is_refused(tmp_path, region):
    file = tmp_path / "table.json"
    file.write_text(json.dumps({"full": {"unet": {"mcc": 0.5, "simulated": True, region: {"simulated": [1]}}}}))
    with pytest.raises(InputError, match="does not say whether"):
        read_comparison(file)


def test_what_is_not_finite_is_no_number():
    entry = {"simulated": True, "mcc": 0.5, "f1": math.nan, "held_out": {"mcc": 0.4, "blocks": math.nan}}
    entry["held_out"] |= {"mcc_low": 0.1, "mcc_high": 0.6}
    told = markdown({"sar": {"unet": entry}})
    assert "0.40 [0.10, 0.60]" in told
    assert "nan" not in told


def test_over_seeds_a_score_says_that_its_interval_was_not_taken_beside_what_another_one_lacks():
    section = {"mcc": 0.4, "auprc": 0.3, "no_interval": "mcc hangs on few blocks"}
    entry = {"simulated": True, "mcc": 0.5, "seeds": 5, "held_out": section}
    told = markdown({"sar": {"unet": entry}})
    assert "MCC of `sar` unet (hangs on few blocks)" in told
    assert "not taken for means over seeds" in told


@pytest.mark.parametrize(
    "content",
    [
        *("[]", "{}", "{", '{"measured": {}, "differences": {"a minus b": 3}}'),
        *(of_one_pair(measured={"min_seeds": 5}), of_one_pair(measured={"where": "Nowhere", "min_seeds": "5"})),
        *(of_one_pair(low="a"), of_one_pair(low=None), of_one_pair(seeds=None), of_one_pair(high=math.nan)),
    ],
)
def test_differences_that_are_none_are_refused_in_one_line(tmp_path, content):
    file = tmp_path / "differences.json"
    assert read_verdicts(file) == []
    file.write_text(json.dumps({"measured": {"where": "Nowhere"}, "differences": {}}))
    assert read_verdicts(file) == []
    file.write_text(content)
    with pytest.raises(InputError, match=r"make them with `dvc repro`$"):
        read_verdicts(file)
