"""What `compare.json` takes over from the scores of a cell."""

import pytest

from skred.scores.comparison import compare_cells

NAMES = ("precision", "recall", "f1", "mcc", "auprc")
REGION = dict.fromkeys((*NAMES, "iou"), 0.5) | {f"{n}_{e}": 0.4 for n in (*NAMES, "iou") for e in ("low", "high")}
REGION |= {"pixels": 9, "landslide_pixels": 1, "landslides": 40, "blocks": 60}
CELL = {"cell": "a", "setting": "sar", "detector": "unet", "split": "blocks", "simulated": True, "threshold": 0.5}
CELL |= {"trained_on_simulated": True, "training": {"pixels": 9}, **REGION}
ENDS = {f"{name}_{end}" for name in NAMES for end in ("low", "high")}


def entry_of(*cells):
    return compare_cells(cells)["sar"]["unet"]


def ends(section):
    return {name for name in section if name.endswith(("_low", "_high"))}


@pytest.mark.parametrize("pooled", [True, False])
def test_the_largest_region_has_the_interval_of_every_headline_score(pooled):
    entry = entry_of(CELL | {"unseen": REGION} | ({"held_out": REGION} if pooled else {}))
    largest = entry["held_out"] if pooled else entry
    assert ends(largest) == ENDS
    others = [entry["unseen"], *([entry] if pooled else [])]
    assert all(ends(section) == {"mcc_low", "mcc_high"} for section in others)
    assert all(section["blocks"] == 60 for section in (largest, *others))


def calibration(**regions):
    scores = ("ece", "ece_from_0.1", "brier")
    return {"kind": "isotonic"} | {
        region: {"raw": dict.fromkeys(scores, raw), "calibrated": dict.fromkeys(scores, raw / 2)}
        for region, raw in regions.items()
    }


def test_calibration_is_told_of_test_and_of_unseen_raw_beside_calibrated():
    own = calibration(test=0.2, unseen=0.4)
    own["test"]["raw"] |= {"ece": 0.1, "ece_from_0.1": None}
    assert entry_of(CELL | {"calibration": own})["calibration"] == {
        "kind": "isotonic",
        "test": {
            "ece_raw": 0.1,
            "ece_calibrated": 0.1,
            "ece_from_0.1_raw": None,
            "ece_from_0.1_calibrated": 0.1,
            "brier_raw": 0.2,
            "brier_calibrated": 0.1,
        },
        "unseen": {
            f"{s}_{n}": v for s in ("ece", "ece_from_0.1", "brier") for n, v in (("raw", 0.4), ("calibrated", 0.2))
        },
    }
    assert set(entry_of(CELL | {"calibration": calibration(test=0.2)})["calibration"]) == {"kind", "test"}


def test_calibration_of_several_seeds_is_their_mean():
    cells = [CELL | {"seed": seed, "calibration": calibration(test=raw)} for seed, raw in ((1, 0.2), (2, 0.4))]
    found = entry_of(*cells)["calibration"]
    assert found["kind"] == "isotonic"
    assert (found["test"]["ece_raw"], found["test"]["brier_calibrated"]) == pytest.approx((0.3, 0.15))
